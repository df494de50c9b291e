"""Pictures that tests of photos make of others."""

from __future__ import annotations

import cv2
import numpy as np
from cv2.typing import MatLike


def read(data: bytes) -> MatLike:
    """Its pixels, upright."""
    decoded: MatLike | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None, "these bytes are no picture"
    return decoded


def again(data: bytes, *, scale: float = 1.0, suffix: str = ".jpg") -> bytes:
    """The same picture in other bytes: another size, format and quality, and no metadata."""
    scaled = cv2.resize(read(data), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.imencode(suffix, scaled)[1].tobytes()


def dot(side: int = 1) -> bytes:
    """A square PNG of one colour."""
    return cv2.imencode(".png", np.full((side, side, 3), 120, np.uint8))[1].tobytes()
