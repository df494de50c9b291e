"""PR-08: colours become sRGB, which everything shows rightly without a profile."""

from io import BytesIO
from typing import Final

import numpy as np
from cv2.typing import MatLike
from PIL import Image, ImageCms

_SRGB: Final = ImageCms.createProfile("sRGB")
_SPACES: Final = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK"}


class Colours:
    """Converts pixels of one file."""

    def __init__(self, mode: str, profile: bytes | None) -> None:
        """A profile that is broken, or made for other colours than the file has, is ignored, as browsers do."""
        self._mode = mode
        self._transform = _transform(mode, profile) if profile else None

    def to_srgb(self, pixels: MatLike) -> MatLike:
        """In three channels: red, green, blue."""
        picture = Image.fromarray(np.ascontiguousarray(pixels), self._mode)
        if self._transform is not None:
            picture = self._transform.apply(picture)
        return np.array(picture.convert("RGB"))


def _transform(mode: str, profile: bytes) -> ImageCms.ImageCmsTransform | None:
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space != _SPACES[mode]:
            return None
        return ImageCms.ImageCmsTransform(
            source,
            ImageCms.ImageCmsProfile(_SRGB),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (OSError, ImageCms.PyCMSError, ValueError, TypeError):
        return None
