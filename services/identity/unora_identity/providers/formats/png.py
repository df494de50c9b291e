"""The structure of a PNG: its chunks. A decoder gets the five kinds that make the picture, and no compressed text."""

import struct
import zlib
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

START: Final = b"\x89PNG\r\n\x1a\n"
_PICTURE: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_DEPTHS: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_GREY, _PALETTE = 0, 3
_MOST_PROFILE: Final = 2**22


def judge(data: bytes, policy: VisionPolicy) -> Header:
    """See `judge.judge`."""
    kept: list[bytes] = [START]
    first = True
    width = height = depth = colour = 0
    orientation, profile = 1, None
    for kind, begin, end in _chunks(data, policy.most_chunks):
        if first != (kind == b"IHDR"):
            raise NotAPicture
        first = False
        if kind in _PICTURE:
            kept.append(data[begin - 8 : end + 4])
        if kind == b"IHDR":
            width, height, depth, colour, *_ = struct.unpack(">IIBBBBB", data[begin:end])
            if depth not in _DEPTHS.get(colour, ()):
                raise NotAPicture
            require_pixels(width, height, policy.most_pixels_png)
        elif kind == b"acTL" and struct.unpack_from(">I", data, begin)[0] > 1:
            raise PhotoTooLarge(most_frames=1)
        elif kind == b"iCCP":
            profile = _profile(data[begin:end])
        elif kind == b"eXIf":
            orientation = exif_orientation(data[begin : min(end, begin + 2**16)])
    # As Pillow keeps it: one byte a pixel for a palette and for grey, which has two with 16 bits; four for all others.
    pixel = (2 if depth == 16 else 1) if colour in (_GREY, _PALETTE) else 4
    return Header(
        format=Format.PNG,
        width=width,
        height=height,
        memory=require_memory(width * height * pixel + len(data), policy),
        orientation=orientation,
        profile=profile,
        data=b"".join(kept),
    )


def _chunks(data: bytes, most: int) -> Iterator[tuple[bytes, int, int]]:
    """The kind of each chunk, and where its content begins and ends, up to the last, IEND."""
    at = len(START)
    for _ in range(most):
        length, kind = struct.unpack_from(">I4s", data, at)
        begin, end = at + 8, at + 8 + length
        if end + 4 > len(data):
            raise NotAPicture
        yield kind, begin, end
        if kind == b"IEND":
            return
        at = end + 4
    raise PhotoTooLarge(most_chunks=most)


def _profile(content: bytes) -> bytes | None:
    """The compressed profile after its name; one that is too long is ignored, as are broken ones."""
    _, _, packed = content.partition(b"\0")
    expander = zlib.decompressobj()
    try:
        profile = expander.decompress(packed[1:], _MOST_PROFILE)
    except zlib.error:
        return None
    return profile if profile and not expander.unconsumed_tail else None
