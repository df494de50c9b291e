"""PR-02, PR-03, PR-07: which pictures are accepted, and what is found in them. Nothing here imports OpenCV."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from unora_common.errors import InvalidArgument

from unora_identity.domain.photos import PhotoSize
from unora_identity.providers.formats import Header, NotAPicture, read_header


class PhotoUnreadable(InvalidArgument):
    """PR-07: the file is not a JPEG, PNG or WebP that can be decoded."""

    reason = "PHOTO_UNREADABLE"

    def __init__(self) -> None:
        super().__init__({"photo_id": "is not a JPEG, PNG or WebP"})


class PhotoTooLarge(InvalidArgument):
    """PR-07: the file has too many bytes or pixels."""

    reason = "PHOTO_TOO_LARGE"

    def __init__(self, **most: int) -> None:
        super().__init__({"photo_id": "has too many bytes or pixels"}, **most)


class PhotoTooSmall(InvalidArgument):
    """PR-08: the shorter side of the picture has too few pixels."""

    reason = "PHOTO_TOO_SMALL"

    def __init__(self, least_side: int) -> None:
        super().__init__({"photo_id": "has too few pixels"}, least_side=least_side)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionPolicy:
    """The limits of a file, and of a photo that passes the quality check."""

    most_bytes: int = 10 * 2**20
    most_pixels: int = 50_000_000
    least_side: int = 200  # pixels of the shorter side, of a new upload
    kept_side: int = 1600  # pixels of the longer side that is stored
    card_side: int = 640
    thumbnail_side: int = 160
    kept_quality: int = 85  # of JPEG, 0 to 100
    sharpness_least: float = 15.0  # variance of the Laplacian; a face in focus has 20 to 300, a blurred one below 10
    brightness_least: float = 40.0  # mean grey, 0 to 255
    brightness_most: float = 225.0
    shorter_side_least: int = 400  # pixels, as uploaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture ready to be stored. Sharpness and brightness are those of the face, or of the whole picture if it shows
    no face.
    """

    sizes: Mapping[PhotoSize, bytes] = field(repr=False)
    fingerprint: int
    width: int
    height: int
    has_face: bool
    sharpness: float
    brightness: float
    quality_passed: bool


def require_acceptable(data: bytes, policy: VisionPolicy) -> Header:
    """PR-07: the header of a file that is safe to decode. Raises PhotoTooLarge or PhotoUnreadable."""
    if len(data) > policy.most_bytes:
        raise PhotoTooLarge(most_bytes=policy.most_bytes)
    try:
        header = read_header(data)
    except NotAPicture:
        raise PhotoUnreadable from None
    if header.width * header.height > policy.most_pixels:
        raise PhotoTooLarge(most_pixels=policy.most_pixels)
    return header
