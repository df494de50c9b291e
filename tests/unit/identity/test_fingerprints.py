"""PR-08: which pictures count as the same, by their perceptual hashes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageOps
from unora_identity.providers.child.faces import Faces
from unora_identity.providers.child.inspector import PictureInspector
from unora_identity.providers.pictures import VisionPolicy
from unora_local.photos.portraits import landscape, portrait
from unora_testing.photos import grids
from unora_testing.photos.profiles import display_p3

PEOPLE, SHOTS = 12, 3
# With a threshold of 10 bits, both kinds have a margin.
SAME_MOST, CROPPED_MOST, OTHER_LEAST = 7, 10, 20


@pytest.fixture(scope="module")
def inspector() -> Iterator[PictureInspector]:
    """It looks for no faces: they take most of the time, and the fingerprint knows nothing of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Faces, "largest", lambda *_: None)
        yield PictureInspector(VisionPolicy())


def distance(one: int, other: int) -> int:
    return (one ^ other).bit_count()


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def copies(picture: bytes) -> dict[str, bytes]:
    """What members, messengers and editors make of one picture."""
    with Image.open(io.BytesIO(picture)) as stored:
        image = ImageOps.exif_transpose(stored).convert("RGB")
    width, height = image.size
    profile = ImageCms.ImageCmsProfile(io.BytesIO(display_p3()))
    wide = ImageCms.profileToProfile(image, ImageCms.createProfile("sRGB"), profile)
    assert wide is not None
    return {
        "encoded again": encoded(image, quality=40),
        "encoded badly": encoded(image, quality=10),
        "half as large": encoded(image.resize((width // 2, height // 2))),
        "twice as large": encoded(image.resize((width * 2, height * 2))),
        "PNG": encoded(image, "PNG"),
        "WebP": encoded(image, "WEBP", quality=50),
        "another profile": encoded(wide, icc_profile=display_p3()),
        "brighter": encoded(image.point(lambda value: min(255, int(value * 1.2)))),
        "darker": encoded(image.point(lambda value: int(value * 0.75))),
        "grey": encoded(image.convert("L")),
    }


@pytest.mark.rule("PR-08")
def test_copies_of_one_picture_are_the_same(inspector: PictureInspector) -> None:
    for original in (portrait(0, 0), portrait(5, 1), portrait(7, 2), landscape(2)):
        ours = inspector.inspect_file(original).fingerprint
        assert 0 <= ours < 2**64
        distances = {
            name: distance(ours, inspector.inspect_file(copy).fingerprint) for name, copy in copies(original).items()
        }
        assert max(distances.values()) <= SAME_MOST, distances


@pytest.mark.rule("PR-08")
def test_a_narrow_border_cut_off_makes_no_other_picture(inspector: PictureInspector) -> None:
    for person in range(PEOPLE):
        with Image.open(io.BytesIO(portrait(person, 0))) as image:
            width, height = image.size
            cut = encoded(image.crop((width // 50, height // 50, width - width // 50, height - height // 50)))
        prints = [inspector.inspect_file(data).fingerprint for data in (portrait(person, 0), cut)]
        assert distance(*prints) <= CROPPED_MOST


@pytest.mark.rule("PR-08", "PR-09")
def test_a_picture_in_heic_is_the_same_as_in_jpeg(inspector: PictureInspector) -> None:
    kept = inspector.inspect_file(grids.heic("portrait"))
    again = inspector.inspect_file(max(kept.sizes.values(), key=len))
    assert distance(kept.fingerprint, again.fingerprint) <= SAME_MOST


@pytest.mark.rule("PR-08")
def test_the_shots_of_one_person_are_different_pictures(inspector: PictureInspector) -> None:
    for person in range(PEOPLE):
        prints = [inspector.inspect_file(portrait(person, shot)).fingerprint for shot in range(SHOTS)]
        distances = [
            distance(one, other)
            for one, other in combinations([*prints, inspector.inspect_file(landscape(person)).fingerprint], 2)
        ]
        assert min(distances) >= OTHER_LEAST, (person, distances)
