"""The structure of a HEIC: its boxes, its items, and the tiles that make its picture.

Phones store one picture as a grid of HEVC tiles, with a thumbnail and maps beside it. Pictures derived in any other way
(overlays, derivations of derivations) and sequences are refused. What HEVC itself says about a tile's size is not read
here: the limit of memory stops a tile that is larger than its box says.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from unora_identity.providers.formats.header import Format, Header, NotAPicture, require_memory, require_pixels
from unora_identity.providers.pictures import PhotoTooLarge, VisionPolicy

_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1"})
_HEVC: Final = _BRANDS - {b"mif1", b"mif2", b"msf1"}
_TILE, _GRID = b"hvc1", b"grid"
_MOST_BOXES: Final = 64  # side by side, where a file has few
_ALPHA: Final = (b"urn:mpeg:hevc:2015:auxid:1\0", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0")

Box = tuple[bytes, int, int]
"""A kind, and where the content begins and ends."""


@dataclass(slots=True)
class _Items:
    """What the boxes say of each item, by its number."""

    primary: int = 0
    kinds: dict[int, bytes] = field(default_factory=dict)
    parts: dict[int, tuple[int, ...]] = field(default_factory=dict)
    auxiliary: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    properties: dict[int, list[Box]] = field(default_factory=dict)
    lengths: dict[int, int] = field(default_factory=dict)


def recognised(data: bytes) -> bool:
    """Whether the file says that it holds pictures in HEVC."""
    if data[4:8] != b"ftyp":
        return False
    length = min(int.from_bytes(data[:4], "big"), 8 + 4 * _MOST_BOXES)
    brands = {data[at : at + 4] for at in range(8, length, 4) if at != 12}
    return data[8:12] in _BRANDS and bool(brands & _HEVC)


def judge(data: bytes, policy: VisionPolicy) -> Header:
    """See `judge.judge`. The decoder applies the orientation and gives the profile."""
    outer: dict[bytes, tuple[int, int]] = {}
    for kind, begin, end in _boxes(data, 0, len(data), _MOST_BOXES):
        if kind == b"moov":
            raise PhotoTooLarge(most_frames=1)
        outer.setdefault(kind, (begin, end))
    if b"meta" not in outer:
        raise NotAPicture
    items = _items(data, *outer[b"meta"], policy)
    width, height = _size(data, items, items.primary)
    require_pixels(width, height, policy.most_pixels)
    tiles = _tiles(items, items.primary, policy)
    decoded = sum(across * down for across, down in (_size(data, items, tile) for tile in tiles))
    if decoded > 2 * width * height + 2**20:  # the tiles at the edges hang over, but not that far
        raise NotAPicture
    coded = set(tiles)
    alphas = [item for item, of in items.auxiliary if items.primary in of and _is_alpha(data, items, item)]
    for alpha in alphas:
        require_pixels(*_size(data, items, alpha), policy.most_pixels)
        coded.update(_tiles(items, alpha, policy))
    # A tile costs as much time as it has bytes. If tiles share their bytes, a small file takes minutes.
    if len(coded) > policy.most_tiles or sum(items.lengths.get(item, 0) for item in coded) > len(data):
        raise PhotoTooLarge(most_tiles=policy.most_tiles)
    return Header(
        format=Format.HEIC,
        width=width,
        height=height,
        memory=require_memory(_memory(data, items, tiles[0], width * height, bool(alphas)) + 2 * len(data), policy),
        data=data,
    )


def _memory(data: bytes, items: _Items, tile: int, pixels: int, alpha: bool) -> int:
    """Of libheif's planes (turned, they are there twice), and of the pixels that are made of them."""
    planes = _samples(data, items, tile) + alpha
    return int(pixels * (2 * planes + 3 + alpha))


def _samples(data: bytes, items: _Items, tile: int) -> float:
    """Bytes per pixel of the planes: 1.5 as phones do; more with finer colours, twice with more than 8 bits."""
    for kind, begin, end in items.properties.get(tile, ()):
        if kind == b"hvcC" and end - begin > 18:
            planes = {0: 1.0, 1: 1.5, 2: 2.0, 3: 3.0}[data[begin + 16] & 3]
            return planes * (2 if data[begin + 17] & 7 else 1)
    raise NotAPicture


def _tiles(items: _Items, item: int, policy: VisionPolicy) -> tuple[int, ...]:
    """The items that are decoded for this one."""
    kind = items.kinds.get(item)
    if kind == _TILE:
        return (item,)
    tiles = items.parts.get(item, ())
    if kind != _GRID or not tiles or any(items.kinds.get(tile) != _TILE for tile in tiles):
        raise NotAPicture
    if len(tiles) > policy.most_tiles:
        raise PhotoTooLarge(most_tiles=policy.most_tiles)
    return tiles


def _size(data: bytes, items: _Items, item: int) -> tuple[int, int]:
    for kind, begin, _ in items.properties.get(item, ()):
        if kind == b"ispe":
            width, height = struct.unpack_from(">II", data, begin + 4)
            return width, height
    raise NotAPicture


def _is_alpha(data: bytes, items: _Items, item: int) -> bool:
    return any(
        kind == b"auxC" and data[begin + 4 : end].startswith(_ALPHA)
        for kind, begin, end in items.properties.get(item, ())
    )


def _items(data: bytes, begin: int, end: int, policy: VisionPolicy) -> _Items:
    items = _Items()
    for kind, at, until in _boxes(data, begin + 4, end, _MOST_BOXES):
        if kind == b"pitm":
            items.primary = _number(data, at + 4, long=data[at] > 0)
        elif kind == b"iinf":
            _read_kinds(data, at, until, items, policy)
        elif kind == b"iref":
            _read_references(data, at, until, items, policy)
        elif kind == b"iprp":
            _read_properties(data, at, until, items, policy)
        elif kind == b"iloc":
            _read_lengths(data, at, until, items, policy)
    return items


def _read_kinds(data: bytes, begin: int, end: int, items: _Items, policy: VisionPolicy) -> None:
    long = data[begin] > 0
    for kind, at, _ in _boxes(data, begin + (8 if long else 6), end, policy.most_items):
        if kind == b"infe" and data[at] in (2, 3):
            number = _number(data, at + 4, long=data[at] == 3)
            kind_at = at + (10 if data[at] == 3 else 8)
            items.kinds[number] = data[kind_at : kind_at + 4]


def _read_references(data: bytes, begin: int, end: int, items: _Items, policy: VisionPolicy) -> None:
    long = data[begin] > 0
    step = 4 if long else 2
    for kind, at, until in _boxes(data, begin + 4, end, policy.most_items):
        if kind not in (b"dimg", b"auxl"):
            continue
        source = _number(data, at, long=long)
        (count,) = struct.unpack_from(">H", data, at + step)
        first = at + step + 2
        if count > policy.most_items or first + count * step > until:
            raise PhotoTooLarge(most_items=policy.most_items)
        targets = tuple(_number(data, first + number * step, long=long) for number in range(count))
        if kind == b"dimg":
            items.parts[source] = targets
        else:
            items.auxiliary.append((source, targets))


def _read_properties(data: bytes, begin: int, end: int, items: _Items, policy: VisionPolicy) -> None:
    known: list[Box] = []
    for kind, at, until in _boxes(data, begin, end, _MOST_BOXES):
        if kind == b"ipco":
            known = list(_boxes(data, at, until, policy.most_items))
        elif kind == b"ipma":
            _read_associations(data, at, until, items, known, policy)


def _read_associations(
    data: bytes, begin: int, end: int, items: _Items, known: list[Box], policy: VisionPolicy
) -> None:
    long, wide = data[begin] > 0, data[begin + 3] & 1
    (count,) = struct.unpack_from(">I", data, begin + 4)
    if count > policy.most_items:
        raise PhotoTooLarge(most_items=policy.most_items)
    at = begin + 8
    for _ in range(count):
        item = _number(data, at, long=long)
        at += 4 if long else 2
        indexes = range(at + 1, at + 1 + data[at] * (1 + wide), 1 + wide)
        for index in indexes:
            number = struct.unpack_from(">H", data, index)[0] & 0x7FFF if wide else data[index] & 0x7F
            if 0 < number <= len(known):
                items.properties.setdefault(item, []).append(known[number - 1])
        at = indexes.stop
        if at > end:
            raise NotAPicture


def _read_lengths(data: bytes, begin: int, end: int, items: _Items, policy: VisionPolicy) -> None:
    version = data[begin]
    offset_size, length_size = data[begin + 4] >> 4, data[begin + 4] & 15
    base_size, index_size = data[begin + 5] >> 4, (data[begin + 5] & 15) if version else 0
    count = _number(data, begin + 6, long=version == 2)
    at = begin + (10 if version == 2 else 8)
    extents = 0
    for _ in range(count):
        item = _number(data, at, long=version == 2)
        at += (4 if version == 2 else 2) + (2 if version else 0) + 2 + base_size
        (number,) = struct.unpack_from(">H", data, at)
        at += 2
        extents += number
        if extents > 2 * policy.most_items:
            raise PhotoTooLarge(most_items=policy.most_items)
        for _ in range(number):
            at += index_size + offset_size
            items.lengths[item] = items.lengths.get(item, 0) + int.from_bytes(data[at : at + length_size], "big")
            at += length_size
        if at > end:
            raise NotAPicture


def _number(data: bytes, at: int, *, long: bool) -> int:
    number: int = struct.unpack_from(">I" if long else ">H", data, at)[0]
    return number


def _boxes(data: bytes, begin: int, end: int, most: int) -> Iterator[Box]:
    """The boxes side by side in a part of the file. Raises PhotoTooLarge for more than `most`."""
    at = begin
    for _ in range(most):
        if at >= end:
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        elif length == 0:
            length = end - at
        if length < head or at + length > end:
            raise NotAPicture
        yield kind, at + head, at + length
        at += length
    if at < end:
        raise PhotoTooLarge(most_items=most)
