"""The structure of a JPEG: its segments, its scans, and the memory that its coefficients take."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
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

START: Final = b"\xff\xd8\xff"
# Baseline, extended and progressive frames with Huffman codes. Nothing that phones or browsers make has another.
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})
_OTHER_FRAMES: Final = frozenset(range(0xC3, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_PROGRESSIVE, _START, _END, _SCAN = 0xC2, 0xD8, 0xD9, 0xDA
_JFIF, _EXIF, _PROFILE, _ADOBE, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
_APPLICATION: Final = frozenset({*range(0xE0, 0xF0), _COMMENT})
_EXIF_HEAD, _PROFILE_HEAD = b"Exif\0\0", b"ICC_PROFILE\0"
_MOST_PROFILE: Final = 2**22

_FILL: Final = re.compile(rb"\xff*")
# In a scan: not a stuffed zero, a restart, or a fill byte.
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


@dataclass(frozen=True, slots=True)
class Segment:
    """A marker, and where its segment begins (the marker included) and its content is, in bytes from the start."""

    marker: int
    begin: int
    content: int
    end: int


def segments(data: bytes, most: int) -> Iterator[Segment]:
    """All segments up to the end of the picture, those between scans too. Raises NotAPicture, or PhotoTooLarge when
    there are more than `most`.
    """
    at, scans = 2, 0
    for _ in range(most):
        begin = at
        if scans:
            found = _MARKER.search(data, at)
            if found is None:
                raise NotAPicture
            begin, at = found.start(), found.end()
        else:
            filled = _FILL.match(data, at)
            assert filled is not None
            if filled.end() == at:
                raise NotAPicture
            begin, at = filled.end() - 1, filled.end() + 1
        marker = data[at - 1]
        if marker == _START:
            raise NotAPicture
        if marker in _BARE or marker == _END:
            yield Segment(marker, begin, at, at)
            if marker == _END:
                return
            continue
        (length,) = struct.unpack_from(">H", data, at)
        if length < 2 or at + length > len(data):
            raise NotAPicture
        yield Segment(marker, begin, at + 2, at + length)
        at += length
        scans += marker == _SCAN
    raise PhotoTooLarge(most_segments=most)


def judge(data: bytes, policy: VisionPolicy) -> Header:
    """See `judge.judge`."""
    frame: _Frame | None = None
    first_scan, scans, components_in_scan, end = 0, 0, 0, 0
    kept, exif, profile = [b"\xff\xd8"], b"", {}
    for segment in segments(data, policy.most_segments):
        marker, content = segment.marker, data[segment.content : segment.end]
        if marker in _OTHER_FRAMES or (marker in _FRAMES and frame is not None):
            raise NotAPicture
        if marker in _FRAMES:
            frame = _frame(marker, content)
            require_pixels(frame.width, frame.height, policy.most_pixels)
        elif marker == _SCAN:
            scans += 1
            if scans > policy.most_scans:
                raise PhotoTooLarge(most_scans=policy.most_scans)
            first_scan = first_scan or segment.begin
            components_in_scan = components_in_scan or content[0]
        elif marker == _EXIF and content.startswith(_EXIF_HEAD):
            exif = exif or content[len(_EXIF_HEAD) :]
        elif marker == _PROFILE and content.startswith(_PROFILE_HEAD):
            profile[content[len(_PROFILE_HEAD)]] = content[len(_PROFILE_HEAD) + 2 :]
        if not first_scan and (marker in (_JFIF, _ADOBE) or marker not in _APPLICATION):
            kept.append(data[segment.begin : segment.end])
        end = segment.end
    if frame is None or not first_scan:
        raise NotAPicture
    many_passes = frame.progressive or scans > 1 or components_in_scan < frame.components
    return Header(
        format=Format.JPEG,
        width=frame.width,
        height=frame.height,
        memory=require_memory(_memory(frame, many_passes=many_passes, policy=policy) + len(data), policy),
        orientation=exif_orientation(exif),
        profile=_joined(profile),
        data=b"".join((*kept, data[first_scan:end])),
    )


def reduction(width: int, height: int, side: int) -> int:
    """A JPEG can be decoded at a half, a quarter or an eighth of its size, which saves most of the time and memory:
    the divisor that leaves `side` pixels or more in the longer side.
    """
    spare = max(width, height) // side
    return next(divisor for divisor in (8, 4, 2, 1) if spare >= divisor or divisor == 1)


@dataclass(frozen=True, slots=True)
class _Frame:
    progressive: bool
    width: int
    height: int
    components: int
    samples: float
    """Per pixel: 3 without subsampling, 1.5 as phones do."""


def _frame(marker: int, content: bytes) -> _Frame:
    precision, height, width, components = struct.unpack_from(">BHHB", content)
    if precision != 8 or components not in (1, 3, 4) or len(content) != 6 + 3 * components:
        raise NotAPicture
    factors = [(content[at] >> 4, content[at] & 15) for at in range(7, len(content), 3)]
    if not all(1 <= factor <= 4 for pair in factors for factor in pair):
        raise NotAPicture
    most = max(across for across, _ in factors) * max(down for _, down in factors)
    samples = sum(across * down for across, down in factors) / most
    return _Frame(marker == _PROGRESSIVE, width, height, components, samples)


def _memory(frame: _Frame, *, many_passes: bool, policy: VisionPolicy) -> int:
    """Of the decoder, Pillow's picture and NumPy's copy of it. If the parts of a block come in several scans, the
    decoder holds the coefficients of the whole picture, two bytes each.
    """
    # Blocks at the edges are whole: the padding counts.
    padded = (frame.width + 31) * (frame.height + 31)
    coefficients = padded * frame.samples * 2 if many_passes else 0
    divisor = reduction(frame.width, frame.height, policy.full_side)
    pixels = padded // divisor**2
    return int(coefficients) + 8 * pixels


def _joined(parts: dict[int, bytes]) -> bytes | None:
    """The profile, whose parts are numbered from 1. Incomplete, it does not parse and is ignored."""
    whole = b"".join(parts[number] for number in sorted(parts))
    return whole if 0 < len(whole) <= _MOST_PROFILE else None
