"""PR-07, PR-08: what the bytes of a file say about its picture, and whether it is safe to decode.

A file of a few kilobytes can decode to gigabytes, or take minutes; so its pixels, parts and frames are judged first, by
its structure. Only still formats that phones and browsers produce are known; all others are refused. A decoder gets the
parts that it needs: what a file has besides (metadata, profiles, previews) is cut out, so it cannot cost anything.
"""

import struct
from dataclasses import dataclass, field
from enum import StrEnum

from unora_identity.providers.pictures import PhotoTooLarge, VisionPolicy


class Format(StrEnum):
    """The known formats, by their media types."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    HEIC = "image/heic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A file that is safe to decode."""

    format: Format
    width: int
    """In pixels, as stored (before the orientation of the camera is applied); so is the height."""
    height: int
    memory: int
    """How many bytes its pixels take at the peak of decoding."""
    orientation: int = 1
    """How the decoded picture is set upright, as in EXIF: 1 to 8."""
    profile: bytes | None = field(default=None, repr=False)
    """Its embedded colour profile (ICC)."""
    data: bytes = field(repr=False)
    """The file without the parts that a decoder does not need."""


def require_pixels(width: int, height: int, most: int) -> None:
    """Raises NotAPicture or PhotoTooLarge."""
    if width < 1 or height < 1:
        raise NotAPicture
    if width * height > most:
        raise PhotoTooLarge(most_pixels=most)


def require_memory(needed: int, policy: VisionPolicy) -> int:
    """The bytes that decoding needs, if they can be had. Raises PhotoTooLarge."""
    most = policy.memory_at_once - policy.spare_memory
    if needed > most:
        raise PhotoTooLarge(most_memory=most)
    return needed


class NotAPicture(ValueError):
    """The bytes are no picture of a known format, or their structure is broken."""


_EXIF_ORIENTATION, _SHORT = 0x0112, 3
_MOST_TAGS = 512


def exif_orientation(tiff: bytes) -> int:
    """The orientation in EXIF data (a TIFF directory): 1 to 8; 1 if it is absent or broken."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, at)
        for entry in range(at + 2, at + 2 + 12 * min(count, _MOST_TAGS), 12):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
            if (tag, kind) == (_EXIF_ORIENTATION, _SHORT):
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1
