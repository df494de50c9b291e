"""PR-02: whether there is a face, by classic computer vision: not whose face it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
from cv2.typing import MatLike

# Shipped inside the wheel; cv2.data says the same, but is not typed.
_CASCADES: Final = Path(cv2.__file__).parent / "data"

SMALLEST_FACE: Final = 0.1  # of the picture's shorter side: a smaller face cannot be recognised as one
SEARCHES: Final = (0.28, 0.14, SMALLEST_FACE)
"""The least windows of each search: one with windows of half the side takes four times as long."""
_WHOLLY_SEEN: Final = 1.4
"""A face of at least so many times the least window is found by all windows that agree, so a further search adds
nothing.
"""
_SCALE_STEP: Final = 1.1
_AGREEING_WINDOWS: Final = 5
_CONFIRMING_WINDOWS: Final = 2
_MARGIN: Final = 0.25  # of the face, left around it for the second classifier


@dataclass(frozen=True, slots=True)
class Box:
    """A square in a picture, in pixels from the upper left."""

    left: int
    top: int
    side: int


class Faces:
    """Two classifiers must agree: each alone finds faces in coins and gravel, both together almost never."""

    def __init__(self) -> None:
        self._first = _classifier("haarcascade_frontalface_alt2.xml")
        self._second = _classifier("haarcascade_frontalface_alt.xml")

    def largest(self, grey: MatLike) -> Box | None:
        """The largest face on which both agree. Most photos have a large one, which is found without the small
        windows.
        """
        shorter = min(grey.shape[:2])
        for share in SEARCHES:
            least = max(int(shorter * share), 24)
            whole = 0 if share == SMALLEST_FACE else least * _WHOLLY_SEEN
            for box in self._found(grey, least):
                if box.side >= whole and self._confirmed(grey, box):
                    return box
        return None

    def _found(self, grey: MatLike, least: int) -> list[Box]:
        """What the first classifier takes for faces of this side or more, the largest first."""
        found = self._first.detectMultiScale(
            grey, scaleFactor=_SCALE_STEP, minNeighbors=_AGREEING_WINDOWS, minSize=(least, least)
        )
        boxes = [Box(int(left), int(top), int(side)) for left, top, side, _ in found]
        return sorted(boxes, key=lambda box: box.side, reverse=True)

    def _confirmed(self, grey: MatLike, box: Box) -> bool:
        margin = int(box.side * _MARGIN)
        around = crop(grey, Box(box.left - margin, box.top - margin, box.side + 2 * margin))
        least = box.side // 2
        found = self._second.detectMultiScale(
            around, scaleFactor=_SCALE_STEP, minNeighbors=_CONFIRMING_WINDOWS, minSize=(least, least)
        )
        return len(found) > 0


def crop(picture: MatLike, box: Box) -> MatLike:
    """The part of the picture in the box."""
    top, left = max(box.top, 0), max(box.left, 0)
    return picture[top : box.top + box.side, left : box.left + box.side]


def _classifier(name: str) -> cv2.CascadeClassifier:
    classifier = cv2.CascadeClassifier(str(_CASCADES / name))
    if classifier.empty():
        raise RuntimeError(f"cv2 has no {name}")
    return classifier
