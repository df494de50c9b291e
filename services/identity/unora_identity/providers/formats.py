"""PR-07: the format and the size of a picture, read from its first bytes before a decoder sees it.

A file of a few kilobytes can decode to gigabytes, so its size in pixels is judged first. Only still formats that phones
and browsers produce are known; all others are refused.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Format(StrEnum):
    """The known formats, by their media types."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"


@dataclass(frozen=True, slots=True)
class Header:
    """Format and size in pixels, as stored (before the orientation of the camera is applied)."""

    format: Format
    width: int
    height: int


class NotAPicture(ValueError):
    """The bytes are no JPEG, PNG or WebP, or end before the size."""


_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
# SOF0 to SOF15, except three markers that share the range: DHT, JPG, DAC.
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9


def read_header(data: bytes) -> Header:
    """The format and size that `data` claims. Raises NotAPicture."""
    try:
        if data.startswith(_PNG):
            kind, (width, height) = Format.PNG, _png(data)
        elif data.startswith(_JPEG):
            kind, (width, height) = Format.JPEG, _jpeg(data)
        elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            kind, (width, height) = Format.WEBP, _webp(data)
        else:
            raise NotAPicture
    except (struct.error, IndexError):
        raise NotAPicture from None
    if width < 1 or height < 1:
        raise NotAPicture
    return Header(kind, width, height)


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """The segments of a JPEG before its first scan: the marker, and the offset of its content (with the length)."""
    offset = 2
    while True:
        if data[offset] != 0xFF:
            raise NotAPicture
        while data[offset] == 0xFF:  # any number of fill bytes may stand before a marker
            offset += 1
        marker = data[offset]
        offset += 1
        if marker in (_JPEG_SCAN, _JPEG_END):
            return
        if marker in _JPEG_BARE:
            continue
        yield marker, offset
        (length,) = struct.unpack_from(">H", data, offset)
        offset += max(length, 2)


def _png(data: bytes) -> tuple[int, int]:
    if data[12:16] != b"IHDR":
        raise NotAPicture
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _jpeg(data: bytes) -> tuple[int, int]:
    for marker, start in jpeg_segments(data):
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, start + 3)
            return width, height
    raise NotAPicture


def _webp(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":  # 24-bit canvas size less one
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L" and data[20] == 0x2F:  # 14 bits each, less one
        (bits,) = struct.unpack_from("<I", data, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":  # 14 bits each; the two above only scale
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise NotAPicture
