"""PR-02, PR-03, PR-07, PR-08, PR-09: faces, sharpness and brightness of a picture, its fingerprint, and its copies in
three sizes without metadata.
"""

import cv2
from cv2.typing import MatLike

from unora_identity.domain.photos import PhotoSize
from unora_identity.providers.child.colours import Colours
from unora_identity.providers.child.decoding import decode
from unora_identity.providers.child.faces import Faces, crop
from unora_identity.providers.child.fingerprint import fingerprint
from unora_identity.providers.child.pixels import fit, upright
from unora_identity.providers.formats.header import Header
from unora_identity.providers.formats.judge import judge
from unora_identity.providers.pictures import PhotoUnreadable, Picture, VisionPolicy

# One process per picture is enough: threads within each would only compete, and a process with threads must not fork.
cv2.setNumThreads(1)


class PictureInspector:
    """Inspects one picture at a time."""

    def __init__(self, policy: VisionPolicy) -> None:
        self.policy = policy
        self._faces = Faces()

    def inspect_file(self, data: bytes, *, new: bool = True) -> Picture:
        """Judges and inspects in this process. Raises PhotoUnreadable, PhotoTooLarge or PhotoTooSmall."""
        return self.inspect(judge(data, self.policy, new=new))

    def inspect(self, header: Header) -> Picture:
        """Raises PhotoUnreadable."""
        policy = self.policy
        sizes = self._sizes(header)
        # Faces are searched, and all is measured, at the card's side: more pixels show no more faces and take longer,
        # and sharpness depends on the scale.
        working = cv2.cvtColor(sizes[PhotoSize.CARD], cv2.COLOR_RGB2GRAY)
        face = self._faces.largest(working)
        measured = working if face is None else crop(working, face)
        sharpness = float(cv2.Laplacian(measured, cv2.CV_64F).var())
        brightness = float(measured.mean())
        height, width = sizes[PhotoSize.FULL].shape[:2]
        return Picture(
            sizes={size: _encode(pixels, policy.kept_quality) for size, pixels in sizes.items()},
            width=width,
            height=height,
            has_face=face is not None,
            sharpness=sharpness,
            brightness=brightness,
            quality_passed=face is not None
            and sharpness >= policy.sharpness_least
            and policy.brightness_least <= brightness <= policy.brightness_most
            and min(header.width, header.height) >= policy.shorter_side_least,
            fingerprint=fingerprint(working),
        )

    def _sizes(self, header: Header) -> dict[PhotoSize, MatLike]:
        """In sRGB and upright. Colours are converted in the small, where it costs little."""
        decoded = decode(header, self.policy.full_side)
        colours = Colours(decoded.mode, decoded.profile)
        small = {
            size: fit(decoded.pixels, side, decoded.width, decoded.height) for size, side in self.policy.sides.items()
        }
        del decoded
        return {size: upright(colours.to_srgb(pixels), header.orientation) for size, pixels in small.items()}


def _encode(picture: MatLike, quality: int) -> bytes:
    """Encoding from pixels drops the metadata: a matrix of pixels has none (PR-07)."""
    done, jpeg = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise PhotoUnreadable
    return jpeg.tobytes()
