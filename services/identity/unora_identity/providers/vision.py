"""PR-02, PR-03, PR-07: what can be seen in a picture, and a copy of it that holds nothing but the picture.

Classic computer vision on the machine itself: no photo leaves the house to be judged, and nobody is recognised: only
that there is a face, not whose. The only module that imports cv2.
"""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from cv2.typing import MatLike
from unora_common.errors import InvalidArgument

from unora_identity.providers.formats import Format, Header, NotAPicture, read_header

# Shipped inside the wheel; cv2.data says the same, but is not typed.
_CASCADES: Final = Path(cv2.__file__).parent / "data"

# Pictures are looked at side by side by the threads of Vision; threads within each would only get in their way.
cv2.setNumThreads(1)

# Faces are sought at this longer side: larger finds nothing more and takes longer. All measures are taken at it too,
# since sharpness means something only at a known scale.
_WORKING_SIDE = 640
_SMALLEST_FACE = 0.1  # of the working picture's shorter side: less is not a face that can be seen
_SCALE_STEP = 1.1
_AGREEING_WINDOWS = 5
_CONFIRMING_WINDOWS = 2
_MARGIN = 0.25  # of the face, left around it for the second opinion


class PhotoUnreadable(InvalidArgument):
    """PR-07: not a JPEG, PNG or WebP that can be decoded."""

    reason = "PHOTO_UNREADABLE"

    def __init__(self) -> None:
        super().__init__({"photo_id": "is not a JPEG, PNG or WebP"})


class PhotoTooLarge(InvalidArgument):
    """PR-07: too many bytes or pixels."""

    reason = "PHOTO_TOO_LARGE"

    def __init__(self, **most: int) -> None:
        super().__init__({"photo_id": "has too many bytes or pixels"}, **most)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionPolicy:
    """Bounds of what is taken, and what passes as good."""

    most_bytes: int = 10 * 2**20
    most_pixels: int = 50_000_000
    kept_side: int = 1600  # pixels of the longer side that is kept
    kept_quality: int = 85  # of JPEG, 0 to 100
    sharpness_least: float = 15.0  # variance of the Laplacian; a face in focus has 20 to 300, a blurred one below 10
    brightness_least: float = 40.0  # mean grey, 0 to 255
    brightness_most: float = 225.0
    shorter_side_least: int = 400  # pixels, as uploaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture ready to be kept. Sharpness and brightness are the face's if there is one, else the whole picture's."""

    jpeg: bytes = field(repr=False)
    width: int
    height: int
    face: bool
    sharpness: float
    brightness: float
    quality_passed: bool


class Vision:
    """Looks at pictures in threads of its own (cv2 lets go of the interpreter while it works)."""

    def __init__(self, policy: VisionPolicy | None = None, threads: int = 2) -> None:
        self._policy = policy or VisionPolicy()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="vision")
        self._local = threading.local()

    async def look(self, data: bytes) -> Picture:
        """PhotoUnreadable, PhotoTooLarge, or the picture upright, scaled down, as JPEG without metadata."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.look_now, data)

    def look_now(self, data: bytes) -> Picture:
        """As `look`, in the calling thread."""
        header = _bounded(data, self._policy)
        upright = _decode(data, header, self._policy)
        kept = _fit(upright, self._policy.kept_side)
        working = cv2.cvtColor(_fit(upright, _WORKING_SIDE), cv2.COLOR_BGR2GRAY)
        face = self._faces().largest(working)
        seen = working if face is None else _crop(working, face)
        sharpness = float(cv2.Laplacian(seen, cv2.CV_64F).var())
        brightness = float(seen.mean())
        height, width = kept.shape[:2]
        return Picture(
            jpeg=_encode(kept, self._policy.kept_quality),
            width=width,
            height=height,
            face=face is not None,
            sharpness=sharpness,
            brightness=brightness,
            quality_passed=face is not None
            and sharpness >= self._policy.sharpness_least
            and self._policy.brightness_least <= brightness <= self._policy.brightness_most
            and min(header.width, header.height) >= self._policy.shorter_side_least,
        )

    def close(self) -> None:
        """Wait for what is being looked at, and end the threads."""
        self._pool.shutdown()

    def _faces(self) -> "_Faces":
        # A classifier keeps state while it works, so each thread has its own.
        if not hasattr(self._local, "faces"):
            self._local.faces = _Faces()
        faces: _Faces = self._local.faces
        return faces


@dataclass(frozen=True, slots=True)
class _Box:
    """A square in a picture, in pixels from the upper left."""

    left: int
    top: int
    side: int


class _Faces:
    """Two classifiers must agree: each alone sees faces in coins and gravel, both together hardly ever."""

    def __init__(self) -> None:
        self._first = _classifier("haarcascade_frontalface_alt2.xml")
        self._second = _classifier("haarcascade_frontalface_alt.xml")

    def largest(self, grey: MatLike) -> _Box | None:
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


def _bounded(data: bytes, policy: VisionPolicy) -> Header:
    if len(data) > policy.most_bytes:
        raise PhotoTooLarge(most_bytes=policy.most_bytes)
    try:
        header = read_header(data)
    except NotAPicture:
        raise PhotoUnreadable from None
    if header.width * header.height > policy.most_pixels:
        raise PhotoTooLarge(most_pixels=policy.most_pixels)
    return header


def _decode(data: bytes, header: Header, policy: VisionPolicy) -> MatLike:
    """Upright (EXIF orientation applied), colour, 8 bits; transparency and animation are dropped.

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
        # Typed as never None, which is what it is when the bytes make no sense.
        decoded: MatLike | None = cv2.imdecode(np.frombuffer(data, np.uint8), mode)
    except cv2.error:
        raise PhotoUnreadable from None
    if decoded is None:
        raise PhotoUnreadable
    return decoded


def _fit(picture: MatLike, side: int) -> MatLike:
    """Scaled down so that the longer side is at most `side`; never up, which would invent detail."""
    height, width = picture.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return picture
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _crop(picture: MatLike, box: _Box) -> MatLike:
    top, left = max(box.top, 0), max(box.left, 0)
    return picture[top : box.top + box.side, left : box.left + box.side]


def _encode(picture: MatLike, quality: int) -> bytes:
    """Encoding from pixels is what drops metadata: there is none in a matrix (PR-07)."""
    done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise PhotoUnreadable
    return jpeg.tobytes()
