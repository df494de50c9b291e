"""PR-08: a perceptual hash, by which the same picture is recognised after it was encoded or scaled again.

The low frequencies of the picture's cosine transform, each one bit: whether it is above their median. The lowest, which
are brightness and slopes of light, are left out. (imagehash does much the same, but brings SciPy.)
"""

from typing import Final

import cv2
import numpy as np
from cv2.typing import MatLike

_SIDE: Final = 32
_FREQUENCIES: Final = slice(1, 9)


def fingerprint(grey: MatLike) -> int:
    """64 bits, unsigned. Pictures that look alike differ in few."""
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    frequencies = cv2.dct(small.astype(np.float32))[_FREQUENCIES, _FREQUENCIES].flatten()
    return int.from_bytes(np.packbits(frequencies > np.median(frequencies)).tobytes(), "big")
