"""Matrices of pixels: flattened, scaled down, set upright."""

from typing import Final

import cv2
import numpy as np
from cv2.typing import MatLike

_WHITE: Final = 255


def flatten(picture: MatLike, alpha: MatLike, *, premultiplied: bool = False) -> MatLike:
    """The picture on white. What is transparent shows nothing of the colour that it has in the file."""
    if alpha.min() == _WHITE:
        return picture
    spread = alpha if picture.ndim == 2 else alpha[..., None]
    clear = np.uint16(_WHITE) * (_WHITE - spread.astype(np.uint16))
    if premultiplied:
        picture, spread = np.minimum(picture, spread), np.full_like(spread, _WHITE)
    shown = picture.astype(np.uint16) * spread
    flat: MatLike = ((shown + clear + 127) // _WHITE).clip(0, 255).astype(np.uint8)
    return flat


def reduce(strip: MatLike, divisor: int) -> MatLike:
    """Some rows of a picture, at a part of their size."""
    if divisor == 1:
        return strip
    height, width = strip.shape[:2]
    size = (max(1, width // divisor), max(1, height // divisor))
    return cv2.resize(strip, size, interpolation=cv2.INTER_AREA)


def fit(picture: MatLike, side: int, width: int, height: int) -> MatLike:
    """Scaled down so that the longer side is at most `side`; never scaled up, which would invent detail. The picture
    had this width and height before it was reduced: its shape is kept exactly.
    """
    factor = side / max(height, width)
    if factor >= 1:
        return picture
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def upright(picture: MatLike, orientation: int) -> MatLike:
    """Turned and mirrored as EXIF's orientation says: 1 to 8."""
    if orientation >= 5:
        picture = cv2.transpose(picture)
    if orientation in (2, 6):
        return cv2.flip(picture, 1)
    if orientation in (3, 7):
        return cv2.flip(picture, -1)
    if orientation in (4, 8):
        return cv2.flip(picture, 0)
    return picture
