"""PR-02, PR-03, PR-07, PR-08, PR-09: which pictures are accepted, and what is found in them. Imports no decoder."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from unora_common.errors import InvalidArgument

from unora_identity.domain.photos import PhotoSize


class PhotoUnreadable(InvalidArgument):
    """PR-07: the file is no JPEG, PNG, WebP or HEIC that can be decoded with limited time and memory."""

    reason = "PHOTO_UNREADABLE"
    sentence = "This file is not a photo that we can read. Use JPEG, PNG, WebP or HEIC."

    def __init__(self) -> None:
        super().__init__({"photo_id": "is not a JPEG, PNG, WebP or HEIC"})


class PhotoTooLarge(InvalidArgument):
    """PR-07: the file has too many bytes, pixels or parts. The metadata name the limit: most_bytes, most_pixels,
    most_memory (bytes to decode it), most_frames, most_scans or most_segments (JPEG), most_chunks (PNG, WebP),
    most_items or most_tiles (HEIC).
    """

    reason = "PHOTO_TOO_LARGE"
    sentence = "This photo is too large."

    def __init__(self, **most: int) -> None:
        super().__init__({"photo_id": "has too many bytes, pixels or parts"}, **most)


class PhotoTooSmall(InvalidArgument):
    """PR-08: the picture has too few pixels. The metadata have the least of its shorter side: least_side."""

    reason = "PHOTO_TOO_SMALL"
    sentence = "This photo is too small."

    def __init__(self, least_side: int) -> None:
        super().__init__({"photo_id": "has too few pixels"}, least_side=least_side)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionPolicy:
    """The limits of a file, of the work on it, and of a photo that passes the quality check."""

    most_bytes: int = 10 * 2**20
    most_pixels: int = 50_000_000  # JPEG and HEIC
    most_pixels_png: int = 25_000_000  # decoded at their whole size: four bytes a pixel, and WebP twice that
    most_pixels_webp: int = 25_000_000
    most_scans: int = 32  # of a JPEG; encoders write up to 18
    most_segments: int = 1000  # of a JPEG
    most_chunks: int = 20_000  # of a PNG, whose encoders write as little as 4 kB a chunk, or of a WebP
    most_items: int = 2000  # of a HEIC: a phone's 48 megapixels are about 200 tiles, and its gain map some more
    most_tiles: int = 600

    memory_at_once: int = 416 * 2**20  # bytes, of all pictures in work together
    spare_memory: int = 48 * 2**20  # bytes that each picture gets beside its pixels
    cpu_seconds: int = 10  # of one picture
    wall_seconds: int = 30

    thumbnail_side: int = 160  # pixels of the longer side
    card_side: int = 640
    full_side: int = 1600
    kept_quality: int = 85  # of JPEG, 0 to 100

    least_side: int = 200  # pixels of the shorter side, as uploaded
    sharpness_least: float = 15.0  # variance of the Laplacian; a face in focus has 20 to 300, a blurred one below 10
    brightness_least: float = 40.0  # mean grey, 0 to 255
    brightness_most: float = 225.0
    shorter_side_least: int = 400  # pixels, as uploaded

    @property
    def sides(self) -> Mapping[PhotoSize, int]:
        """PR-09: the longer side of each size, in pixels."""
        return {
            PhotoSize.THUMBNAIL: self.thumbnail_side,
            PhotoSize.CARD: self.card_side,
            PhotoSize.FULL: self.full_side,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture ready to be stored. Sharpness and brightness are those of the face, or of the whole picture if it shows
    no face.
    """

    sizes: Mapping[PhotoSize, bytes] = field(repr=False)
    """JPEGs in sRGB, upright and without metadata."""
    width: int
    """In pixels, of the full size; so is the height."""
    height: int
    has_face: bool
    sharpness: float
    brightness: float
    quality_passed: bool
    fingerprint: int
    """A perceptual hash of 64 bits, unsigned: pictures that look alike differ in few bits (PR-08)."""
