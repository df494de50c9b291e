"""PR-08, PR-09: transparency, colour profiles and orientation, in every format."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from unora_identity.domain.photos import PhotoSize
from unora_identity.providers.child.inspector import PictureInspector
from unora_identity.providers.formats.jpeg import segments
from unora_identity.providers.pictures import Picture, VisionPolicy
from unora_local.photos import exif
from unora_local.photos.portraits import portrait
from unora_testing.photos import grids, hostile
from unora_testing.photos.profiles import display_p3

SIDE = 256
GREEN, RED, WHITE = (20, 160, 60), (200, 20, 20), (255, 255, 255)
P3_RED, RED_IN_P3 = (230, 20, 20), (211, 51, 39)
TOLERANCE = 12  # of 255: JPEG and subsampled colours are not exact


@pytest.fixture(scope="module")
def inspector() -> PictureInspector:
    return PictureInspector(VisionPolicy())


def shown(picture: Picture, size: PhotoSize, at: tuple[float, float]) -> tuple[int, ...]:
    """The colour at a place, in parts of the width and the height."""
    with Image.open(io.BytesIO(picture.sizes[size])) as image:
        pixel = image.getpixel((int(at[0] * image.width), int(at[1] * image.height)))
    assert isinstance(pixel, tuple)
    return tuple(int(part) for part in pixel)


def like(colour: tuple[int, ...], expected: tuple[int, ...], tolerance: int = TOLERANCE) -> bool:
    return all(abs(ours - theirs) <= tolerance for ours, theirs in zip(colour, expected, strict=True))


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def with_hidden_square(mode: str = "RGBA") -> Image.Image:
    """Green, with a red square in the middle whose alpha is 0."""
    pixels = np.zeros((SIDE, SIDE, 4), np.uint8)
    pixels[...] = (*GREEN, 255)
    pixels[64:192, 64:192] = (*RED, 0)
    return Image.fromarray(pixels).convert(mode)


def palette_with_key() -> bytes:
    image = Image.new("P", (SIDE, SIDE), 0)
    image.putpalette([*GREEN, *RED])
    image.paste(1, (64, 64, 192, 192))
    return encoded(image, "PNG", transparency=bytes([255, 0]))


def colour_key(depth: int, kind: int, own: tuple[int, ...], hidden: tuple[int, ...]) -> bytes:
    """A PNG of which one colour is transparent: `own` around a square of `hidden`, in samples of `depth` bits."""
    lines = []
    for row in range(SIDE):
        inside = [64 <= column < 192 and 64 <= row < 192 for column in range(SIDE)]
        samples = [sample for covered in inside for sample in (hidden if covered else own)]
        if depth == 16:
            line = struct.pack(f">{len(samples)}H", *samples)
        else:
            bits = "".join(format(sample, f"0{depth}b") for sample in samples)
            line = int(bits, 2).to_bytes(len(bits) // 8, "big")
        lines.append(b"\0" + line)
    head = hostile.png_chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, depth, kind, 0, 0, 0))
    key = hostile.png_chunk(b"tRNS", struct.pack(f">{len(hidden)}H", *hidden))
    picture = hostile.png_chunk(b"IDAT", zlib.compress(b"".join(lines)))
    return b"\x89PNG\r\n\x1a\n" + head + key + picture + hostile.png_chunk(b"IEND", b"")


def deep_png() -> bytes:
    """16 bits a sample, with alpha."""
    own = b"".join(struct.pack(">H", part * 257) for part in (*GREEN, 255))
    hidden = b"".join(struct.pack(">H", part * 257) for part in (*RED, 0))
    plain, mixed = own * SIDE, own * 64 + hidden * 128 + own * 64
    lines = b"".join(b"\0" + (mixed if 64 <= row < 192 else plain) for row in range(SIDE))
    picture = hostile.png_chunk(b"IDAT", zlib.compress(lines))
    return hostile.png_head(SIDE, SIDE, 16) + picture + hostile.png_chunk(b"IEND", b"")


HIDDEN: dict[str, Callable[[], bytes]] = {
    "PNG": lambda: encoded(with_hidden_square(), "PNG"),
    "PNG, grey": lambda: encoded(with_hidden_square("LA"), "PNG"),
    "PNG, palette": palette_with_key,
    "PNG, 16 bits": deep_png,
    "PNG, colour key": lambda: colour_key(8, 2, GREEN, RED),
    "PNG, colour key, 16 bits": lambda: colour_key(16, 2, (5000, 40000, 15000), (50001, 5000, 5003)),
    "PNG, grey key, 16 bits": lambda: colour_key(16, 0, (30000,), (9001,)),
    "PNG, grey key": lambda: colour_key(8, 0, (120,), (9,)),
    "PNG, grey key, 4 bits": lambda: colour_key(4, 0, (8,), (3,)),
    "PNG, grey key, 2 bits": lambda: colour_key(2, 0, (2,), (1,)),
    "PNG, grey key, 1 bit": lambda: colour_key(1, 0, (1,), (0,)),
    "WebP, lossless": lambda: encoded(with_hidden_square(), "WEBP", lossless=True, exact=True),
    "WebP": lambda: encoded(with_hidden_square(), "WEBP", quality=90, exact=True),
    "HEIC": lambda: grids.heic("alpha"),
}


@pytest.mark.rule("PR-08")
@pytest.mark.parametrize("kind", HIDDEN)
def test_a_transparent_region_shows_nothing_of_its_hidden_colour(inspector: PictureInspector, kind: str) -> None:
    picture = inspector.inspect_file(HIDDEN[kind]())
    for size in PhotoSize:
        assert like(shown(picture, size, (0.5, 0.5)), WHITE), size
        # At the border too, where scaling mixes neighbours: nothing is redder than the two colours that are seen.
        edge = shown(picture, size, (0.26, 0.5))
        assert edge[0] - max(edge[1:]) < 40, size
        assert not like(shown(picture, size, (0.1, 0.1)), WHITE) or "1 bit" in kind


@pytest.mark.rule("PR-08")
@pytest.mark.parametrize("alpha", [0, 2])
def test_a_face_that_is_transparent_is_no_face(inspector: PictureInspector, alpha: int) -> None:
    with Image.open(io.BytesIO(portrait(0, 0))) as image:
        face = image.convert("RGBA")
    face.putalpha(alpha)
    picture = inspector.inspect_file(encoded(face, "PNG"))
    assert not picture.has_face
    assert not picture.quality_passed


@pytest.mark.rule("PR-08")
@pytest.mark.parametrize("colour", [(0, 0, 0), (128, 128, 128), (255, 255, 255), (200, 90, 60)])
def test_a_picture_of_one_colour_is_no_face(inspector: PictureInspector, colour: tuple[int, int, int]) -> None:
    picture = inspector.inspect_file(encoded(Image.new("RGB", (500, 500), colour), "PNG"))
    assert not picture.has_face
    assert not picture.quality_passed


WIDE: dict[str, Callable[[bytes], bytes]] = {
    "JPEG": lambda profile: encoded(Image.new("RGB", (300, 300), RED_IN_P3), "JPEG", icc_profile=profile, quality=95),
    "PNG": lambda profile: encoded(Image.new("RGB", (300, 300), RED_IN_P3), "PNG", icc_profile=profile),
    "WebP": lambda profile: encoded(
        Image.new("RGB", (300, 300), RED_IN_P3), "WEBP", icc_profile=profile, lossless=True
    ),
    "HEIC": lambda profile: grids.heic("red_p3"),
}


@pytest.mark.rule("PR-08")
@pytest.mark.parametrize("kind", WIDE)
def test_colours_of_a_wide_profile_become_srgb(inspector: PictureInspector, kind: str) -> None:
    picture = inspector.inspect_file(WIDE[kind](display_p3()))
    for size in PhotoSize:
        assert like(shown(picture, size, (0.5, 0.5)), P3_RED, 8), size
        markers = {segment.marker for segment in segments(picture.sizes[size], 100)}
        assert not markers & {0xE1, 0xE2}  # sRGB needs no profile


@pytest.mark.rule("PR-08")
@pytest.mark.parametrize("profile", [b"no profile", display_p3()[:300], bytes(4000)], ids=["text", "cut", "zeros"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP"])
def test_a_broken_profile_is_ignored(inspector: PictureInspector, kind: str, profile: bytes) -> None:
    picture = inspector.inspect_file(WIDE[kind](profile))
    assert like(shown(picture, PhotoSize.FULL, (0.5, 0.5)), RED_IN_P3, 8)


@pytest.mark.rule("PR-08")
def test_a_profile_for_other_colours_than_the_files_is_ignored(inspector: PictureInspector) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    picture = inspector.inspect_file(WIDE["JPEG"](lab))
    assert like(shown(picture, PhotoSize.FULL, (0.5, 0.5)), RED_IN_P3, 8)


@pytest.mark.rule("PR-08")
@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_print_colours_become_srgb(inspector: PictureInspector, mode: str) -> None:
    image = Image.new("RGB", (300, 300), (200, 200, 200)).convert(mode)
    picture = inspector.inspect_file(encoded(image, "JPEG", icc_profile=display_p3()))
    for size in PhotoSize:
        assert like(shown(picture, size, (0.5, 0.5)), (200, 200, 200))


@pytest.mark.rule("PR-07", "PR-08")
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_every_orientation_is_applied_in_every_format(inspector: PictureInspector, kind: str, orientation: int) -> None:
    upright = Image.new("RGB", (300, 400), GREEN)
    upright.paste(RED, (0, 0, 150, 200))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F] = exif.MAKE.decode()
    data = encoded(stored, kind, exif=tags.tobytes(), **({"lossless": True} if kind == "WEBP" else {}))
    assert exif.MAKE in data
    picture = inspector.inspect_file(data)
    assert (picture.width, picture.height) == (300, 400)
    for size in PhotoSize:
        assert like(shown(picture, size, (0.25, 0.25)), RED)
        assert like(shown(picture, size, (0.75, 0.25)), GREEN)
        assert like(shown(picture, size, (0.25, 0.75)), GREEN)
        assert exif.MAKE not in picture.sizes[size]


@pytest.mark.rule("PR-09")
def test_a_photo_is_kept_in_three_sizes(inspector: PictureInspector) -> None:
    large = Image.new("RGB", (3000, 4000), GREEN)
    picture = inspector.inspect_file(encoded(large, "JPEG"))
    sizes = {}
    for size, data in picture.sizes.items():
        with Image.open(io.BytesIO(data)) as image:
            sizes[size] = (image.format, image.size)
    assert sizes == {
        PhotoSize.THUMBNAIL: ("JPEG", (120, 160)),
        PhotoSize.CARD: ("JPEG", (480, 640)),
        PhotoSize.FULL: ("JPEG", (1200, 1600)),
    }


@pytest.mark.rule("PR-09")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP", "HEIC"])
def test_every_format_keeps_the_shape_of_a_large_picture(inspector: PictureInspector, kind: str) -> None:
    width, height = 3300, 3299
    large = {
        "JPEG": lambda: hostile.flat_jpeg(width, height),
        "PNG": lambda: hostile.flat_png(width, height),
        "WebP": lambda: hostile.webp(width, height),
        "HEIC": lambda: grids.grid(width, height),
    }[kind]()
    picture = inspector.inspect_file(large)
    assert (picture.width, picture.height) == (1600, 1600)


@pytest.mark.rule("PR-09", "PR-07")
def test_a_portrait_in_heic_is_a_photo_like_any_other(inspector: PictureInspector) -> None:
    uploaded = grids.heic("portrait")
    assert exif.MAKE in uploaded
    picture = inspector.inspect_file(uploaded)
    assert (picture.width, picture.height) == (600, 750)
    assert picture.has_face
    assert picture.quality_passed
    assert all(exif.MAKE not in data for data in picture.sizes.values())
