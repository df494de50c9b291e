"""Pictures made to take a service down, and the costliest that it accepts. All are made here, the same each time."""

import io
import struct
import zlib
from functools import cache
from typing import Final

import cv2
import numpy as np
from PIL import Image
from unora_local.photos.portraits import portrait

from unora_testing.photos import grids

_SCAN, _END = 0xDA, 0xD9


def jpeg_of_many_scans(width: int = 6000, height: int = 6000, repeats: int = 400, *, samples: str = "4:2:0") -> bytes:
    """A progressive JPEG whose last scan is repeated. It refines all that came before: of a few hundred bytes, each
    costs a pass over every coefficient.
    """
    whole = flat_jpeg(width, height, samples=samples)
    markers = _markers(whole)
    last = _with_tables(whole, [at for at, marker in markers if marker == _SCAN][-1])
    end = markers[-1][0]
    return whole[:end] + whole[last:end] * repeats + whole[end:]


def flat_jpeg(width: int, height: int, *, samples: str = "4:2:0", mode: str = "RGB") -> bytes:
    """A progressive JPEG of one colour: a few hundred kilobytes, whatever its size in pixels."""
    out = io.BytesIO()
    subsampling = 0 if samples == "4:4:4" else 2
    Image.new(mode, (width, height), (90, 120, 60, 20)[: len(mode)]).save(
        out, "JPEG", progressive=True, subsampling=subsampling, quality=60
    )
    return out.getvalue()


def jpeg_of_empty_segments(count: int = 2_600_000) -> bytes:
    """A JPEG with comments without text before its picture: an interpreter that walks over them is held for seconds."""
    whole = portrait(0, 0)
    return whole[:2] + b"\xff\xfe\0\2" * count + whole[2:]


def jpeg_of_fill_bytes(count: int = 10_000_000) -> bytes:
    """A JPEG with fill bytes before a marker, of which any number may stand there."""
    whole = portrait(0, 0)
    return whole[:2] + b"\xff" * count + whole[2:]


def jpeg_of_huge_metadata(megabytes: int = 9) -> bytes:
    """A JPEG with EXIF segments as long as they can be. It is accepted: cameras write previews there."""
    whole = portrait(0, 0)
    segment = (
        b"\xff\xe1" + struct.pack(">H", 65535) + (b"Exif\0\0II*\0" + struct.pack("<IH", 8, 65535)).ljust(65533, b"\7")
    )
    return whole[:2] + segment * (megabytes * 16) + whole[2:]


def animated_png(side: int = 7070, frames: int = 2) -> bytes:
    """An APNG of some frames, each as large as the canvas."""
    control = struct.pack(">IIIIIHHBB", 0, side, side, 0, 0, 1, 10, 0, 0)
    picture = zlib.compress(bytes(side * 4 + 1) * side, 9)
    later = b"".join(
        png_chunk(b"fcTL", struct.pack(">I", number * 2 - 1) + control[4:])
        + png_chunk(b"fdAT", struct.pack(">I", number * 2) + picture)
        for number in range(1, frames)
    )
    return (
        png_head(side, side)
        + png_chunk(b"acTL", struct.pack(">II", frames, 0))
        + png_chunk(b"fcTL", control)
        + png_chunk(b"IDAT", picture)
        + later
        + png_chunk(b"IEND", b"")
    )


def png_of_compressed_text(megabytes: int = 300) -> bytes:
    """A PNG whose texts and profile grow to a thousand times their bytes. It is accepted, and they are not read."""
    grown = zlib.compressobj(9)
    bomb = b"".join(grown.compress(bytes(2**20)) for _ in range(megabytes)) + grown.flush()
    small = np.full((300, 300, 3), 90, np.uint8)
    whole: bytes = cv2.imencode(".png", small)[1].tobytes()
    chunks = (
        png_chunk(b"iCCP", b"bomb\0\0" + bomb)
        + png_chunk(b"zTXt", b"bomb\0\0" + bomb)
        + png_chunk(b"iTXt", b"bomb\0\1\0\0\0" + bomb)
    )
    return whole[:33] + chunks + whole[33:]


def png_of_many_chunks(count: int = 800_000) -> bytes:
    """A PNG with empty chunks before its picture."""
    whole: bytes = cv2.imencode(".png", np.full((300, 300, 3), 90, np.uint8))[1].tobytes()
    return whole[:33] + png_chunk(b"tEXt", b"") * count + whole[33:]


def flat_png(width: int, height: int, *, depth: int = 8, interlaced: bool = False) -> bytes:
    """A PNG with transparency, half clear: some kilobytes, whatever its size in pixels."""
    sample = depth // 8
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    packer = zlib.compressobj(1)
    packed = b""
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        line = b"\0" + (b"\x30\x80\x50\x7f" if sample == 1 else b"\x30\1\x80\1\x50\1\x7f\1") * columns
        packed += b"".join(packer.compress(line) for _ in range(rows))
    packed += packer.flush()
    return png_head(width, height, depth, interlaced) + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")


_ADAM7: Final = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def png_head(width: int, height: int, depth: int = 8, interlaced: bool = False) -> bytes:
    """The first bytes of a PNG with colours and transparency."""
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 6, 0, 0, interlaced))


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk, with its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def webp(width: int, height: int, *, lossless: bool = True) -> bytes:
    """A WebP with transparency, half clear."""
    out = io.BytesIO()
    Image.new("RGBA", (width, height), (90, 120, 60, 128)).save(out, "WEBP", lossless=lossless, method=0, quality=10)
    return out.getvalue()


def animated_webp(side: int = 3000) -> bytes:
    """A WebP of two frames."""
    out = io.BytesIO()
    frames = [Image.new("RGB", (side, side), colour) for colour in ((90, 120, 60), (20, 10, 200))]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], method=0)
    return out.getvalue()


def heic_of_many_tiles(tiles: int = 1900) -> bytes:
    """A HEIC of more tiles than any phone writes."""
    return grids.grid(64 * 10, 64 * (tiles // 10), grids.tile("tile_white"), claimed_side=64)


def heic_of_shared_tiles() -> bytes:
    """A HEIC whose tiles are the same bytes of the file, decoded again and again."""
    return grids.grid(8192, 6048, grids.tile("tile_noise"), shared=True)


def heic_of_lying_tiles() -> bytes:
    """A HEIC whose tiles are 64 times as large as their boxes say."""
    return grids.grid(1600, 1200, claimed_side=64)


@cache
def refused() -> dict[str, bytes]:
    """Files that must be refused in well under a second, by what is wrong with them."""
    return {
        "a JPEG of 400 repeated scans": jpeg_of_many_scans(),
        "a JPEG of 2.6 million segments": jpeg_of_empty_segments(),
        "a JPEG of too many pixels": flat_jpeg(9000, 9000),
        "a JPEG that needs too much memory": flat_jpeg(7000, 7000, mode="CMYK", samples="4:4:4"),
        "an APNG of two frames": animated_png(4000),
        "an APNG of two frames of 50 megapixels": animated_png(),
        "a PNG of too many pixels": flat_png(8000, 8000),
        "a PNG of 800,000 chunks": png_of_many_chunks(),
        "a WebP of two frames": animated_webp(),
        "a HEIC of 1,900 tiles": heic_of_many_tiles(),
        "a HEIC of shared tiles": heic_of_shared_tiles(),
        "a HEIC of lying tiles": heic_of_lying_tiles(),
        "a HEIC of grids of grids": grids.nested(2048, 2048),
        "a HEIC of an overlay": grids.grid(2048, 2048, kind=b"iovl"),
        "a HEIC that is a film": grids.sequence(),
    }


@cache
def worst_accepted() -> dict[str, bytes]:
    """The costliest file of each format that is still taken, as far as we know."""
    return {
        "JPEG": jpeg_of_many_scans(7000, 7000, 22, samples="4:4:4"),
        "PNG": flat_png(5000, 5000, depth=16, interlaced=True),
        "WebP": webp(5000, 5000),
        "HEIC": grids.grid(8192, 6048, grids.tile("tile_noise")),
    }


def _markers(data: bytes) -> list[tuple[int, int]]:
    """Where each marker of a JPEG of ours is, those of scans too."""
    found, at = [], 2
    while True:
        while data[at] != 0xFF or data[at + 1] in (0, *range(0xD0, 0xD8)):
            at = data.index(b"\xff", at + 1)
        found.append((at, data[at + 1]))
        if data[at + 1] == _END:
            return found
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")


def _with_tables(data: bytes, scan: int) -> int:
    """Where the tables before a scan begin."""
    markers = [(at, marker) for at, marker in _markers(data) if at < scan]
    begin = scan
    for at, marker in reversed(markers):
        if marker == _SCAN:
            break
        begin = at
    return begin
