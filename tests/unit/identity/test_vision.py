"""PR-02, PR-03, PR-07: what is found in pictures, and the copy that is stored."""

import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from cv2.typing import MatLike
from PIL import JpegImagePlugin
from unora_identity.domain.photos import PhotoSize
from unora_identity.providers.child import faces
from unora_identity.providers.child.inspector import PictureInspector
from unora_identity.providers.formats.header import Format, Header
from unora_identity.providers.formats.jpeg import Segment, segments
from unora_identity.providers.formats.judge import judge
from unora_identity.providers.pictures import PhotoTooLarge, PhotoTooSmall, PhotoUnreadable, Picture, VisionPolicy
from unora_local.photos import exif
from unora_local.photos.portraits import landscape, portrait

APP1 = 0xE1


@pytest.fixture(scope="module")
def vision() -> PictureInspector:
    return PictureInspector(VisionPolicy())


def full(picture: Picture) -> bytes:
    return picture.sizes[PhotoSize.FULL]


def read_header(data: bytes) -> Header:
    return judge(data, VisionPolicy(), new=False)


def jpeg_segments(data: bytes) -> list[Segment]:
    return list(segments(data, 1000))


def pixels(data: bytes) -> MatLike:
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded


def encoded(picture: MatLike, suffix: str = ".png") -> bytes:
    return cv2.imencode(suffix, picture)[1].tobytes()


@pytest.mark.rule("PR-02", "PR-03")
def test_a_face_is_found_in_every_portrait(vision: PictureInspector) -> None:
    shots = [(person, shot) for person in range(12) for shot in range(3)]
    pictures = [vision.inspect_file(portrait(*which)) for which in shots]
    assert [which for which, picture in zip(shots, pictures, strict=True) if not picture.has_face] == []
    assert [which for which, picture in zip(shots, pictures, strict=True) if not picture.quality_passed] == []
    assert len({full(picture) for picture in pictures}) == len(shots)


@pytest.mark.rule("PR-02")
@pytest.mark.parametrize("shot", range(3))
def test_a_large_face_is_the_one_that_all_windows_find(
    vision: PictureInspector, shot: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [portrait(person, shot) for person in range(3)]
    found = [vision.inspect_file(picture) for picture in pictures]
    monkeypatch.setattr(faces, "SEARCHES", (faces.SMALLEST_FACE,))
    assert found == [vision.inspect_file(picture) for picture in pictures]


@pytest.mark.rule("PR-02")
def test_no_face_is_found_where_there_is_none(vision: PictureInspector) -> None:
    random = np.random.default_rng(7)
    noise = [cv2.resize(random.integers(0, 255, (60, 80), np.uint8), (640, 480)) for _ in range(4)]
    discs = np.full((480, 640, 3), 60, np.uint8)
    for number in range(24):
        at = (60 + number % 6 * 100, 60 + number // 6 * 110)
        cv2.circle(discs, at, 40, (170, 180, 190), -1)
        cv2.circle(discs, at, 25, (90, 100, 110), 6)
    pictures = [landscape(person) for person in range(4)] + [encoded(picture) for picture in (*noise, discs)]
    assert not any(vision.inspect_file(picture).has_face for picture in pictures)


@pytest.mark.rule("PR-07")
@pytest.mark.parametrize("shot", [0, 2])
def test_metadata_is_dropped(vision: PictureInspector, shot: int) -> None:
    uploaded = portrait(1, shot)
    position = b"".join(struct.pack("<II", part, 1) for part in exif.LATITUDE)
    assert exif.MAKE in uploaded
    assert position in uploaded
    kept = full(vision.inspect_file(uploaded))
    assert exif.MAKE not in kept
    assert position not in kept
    assert b"Exif" not in kept
    markers = {segment.marker for segment in jpeg_segments(kept)}
    application = {marker for marker in markers if 0xE0 <= marker <= 0xEF or marker == 0xFE}
    assert application <= {0xE0}


@pytest.mark.rule("PR-07")
def test_a_rotated_picture_is_set_upright(vision: PictureInspector) -> None:
    uploaded = portrait(0, 2)
    assert (read_header(uploaded).width, read_header(uploaded).height) == (750, 600)
    picture = vision.inspect_file(uploaded)
    assert (picture.width, picture.height) == (600, 750)
    assert picture.has_face


@pytest.mark.rule("PR-07")
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_every_format_is_recognised_by_its_bytes_and_stored_as_jpeg(vision: PictureInspector, suffix: str) -> None:
    uploaded = encoded(pixels(portrait(0, 0)), suffix)
    header = read_header(uploaded)
    expected = {".jpg": Format.JPEG, ".png": Format.PNG, ".webp": Format.WEBP}[suffix]
    assert (header.format, header.width, header.height) == (expected, 600, 750)
    picture = vision.inspect_file(uploaded)
    assert picture.has_face
    assert read_header(full(picture)).format is Format.JPEG


@pytest.mark.rule("PR-07")
def test_large_pictures_are_scaled_down(vision: PictureInspector) -> None:
    large = cv2.resize(pixels(portrait(0, 0)), (3600, 4500), interpolation=cv2.INTER_CUBIC)
    for suffix in (".jpg", ".png"):
        picture = vision.inspect_file(encoded(large, suffix))
        assert (picture.width, picture.height) == (1280, 1600)
        assert picture.has_face
    sliver = vision.inspect_file(encoded(np.full((1, 9000, 3), 128, np.uint8)), new=False)
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
    frame = next(segment.content for segment in jpeg_segments(real) if segment.marker == 0xC0)
    return real[: frame + 1] + struct.pack(">HH", height, width) + real[frame + 5 :]


def webp_claiming(width: int, height: int) -> bytes:
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas


@pytest.mark.rule("PR-07")
@pytest.mark.parametrize(
    ("bomb", "most"), [(png_claiming, 25_000_000), (jpeg_claiming, 50_000_000), (webp_claiming, 25_000_000)]
)
def test_a_bomb_is_refused_before_it_is_decoded(
    bomb: Callable[[int, int], bytes], most: int, vision: PictureInspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bomb(60_000, 60_000)
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("was decoded"))
    monkeypatch.setattr(JpegImagePlugin, "JpegImageFile", lambda *_: pytest.fail("was decoded"))
    with pytest.raises(PhotoTooLarge) as refused:
        vision.inspect_file(data)
    assert refused.value.metadata == {"most_pixels": str(most)}


@pytest.mark.rule("PR-07")
def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(PhotoTooLarge) as refused:
        judge(portrait(0, 0), VisionPolicy(most_bytes=1000))
    assert refused.value.metadata == {"most_bytes": "1000"}


@pytest.mark.rule("PR-08")
@pytest.mark.parametrize(("width", "height"), [(1, 1), (199, 900), (900, 199)])
def test_a_picture_with_too_few_pixels_is_refused(vision: PictureInspector, width: int, height: int) -> None:
    small = encoded(np.full((height, width, 3), 90, np.uint8))
    with pytest.raises(PhotoTooSmall) as refused:
        vision.inspect_file(small)
    assert refused.value.metadata == {"least_side": "200"}
    # One that was taken before the rule keeps its place.
    assert vision.inspect_file(small, new=False).width == width


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
def test_a_file_that_is_no_picture_is_refused(vision: PictureInspector, data: bytes) -> None:
    with pytest.raises(PhotoUnreadable):
        vision.inspect_file(data)


@pytest.mark.rule("PR-07")
def test_a_file_that_is_cut_in_its_header_is_refused_wherever_it_is_cut() -> None:
    picture = pixels(portrait(0, 0))
    for whole in (portrait(0, 0), encoded(picture), encoded(picture, ".webp")):
        for end in range(700):
            with pytest.raises(PhotoUnreadable):
                read_header(whole[:end])


@pytest.mark.rule("PR-03")
@pytest.mark.parametrize("flaw", ["blurred", "dark", "bright", "small", "no face"])
def test_a_flaw_fails_the_quality_check_and_is_no_error(vision: PictureInspector, flaw: str) -> None:
    good = pixels(portrait(0, 0))
    flawed = {
        "blurred": lambda: cv2.GaussianBlur(good, (0, 0), 5),
        "dark": lambda: cv2.convertScaleAbs(good, alpha=0.2),
        "bright": lambda: cv2.convertScaleAbs(good, alpha=0.35, beta=170),
        "small": lambda: cv2.resize(good, (240, 300), interpolation=cv2.INTER_AREA),
        "no face": lambda: pixels(landscape()),
    }[flaw]()
    assert vision.inspect_file(encoded(good)).quality_passed
    assert not vision.inspect_file(encoded(flawed)).quality_passed


def test_portraits_are_the_same_each_time() -> None:
    assert portrait(3, 1) == portrait(3, 1)
    assert portrait(3, 1) != portrait(4, 1)
    assert landscape(1) == landscape(1)
