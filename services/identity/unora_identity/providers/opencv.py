"""PR-02, PR-03, PR-07: faces, sharpness and brightness of a picture, and a copy of it without metadata.

The only module that imports OpenCV; vision.py imports it when it is needed.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from cv2.typing import MatLike

from unora_identity.domain.photos import PhotoSize
from unora_identity.providers.formats import Format, Header
from unora_identity.providers.pictures import (
    PhotoTooSmall,
    PhotoUnreadable,
    Picture,
    VisionPolicy,
    require_acceptable,
)

# Shipped inside the wheel; cv2.data says the same, but is not typed.
_CASCADES: Final = Path(cv2.__file__).parent / "data"

# The threads of Vision inspect pictures in parallel; threads within each inspection would only compete with them.
cv2.setNumThreads(1)

# Faces are searched at this longer side: a larger one finds no more and takes longer. All measures are taken at it too,
# since sharpness depends on the scale.
_WORKING_SIDE: Final = 640
_SMALLEST_FACE: Final = 0.1  # of the working picture's shorter side: a smaller face cannot be recognised as one
_SCALE_STEP: Final = 1.1
_AGREEING_WINDOWS: Final = 5
_CONFIRMING_WINDOWS: Final = 2
_MARGIN: Final = 0.25  # of the face, left around it for the second classifier


@dataclass(frozen=True, slots=True)
class _Box:
    """A square in a picture, in pixels from the upper left."""

    left: int
    top: int
    side: int


class PictureInspector:
    """Inspects pictures for one thread."""

    def __init__(self, policy: VisionPolicy) -> None:
        self._policy = policy
        self._faces = _Faces()

    def inspect(self, data: bytes, *, stored: bool = False) -> Picture:
        """See `Vision.inspect`."""
        policy = self._policy
        header = require_acceptable(data, policy)
        if not stored and min(header.width, header.height) < policy.least_side:
            raise PhotoTooSmall(policy.least_side)
        upright = _decode(data, header, policy)
        kept = _fit(upright, policy.kept_side)
        working = cv2.cvtColor(_fit(upright, _WORKING_SIDE), cv2.COLOR_BGR2GRAY)
        face = self._faces.largest(working)
        measured = working if face is None else _crop(working, face)
        sharpness = float(cv2.Laplacian(measured, cv2.CV_64F).var())
        brightness = float(measured.mean())
        height, width = kept.shape[:2]
        return Picture(
            sizes={
                PhotoSize.FULL: _encode(kept, policy.kept_quality),
                PhotoSize.CARD: _encode(_fit(kept, policy.card_side), policy.kept_quality),
                PhotoSize.THUMBNAIL: _encode(_fit(kept, policy.thumbnail_side), policy.kept_quality),
            },
            fingerprint=_fingerprint(working),
            width=width,
            height=height,
            has_face=face is not None,
            sharpness=sharpness,
            brightness=brightness,
            quality_passed=face is not None
            and sharpness >= policy.sharpness_least
            and policy.brightness_least <= brightness <= policy.brightness_most
            and min(header.width, header.height) >= policy.shorter_side_least,
        )


class _Faces:
    """Two classifiers must agree: each alone finds faces in coins and gravel, both together almost never."""

    def __init__(self) -> None:
        self._first = _classifier("haarcascade_frontalface_alt2.xml")
        self._second = _classifier("haarcascade_frontalface_alt.xml")

    def largest(self, grey: MatLike) -> _Box | None:
        """The largest face on which both agree."""
        smallest = max(int(min(grey.shape[:2]) * _SMALLEST_FACE), 24)
        found = self._first.detectMultiScale(
            grey, scaleFactor=_SCALE_STEP, minNeighbors=_AGREEING_WINDOWS, minSize=(smallest, smallest)
        )
        boxes = [_Box(int(left), int(top), int(side)) for left, top, side, _ in found]
        boxes.sort(key=lambda box: box.side, reverse=True)
        return next((box for box in boxes if self._confirmed(grey, box)), None)

    def _confirmed(self, grey: MatLike, box: _Box) -> bool:
        margin = int(box.side * _MARGIN)
        around = _crop(grey, _Box(box.left - margin, box.top - margin, box.side + 2 * margin))
        least = box.side // 2
        found = self._second.detectMultiScale(
            around, scaleFactor=_SCALE_STEP, minNeighbors=_CONFIRMING_WINDOWS, minSize=(least, least)
        )
        return len(found) > 0


def _classifier(name: str) -> cv2.CascadeClassifier:
    classifier = cv2.CascadeClassifier(str(_CASCADES / name))
    if classifier.empty():
        raise RuntimeError(f"cv2 has no {name}")
    return classifier


def _decode(data: bytes, header: Header, policy: VisionPolicy) -> MatLike:
    """The picture upright (EXIF orientation applied), in colour, with 8 bits; transparency and animation are dropped.

    A JPEG can be decoded at a half, a quarter or an eighth of its size, which saves most of the time and memory.
    """
    mode = cv2.IMREAD_COLOR
    if header.format is Format.JPEG:
        spare = max(header.width, header.height) // policy.kept_side
        for least, reduced in (
            (8, cv2.IMREAD_REDUCED_COLOR_8),
            (4, cv2.IMREAD_REDUCED_COLOR_4),
            (2, cv2.IMREAD_REDUCED_COLOR_2),
        ):
            if spare >= least:
                mode = reduced
                break
    try:
        # Typed as never None, but it is None for bytes that cannot be decoded.
        decoded: MatLike | None = cv2.imdecode(np.frombuffer(data, np.uint8), mode)
    except cv2.error:
        raise PhotoUnreadable from None
    if decoded is None:
        raise PhotoUnreadable
    return decoded


def _fit(picture: MatLike, side: int) -> MatLike:
    """Scaled down so that the longer side is at most `side`; never scaled up, which would invent detail."""
    height, width = picture.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return picture
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _fingerprint(grey: MatLike) -> int:
    """64 signs of the lowest frequencies (pHash)."""
    low = cv2.dct(cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32))[:8, :8].flatten()
    return int.from_bytes(np.packbits(low > np.median(low[1:])).tobytes(), "big")


def _crop(picture: MatLike, box: _Box) -> MatLike:
    top, left = max(box.top, 0), max(box.left, 0)
    return picture[top : box.top + box.side, left : box.left + box.side]


def _encode(picture: MatLike, quality: int) -> bytes:
    """Encoding from pixels drops the metadata: a matrix of pixels has none (PR-07)."""
    done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise PhotoUnreadable
    return jpeg.tobytes()
