"""HEIC files in the shape in which phones write them: a grid of tiles. No encoder for HEVC is at hand, so the tiles are
those of small files that one made once (PROVENANCE.md), and all tiles of a grid are equal.
"""

import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Tile:
    """One coded picture: its configuration box (hvcC), its bytes, and its side in pixels."""

    configuration: bytes
    data: bytes
    side: int = 512


def heic(name: str) -> bytes:
    """A file of this folder."""
    return (_FOLDER / f"{name}.heic").read_bytes()


Place = tuple[int, Tile | int]
"""An item, and its tile or where its 12 bytes are in idat."""


@cache
def tile(name: str = "tile") -> Tile:
    """`tile` (smooth), `tile_white`, `tile_noise` (as many bits as a tile takes), `tile_10bit_444`."""
    whole = heic(name)
    at = whole.index(b"hvcC") - 4
    (length,) = struct.unpack_from(">I", whole, at)
    content = whole.index(b"mdat") + 4
    return Tile(whole[at : at + length], whole[content:])


def grid(
    width: int,
    height: int,
    each: Tile | None = None,
    *,
    alpha: Tile | None = None,
    claimed_side: int | None = None,
    kind: bytes = b"grid",
    shared: bool = False,
) -> bytes:
    """A picture of so many pixels, of as many equal tiles as it takes. `claimed_side`: of a tile, if its box lies;
    `kind`: of the derived picture; `shared`: the tiles share the same bytes of the file.
    """
    each = each or tile()
    side = claimed_side or each.side
    columns, rows = -(-width // side), -(-height // side)
    count = columns * rows
    planes = [(each, b"")] + ([(alpha, b"auxC" + bytes(4) + b"urn:mpeg:hevc:2015:auxid:1\0")] if alpha else [])
    kinds: list[bytes] = []
    references: list[bytes] = []
    places: list[Place] = []
    associations: list[tuple[int, list[int]]] = []
    properties: list[bytes] = []
    derived = b""
    number = 1
    shape = struct.pack(">BBBB", 0, 1, rows - 1 & 255, columns - 1 & 255) + struct.pack(">II", width, height)
    for plane, auxiliary in planes:
        first, main = number, number + count
        own = len(properties)
        properties += [plane.configuration, _size(side, side), _size(width, height)]
        properties += [_box(auxiliary[:4], auxiliary[4:])] if auxiliary else []
        for item in range(first, main):
            kinds.append(_kind(item, b"hvc1"))
            places.append((item, plane))
            associations.append((item, [own + 1 | 0x80, own + 2]))
        kinds.append(_kind(main, kind))
        places.append((main, len(derived)))
        derived += shape
        associations.append((main, [own + 3] + ([own + 4] if auxiliary else [])))
        references.append(_box(b"dimg", struct.pack(f">HH{count}H", main, count, *range(first, main))))
        if auxiliary:
            references.append(_box(b"auxl", struct.pack(">HHH", main, 1, count + 1)))
        number = main + 1
    return _file(count + 1, kinds, references, places, associations, properties, derived, shared=shared)


def nested(width: int, height: int) -> bytes:
    """A grid whose parts are grids: the numbers of the derived picture and of a tile are changed about."""
    whole = bytearray(grid(width, height))
    first = whole.index(b"infe") + 12
    whole[first : first + 4] = b"grid"
    return bytes(whole)


def sequence() -> bytes:
    """A film of pictures, by its outermost boxes."""
    return _box(b"ftyp", b"hevc\0\0\0\0msf1hevcmif1heic") + _box(b"moov", bytes(64)) + _box(b"mdat", bytes(64))


def _file(
    primary: int,
    kinds: list[bytes],
    references: list[bytes],
    places: list[Place],
    associations: list[tuple[int, list[int]]],
    properties: list[bytes],
    derived: bytes,
    *,
    shared: bool,
) -> bytes:
    tiles = {id(plane) if shared else item: plane for item, plane in places if isinstance(plane, Tile)}
    associated = struct.pack(">II", 0, len(associations)) + b"".join(
        struct.pack(">HB", item, len(numbers)) + bytes(numbers) for item, numbers in associations
    )

    def meta(data_at: int) -> bytes:
        starts, at = {}, data_at
        for key, plane in tiles.items():
            starts[key] = at
            at += len(plane.data)
        located = struct.pack(">IBBH", 1 << 24, 0x44, 0, len(places))
        for item, place in places:
            if isinstance(place, Tile):
                located += struct.pack(">HHHHII", item, 0, 0, 1, starts[id(place) if shared else item], len(place.data))
            else:
                located += struct.pack(">HHHHII", item, 1, 0, 1, place, 12)
        content = bytes(4) + _box(b"hdlr", bytes(8) + b"pict" + bytes(13))
        content += _box(b"pitm", struct.pack(">IH", 0, primary))
        content += _box(b"iinf", struct.pack(">IH", 0, len(kinds)) + b"".join(kinds))
        content += _box(b"iref", bytes(4) + b"".join(references))
        content += _box(b"iprp", _box(b"ipco", b"".join(properties)) + _box(b"ipma", associated))
        content += _box(b"idat", derived) + _box(b"iloc", located)
        return _box(b"meta", content)

    head = _box(b"ftyp", b"heic\0\0\0\0mif1heic")
    data_at = len(head) + len(meta(0)) + 8
    return head + meta(data_at) + _box(b"mdat", b"".join(plane.data for plane in tiles.values()))


def _kind(item: int, kind: bytes) -> bytes:
    return _box(b"infe", struct.pack(">IHH", 2 << 24, item, 0) + kind + b"\0")


def _size(width: int, height: int) -> bytes:
    return _box(b"ispe", struct.pack(">III", 0, width, height))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content
