"""PR-07, PR-08: a file that was judged becomes pixels: in colour or grey, with 8 bits, flattened onto white, and not
much larger than the largest size that is kept.

Pillow reads JPEG and PNG, and pi-heif HEIC. OpenCV reads WebP: Pillow's reader is made for animations, and holds the
picture three times.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final

import cv2
import numpy as np
import pi_heif
from cv2.typing import MatLike
from PIL import Image, JpegImagePlugin, PngImagePlugin

from unora_identity.providers.child.pixels import flatten, reduce
from unora_identity.providers.formats.header import Format, Header
from unora_identity.providers.pictures import PhotoUnreadable

_STRIP: Final = 2**19  # pixels that are flattened and reduced at a time, to hold no second whole picture
_PNG_DEPTH_AT: Final = 24

Image.MAX_IMAGE_PIXELS = None  # the header was judged, and Pillow's warning is an error in tests
pi_heif.options.DECODE_THREADS = 0
pi_heif.options.THUMBNAILS = False
pi_heif.options.DEPTH_IMAGES = False
pi_heif.options.AUX_IMAGES = False


@dataclass(frozen=True, slots=True)
class Decoded:
    """Pixels without transparency."""

    pixels: MatLike
    width: int
    """Of the picture in the file; so is the height. There may be fewer pixels."""
    height: int
    mode: str
    """L, RGB or CMYK, as Pillow names them."""
    profile: bytes | None = field(default=None, repr=False)
    """The colour profile that belongs to the pixels."""


def decode(header: Header, side: int) -> Decoded:
    """The picture, with `side` or more pixels in the longer side if it has them. Raises PhotoUnreadable."""
    read = {Format.JPEG: _jpeg, Format.PNG: _png, Format.WEBP: _webp, Format.HEIC: _heic}[header.format]
    try:
        return read(header, side)
    except Exception:  # decoders raise anything for broken bytes
        raise PhotoUnreadable from None


def _jpeg(header: Header, side: int) -> Decoded:
    with JpegImagePlugin.JpegImageFile(BytesIO(header.data)) as image:
        longer = max(image.size)
        if longer > side:
            image.draft(None, (max(1, image.width * side // longer), max(1, image.height * side // longer)))
        return Decoded(np.asarray(image), header.width, header.height, image.mode, header.profile)


def _png(header: Header, side: int) -> Decoded:
    with PngImagePlugin.PngImageFile(BytesIO(header.data)) as image:
        image.load()
        mode = "L" if image.mode in ("1", "L", "LA", "I;16") else "RGB"
        depth, key = header.data[_PNG_DEPTH_AT], image.info.get("transparency")

        def strip(top: int, bottom: int) -> MatLike:
            return _png_strip(image.crop((0, top, image.width, bottom)), depth, key)

        return Decoded(_in_strips(*image.size, side, strip), *image.size, mode, header.profile)


def _png_strip(strip: Image.Image, depth: int, key: object) -> MatLike:
    """`key`: the one transparent colour, as the file has it; or what is transparent in a palette."""
    if strip.mode == "P":
        rgba = np.asarray(strip.convert("RGBA"))
        return flatten(rgba[..., :3], rgba[..., 3])
    if strip.mode == "1":
        strip, depth, key = strip.convert("L"), 8, key and 255
    pixels = np.asarray(strip)
    if strip.mode in ("LA", "RGBA"):
        return flatten(pixels[..., 0] if strip.mode == "LA" else pixels[..., :3], pixels[..., -1])
    alpha = None
    if key is not None:
        # Pillow widens fewer bits than 8, and narrows 16 bits of colours: the key follows.
        widened = {1: 255, 2: 85, 4: 17}.get(depth, 1)
        parts = np.atleast_1d(np.array(key)) * widened >> (8 if depth == 16 and strip.mode == "RGB" else 0)
        same = pixels == parts
        alpha = np.where(same if pixels.ndim == 2 else same.all(axis=2), 0, 255).astype(np.uint8)
    if strip.mode == "I;16":
        pixels = (pixels >> 8).astype(np.uint8)
    return pixels if alpha is None else flatten(pixels, alpha)


def _webp(header: Header, side: int) -> Decoded:
    # Typed as never None, but it is None for bytes that cannot be decoded.
    decoded = cv2.imdecode(np.frombuffer(header.data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise PhotoUnreadable
    height, width = decoded.shape[:2]

    def strip(top: int, bottom: int) -> MatLike:
        part = decoded[top:bottom]
        colours = cv2.cvtColor(np.ascontiguousarray(part[..., :3]), cv2.COLOR_BGR2RGB)
        return flatten(colours, part[..., 3]) if part.shape[2] == 4 else colours

    return Decoded(_in_strips(width, height, side, strip), width, height, "RGB", header.profile)


def _heic(header: Header, side: int) -> Decoded:
    file = pi_heif.open_heif(header.data)
    image = file[file.primary_index]
    decoded = np.asarray(image)
    mode = "L" if decoded.ndim == 2 or decoded.shape[2] < 3 else "RGB"
    width, height = image.size

    def strip(top: int, bottom: int) -> MatLike:
        part = decoded[top:bottom, :width]
        if not image.has_alpha:
            return np.ascontiguousarray(part)
        colours = part[..., 0] if mode == "L" else part[..., :3]
        return flatten(colours, part[..., -1], premultiplied=image.premultiplied_alpha)

    return Decoded(_in_strips(width, height, side, strip), width, height, mode, image.info.get("icc_profile"))


def _in_strips(width: int, height: int, side: int, strip: Callable[[int, int], MatLike]) -> MatLike:
    divisor = max(1, max(width, height) // side)
    rows = max(1, _STRIP // width // divisor) * divisor
    return np.concatenate(list(_reduced(height, rows, divisor, strip)))


def _reduced(height: int, rows: int, divisor: int, strip: Callable[[int, int], MatLike]) -> Iterator[MatLike]:
    for top in range(0, height, rows):
        yield reduce(strip(top, min(top + rows, height)), divisor)
