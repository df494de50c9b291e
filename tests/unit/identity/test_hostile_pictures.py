"""PR-08, XX-07: files made to cost much are judged by their structure; what passes has bounds of time and memory."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import pytest
from unora_identity.providers.child.inspector import PictureInspector
from unora_identity.providers.formats.header import Format, NotAPicture, exif_orientation
from unora_identity.providers.formats.jpeg import segments
from unora_identity.providers.formats.judge import judge
from unora_identity.providers.pictures import PhotoTooLarge, PhotoUnreadable, VisionPolicy
from unora_local.photos.portraits import portrait
from unora_testing.photos import grids, hostile

POLICY = VisionPolicy()
# Of CPU time, on any machine; each takes some milliseconds.
JUDGEMENT_SECONDS = 0.5
LIMITS = {
    "a JPEG of 400 repeated scans": {"most_scans": "32"},
    "a JPEG of 2.6 million segments": {"most_segments": "1000"},
    "a JPEG of too many pixels": {"most_pixels": "50000000"},
    "a JPEG that needs too much memory": {"most_memory": str(POLICY.memory_at_once - POLICY.spare_memory)},
    "an APNG of two frames": {"most_frames": "1"},
    "an APNG of two frames of 50 megapixels": {"most_pixels": "25000000"},
    "a PNG of too many pixels": {"most_pixels": "25000000"},
    "a PNG of 800,000 chunks": {"most_chunks": "20000"},
    "a WebP of two frames": {"most_frames": "1"},
    "a HEIC of 1,900 tiles": {"most_tiles": "600"},
    "a HEIC of shared tiles": {"most_tiles": "600"},
    "a HEIC that is a film": {"most_frames": "1"},
}
BROKEN = ["a HEIC of lying tiles", "a HEIC of grids of grids", "a HEIC of an overlay"]


@pytest.fixture(scope="module")
def inspector() -> PictureInspector:
    return PictureInspector(POLICY)


def test_every_hostile_file_has_a_test() -> None:
    assert set(hostile.refused()) == {*LIMITS, *BROKEN}
    assert max(map(len, hostile.refused().values())) <= POLICY.most_bytes


@pytest.mark.rule("PR-08", "XX-07")
@pytest.mark.parametrize("name", LIMITS)
def test_a_file_over_a_limit_is_refused_by_its_structure(name: str) -> None:
    data = hostile.refused()[name]
    began = time.process_time()
    with pytest.raises(PhotoTooLarge) as refused:
        judge(data, POLICY)
    assert time.process_time() - began < JUDGEMENT_SECONDS
    assert refused.value.metadata == LIMITS[name]


@pytest.mark.rule("PR-08", "XX-07")
@pytest.mark.parametrize("name", BROKEN)
def test_a_file_whose_structure_lies_is_refused(inspector: PictureInspector, name: str) -> None:
    began = time.process_time()
    with pytest.raises(PhotoUnreadable):
        inspector.inspect_file(hostile.refused()[name])
    assert time.process_time() - began < JUDGEMENT_SECONDS


@pytest.mark.rule("PR-08")
@pytest.mark.parametrize(
    "make", [hostile.jpeg_of_huge_metadata, hostile.jpeg_of_fill_bytes, hostile.png_of_compressed_text]
)
def test_what_a_picture_does_not_need_never_reaches_a_decoder(make: Callable[[], bytes]) -> None:
    data = make()
    began = time.process_time()
    header = judge(data, POLICY)
    assert time.process_time() - began < JUDGEMENT_SECONDS
    assert len(header.data) < 10**5


@pytest.mark.rule("PR-08")
def test_a_picture_beside_a_phones_maps_and_previews_is_taken(inspector: PictureInspector) -> None:
    # Phones write more pictures behind the end of the first; they are no frames.
    picture = inspector.inspect_file(portrait(0, 0) + portrait(1, 0) + bytes(1000))
    assert (picture.width, picture.height, picture.has_face) == (600, 750, True)


@pytest.mark.rule("PR-08")
@pytest.mark.parametrize("kind", ["jpeg", "progressive", "png", "webp", "heic", "grid"])
def test_a_file_that_is_cut_short_is_refused(inspector: PictureInspector, kind: str) -> None:
    whole = {
        "jpeg": lambda: portrait(0, 0),
        "progressive": lambda: hostile.flat_jpeg(800, 800),
        "png": lambda: hostile.flat_png(800, 800),
        "webp": lambda: hostile.webp(800, 800, lossless=False),
        "heic": lambda: grids.heic("portrait"),
        "grid": lambda: grids.grid(1024, 1024),
    }[kind]()
    assert inspector.inspect_file(whole).width
    for part in (0.1, 0.5, 0.9, 0.99):
        with pytest.raises(PhotoUnreadable):
            inspector.inspect_file(whole[: int(len(whole) * part)])


@pytest.mark.rule("PR-08")
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "heic"])
def test_a_broken_file_is_refused_or_read_and_nothing_else(inspector: PictureInspector, kind: str) -> None:
    whole = {
        "jpeg": lambda: hostile.flat_jpeg(300, 300),
        "png": lambda: hostile.flat_png(300, 300),
        "webp": lambda: hostile.webp(300, 300),
        "heic": lambda: grids.grid(1024, 512, alpha=grids.tile("tile_white")),
    }[kind]()
    for at in range(0, min(len(whole), 1200), 3):
        broken = whole[:at] + bytes([whole[at] ^ 0xFF, 0xFF]) + whole[at + 2 :]
        try:
            judge(broken, POLICY)
        except (PhotoUnreadable, PhotoTooLarge):
            continue


@pytest.mark.rule("XX-07")
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP", "HEIC"])
def test_the_worst_files_that_are_taken_say_what_memory_they_need(name: str) -> None:
    header = judge(hostile.worst_accepted()[name], POLICY)
    assert 90 * 2**20 < header.memory <= POLICY.memory_at_once - POLICY.spare_memory


@pytest.mark.rule("PR-09")
def test_a_grid_of_tiles_is_taken_as_phones_write_it(inspector: PictureInspector) -> None:
    data = grids.grid(4032, 3024)
    header = judge(data, POLICY)
    assert (header.format, header.width, header.height) == (Format.HEIC, 4032, 3024)
    picture = inspector.inspect(header)
    assert (picture.width, picture.height) == (1600, 1200)


@pytest.mark.rule("PR-08")
def test_markers_after_the_first_scan_count_too() -> None:
    whole = hostile.flat_jpeg(300, 300)
    count = len(list(segments(whole, 1000)))
    with pytest.raises(PhotoTooLarge):
        list(segments(whole, count - 1))
    with pytest.raises(NotAPicture):
        list(segments(whole[:-2], 1000))


@pytest.mark.parametrize("tiff", [b"", b"II*\0", b"MM\0*\0\0\0\x08\xff\xff", b"II*\0\xff\xff\xff\xff", b"GIF89a"])
def test_broken_exif_turns_nothing(tiff: bytes) -> None:
    assert exif_orientation(tiff) == 1


def test_a_judgement_takes_no_memory_to_speak_of() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for data in hostile.refused().values():
        with pytest.raises((PhotoTooLarge, PhotoUnreadable)):
            PictureInspector(POLICY).inspect_file(data)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100_000  # kilobytes; the file itself, and the parts of it that are kept
