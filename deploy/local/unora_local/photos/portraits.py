"""Photographs for sixty people and more, made from one portrait in the public domain (see PROVENANCE.md).

Deterministic: the same person and shot give the same bytes. Each is a JPEG such as a phone uploads, with EXIF and a
position, so that tests can prove that a face is found, quality passes, and the metadata is removed.
"""

from functools import cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from cv2.typing import MatLike

from unora_local.photos.exif import with_exif

_PORTRAIT = Path(__file__).with_name("astronaut.jpg")
_WIDTH, _HEIGHT = 600, 750
_QUALITY = 88
_UPRIGHT, _TURNED = 1, 6

# In pixels of the portrait. Where the three shots look: left, top, width (the height follows).
_FACE_AT: Final = (228, 115)
_FRAMES: Final = ((62, 0, 330), (110, 4, 232), (28, 0, 400))
_PEOPLE: Final = 12
_TINTS: Final = ((1.0, 1.0, 1.0), (1.06, 1.0, 0.94), (0.94, 1.0, 1.06), (0.98, 1.05, 0.98))


def portrait(person: int, shot: int) -> bytes:
    """A photo of `person` (0, 1, 2 …; after 12 they repeat), `shot` 0 to 2. Each shows a face; EXIF turns the third."""
    return _portrait(person % _PEOPLE, shot)


@cache
def _portrait(person: int, shot: int) -> bytes:
    left, top, width = _FRAMES[shot]
    nudge = person * 7 % 12 - 6
    whole = _source()
    size = (whole.shape[1], whole.shape[0])
    turned = cv2.warpAffine(whole, _rotation(person, shot), size, borderMode=cv2.BORDER_REFLECT_101)
    height = width * _HEIGHT // _WIDTH
    framed = turned[top : top + height, left + nudge : left + nudge + width]
    picture = cv2.resize(framed, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    if person % 2:
        picture = cv2.flip(picture, 1)
    light = 0.88 + person * 5 % 12 * 0.02
    picture = np.clip(picture * (np.array(_TINTS[person % 4]) * light), 0, 255).astype(np.uint8)
    if shot == 2:
        return _jpeg(cv2.rotate(picture, cv2.ROTATE_90_COUNTERCLOCKWISE), _TURNED)
    return _jpeg(picture, _UPRIGHT)


@cache
def landscape(person: int = 0) -> bytes:
    """Hills under a sky: a good photo without a face."""
    rows, columns = np.mgrid[0:_WIDTH, 0:_HEIGHT].astype(np.float64)
    sky = 235 - rows / _WIDTH * 90
    picture = np.dstack([sky, sky * 0.9, sky * 0.75])
    grain = np.random.default_rng(person).normal(0, 6, rows.shape)
    for depth, colour in enumerate(((120, 110, 90), (90, 120, 80), (50, 90, 55))):
        ridge = _WIDTH * (0.45 + 0.17 * depth) + 40 * np.sin(columns / (90 - 20 * depth) + person + depth * 2)
        picture = np.where((rows > ridge)[..., None], np.array(colour) + grain[..., None], picture)
    return _jpeg(np.clip(picture, 0, 255).astype(np.uint8), _UPRIGHT)


@cache
def _source() -> MatLike:
    decoded = cv2.imdecode(np.frombuffer(_PORTRAIT.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if decoded is None:
        raise RuntimeError(f"{_PORTRAIT.name} is damaged")
    return decoded


def _rotation(person: int, shot: int) -> MatLike:
    degrees = (person * 3 + shot * 5) % 9 - 4
    return cv2.getRotationMatrix2D(_FACE_AT, degrees, 1.0)


def _jpeg(picture: MatLike, orientation: int) -> bytes:
    encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
    return with_exif(encoded, orientation)
