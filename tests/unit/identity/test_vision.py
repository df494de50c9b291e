"""PR-02, PR-03, PR-07: what is found in pictures, and the copy that is stored."""

import asyncio
import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from cv2.typing import MatLike
from unora_identity.providers.formats import Format, NotAPicture, jpeg_segments, read_header
from unora_identity.providers.pictures import PhotoTooLarge, PhotoUnreadable, VisionPolicy
from unora_identity.providers.vision import Vision
from unora_testing.photos import exif
from unora_testing.photos.portraits import landscape, portrait

APP1 = 0xE1


@pytest.fixture(scope="module")
def vision() -> Iterator[Vision]:
    vision = Vision()
    yield vision
    vision.close()


def pixels(data: bytes) -> MatLike:
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded


def encoded(picture: MatLike, suffix: str = ".png") -> bytes:
    return cv2.imencode(suffix, picture)[1].tobytes()


@pytest.mark.rule("PR-02", "PR-03")
async def test_a_face_is_found_in_every_portrait(vision: Vision) -> None:
    shots = [(person, shot) for person in range(12) for shot in range(3)]
    pictures = await asyncio.gather(*(vision.inspect(portrait(*which)) for which in shots))
    assert [which for which, picture in zip(shots, pictures, strict=True) if not picture.has_face] == []
    assert [which for which, picture in zip(shots, pictures, strict=True) if not picture.quality_passed] == []
    assert len({picture.jpeg for picture in pictures}) == len(shots)


@pytest.mark.rule("PR-02")
def test_no_face_is_found_where_there_is_none(vision: Vision) -> None:
    random = np.random.default_rng(7)
    noise = [cv2.resize(random.integers(0, 255, (60, 80), np.uint8), (640, 480)) for _ in range(4)]
    discs = np.full((480, 640, 3), 60, np.uint8)
    for number in range(24):
        at = (60 + number % 6 * 100, 60 + number // 6 * 110)
        cv2.circle(discs, at, 40, (170, 180, 190), -1)
        cv2.circle(discs, at, 25, (90, 100, 110), 6)
    pictures = [landscape(person) for person in range(4)] + [encoded(picture) for picture in (*noise, discs)]
    assert not any(vision.inspect_now(picture).has_face for picture in pictures)


@pytest.mark.rule("PR-07")
@pytest.mark.parametrize("shot", [0, 2])
def test_metadata_is_dropped(vision: Vision, shot: int) -> None:
    uploaded = portrait(1, shot)
    position = b"".join(struct.pack("<II", part, 1) for part in exif.LATITUDE)
    assert exif.MAKE in uploaded
    assert position in uploaded
    kept = vision.inspect_now(uploaded).jpeg
    assert exif.MAKE not in kept
    assert position not in kept
    assert b"Exif" not in kept
    application = {marker for marker, _ in jpeg_segments(kept) if 0xE0 <= marker <= 0xEF or marker == 0xFE}
    assert application <= {0xE0}


@pytest.mark.rule("PR-07")
def test_a_rotated_picture_is_set_upright(vision: Vision) -> None:
    uploaded = portrait(0, 2)
    assert (read_header(uploaded).width, read_header(uploaded).height) == (750, 600)
    picture = vision.inspect_now(uploaded)
    assert (picture.width, picture.height) == (600, 750)
    assert picture.has_face


@pytest.mark.rule("PR-07")
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_every_format_is_recognised_by_its_bytes_and_stored_as_jpeg(vision: Vision, suffix: str) -> None:
    uploaded = encoded(pixels(portrait(0, 0)), suffix)
    header = read_header(uploaded)
    expected = {".jpg": Format.JPEG, ".png": Format.PNG, ".webp": Format.WEBP}[suffix]
    assert (header.format, header.width, header.height) == (expected, 600, 750)
    picture = vision.inspect_now(uploaded)
    assert picture.has_face
    assert read_header(picture.jpeg).format is Format.JPEG


@pytest.mark.rule("PR-07")
def test_large_pictures_are_scaled_down(vision: Vision) -> None:
    large = cv2.resize(pixels(portrait(0, 0)), (3600, 4500), interpolation=cv2.INTER_CUBIC)
    for suffix in (".jpg", ".png"):
        picture = vision.inspect_now(encoded(large, suffix))
        assert (picture.width, picture.height) == (1280, 1600)
        assert picture.has_face
    sliver = vision.inspect_now(encoded(np.full((1, 9000, 3), 128, np.uint8)))
    assert (sliver.width, sliver.height) == (1600, 1)
    assert not sliver.quality_passed


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


def jpeg_claiming(width: int, height: int) -> bytes:
    real = portrait(0, 0)
    frame = next(start for marker, start in jpeg_segments(real) if marker == 0xC0)
    return real[: frame + 3] + struct.pack(">HH", height, width) + real[frame + 7 :]


def webp_claiming(width: int, height: int) -> bytes:
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas


@pytest.mark.rule("PR-07")
@pytest.mark.parametrize("bomb", [png_claiming, jpeg_claiming, webp_claiming])
def test_a_bomb_is_refused_before_it_is_decoded(bomb: object, vision: Vision, monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(bomb)
    data = bomb(60_000, 60_000)
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("was decoded"))
    with pytest.raises(PhotoTooLarge) as refused:
        vision.inspect_now(data)
    assert refused.value.metadata == {"most_pixels": "50000000"}


@pytest.mark.rule("PR-07")
def test_too_many_bytes_are_refused() -> None:
    small = Vision(VisionPolicy(most_bytes=1000))
    with pytest.raises(PhotoTooLarge):
        small.inspect_now(portrait(0, 0))
    small.close()


@pytest.mark.rule("PR-07")
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0\xff\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\0\0\0WEBPVP8 ",
        png_claiming(0, 5),
        png_claiming(500, 500)[:60],
        webp_claiming(500, 500),
    ],
)
def test_a_file_that_is_no_picture_is_refused(vision: Vision, data: bytes) -> None:
    with pytest.raises(PhotoUnreadable):
        vision.inspect_now(data)


@pytest.mark.rule("PR-07")
def test_a_header_can_be_read_or_refused_wherever_it_is_cut() -> None:
    picture = pixels(portrait(0, 0))
    for whole in (portrait(0, 0), encoded(picture), encoded(picture, ".webp")):
        for end in range(700):
            try:
                header = read_header(whole[:end])
            except NotAPicture:
                continue
            assert (header.width, header.height) == (600, 750)


@pytest.mark.rule("PR-03")
@pytest.mark.parametrize("flaw", ["blurred", "dark", "bright", "small", "no face"])
def test_a_flaw_fails_the_quality_check_and_is_no_error(vision: Vision, flaw: str) -> None:
    good = pixels(portrait(0, 0))
    flawed = {
        "blurred": lambda: cv2.GaussianBlur(good, (0, 0), 5),
        "dark": lambda: cv2.convertScaleAbs(good, alpha=0.2),
        "bright": lambda: cv2.convertScaleAbs(good, alpha=0.35, beta=170),
        "small": lambda: cv2.resize(good, (240, 300), interpolation=cv2.INTER_AREA),
        "no face": lambda: pixels(landscape()),
    }[flaw]()
    assert vision.inspect_now(encoded(good)).quality_passed
    assert not vision.inspect_now(encoded(flawed)).quality_passed


def test_portraits_are_the_same_each_time() -> None:
    assert portrait(3, 1) == portrait(3, 1)
    assert portrait(3, 1) != portrait(4, 1)
    assert landscape(1) == landscape(1)
