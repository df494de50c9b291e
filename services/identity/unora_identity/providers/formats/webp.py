"""The structure of a WebP: its chunks. A decoder gets the still picture and its transparency."""

import struct
from collections.abc import Iterator
from typing import Final

from unora_identity.providers.formats.header import (
    Format,
    Header,
    NotAPicture,
    exif_orientation,
    require_memory,
    require_pixels,
)
from unora_identity.providers.pictures import PhotoTooLarge, VisionPolicy

_ALPHA_FLAG: Final = 0x10
_LOSSLESS: Final = b"VP8L"
_LOSSY: Final = b"VP8 "
_MOST_PROFILE: Final = 2**22
_BYTES_PER_PIXEL: Final = 9  # four in the decoder, four outside, and one for transparency


def recognised(data: bytes) -> bool:
    """Whether the file says that it is a WebP."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def judge(data: bytes, policy: VisionPolicy) -> Header:
    """See `judge.judge`."""
    found: dict[bytes, bytes] = {}
    for kind, content in _chunks(data, policy.most_chunks):
        if kind in (b"ANIM", b"ANMF"):
            raise PhotoTooLarge(most_frames=1)
        found.setdefault(kind, content)
        if kind == b"VP8X":  # the size is judged first, whatever else is missing
            require_pixels(*_canvas(content), policy.most_pixels_webp)
    kind = _LOSSLESS if _LOSSLESS in found else _LOSSY
    if kind not in found or (b"ALPH" in found and (kind == _LOSSLESS or b"VP8X" not in found)):
        raise NotAPicture
    width, height = _size(kind, found[kind])
    require_pixels(width, height, policy.most_pixels_webp)
    if b"VP8X" in found and _canvas(found[b"VP8X"]) != (width, height):
        raise NotAPicture
    profile = found.get(b"ICCP", b"")
    return Header(
        format=Format.WEBP,
        width=width,
        height=height,
        memory=require_memory(width * height * _BYTES_PER_PIXEL + len(data), policy),
        orientation=exif_orientation(found.get(b"EXIF", b"").removeprefix(b"Exif\0\0")[: 2**16]),
        profile=profile if 0 < len(profile) <= _MOST_PROFILE else None,
        data=_still(width, height, kind, found),
    )


def _chunks(data: bytes, most: int) -> Iterator[tuple[bytes, bytes]]:
    (length,) = struct.unpack_from("<I", data, 4)
    end = 8 + length
    at = 12
    for _ in range(most):
        if at + 8 > end:
            return
        kind, size = struct.unpack_from("<4sI", data, at)
        if at + 8 + size > min(end, len(data)):
            # The size of an extended file that is cut is still judged, by the chunk that has it.
            raise NotAPicture
        yield kind, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    raise PhotoTooLarge(most_chunks=most)


def _canvas(content: bytes) -> tuple[int, int]:
    if len(content) < 10:
        raise NotAPicture
    return 1 + int.from_bytes(content[4:7], "little"), 1 + int.from_bytes(content[7:10], "little")


def _size(kind: bytes, content: bytes) -> tuple[int, int]:
    """14 bits each: of a lossless picture less one; of a lossy one with two bits above, which only scale."""
    if kind == _LOSSLESS and content[:1] == b"\x2f":
        (bits,) = struct.unpack_from("<I", content, 1)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == _LOSSY and content[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", content, 6)
        return width & 0x3FFF, height & 0x3FFF
    raise NotAPicture


def _still(width: int, height: int, kind: bytes, found: dict[bytes, bytes]) -> bytes:
    chunks = []
    if b"ALPH" in found:
        size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        chunks += [(b"VP8X", bytes([_ALPHA_FLAG, 0, 0, 0]) + size), (b"ALPH", found[b"ALPH"])]
    chunks.append((kind, found[kind]))
    body = b"WEBP" + b"".join(
        name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2) for name, content in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body
