"""PR-02, PR-03, PR-08, PR-09: a member's photos in their order, as facts about pictures. The pictures are in the object
store.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from unora_common.errors import DomainError, InvalidArgument

from unora_identity.domain.policy import Policy


class TooManyPhotos(DomainError):
    """PR-02: a seventh photo is refused."""

    reason = "TOO_MANY_PHOTOS"
    sentence = "You have as many photos as possible. Delete or replace one."

    def __init__(self, policy: Policy | None = None) -> None:
        super().__init__(most=(policy or Policy()).photos_most)


class TooManyUploads(DomainError):
    """PR-07: too many uploads were begun and not completed. There is room again when the oldest is deleted."""

    code = "RESOURCE_EXHAUSTED"
    reason = "TOO_MANY_UPLOADS"
    sentence = "You began too many uploads. Try again later."

    def __init__(self, most: int, retry_at: datetime) -> None:
        super().__init__(most=most, retry_at=retry_at.isoformat())


class PhotoNotFound(DomainError):
    """The member has no such photo; another member's photo gives the same answer (XX-04)."""

    code = "NOT_FOUND"
    reason = "PHOTO_NOT_FOUND"
    sentence = "This photo does not exist."


class PhotoRepeated(DomainError):
    """PR-08: one of the member's other photos, `photo_id`, shows the same picture."""

    reason = "PHOTO_REPEATED"
    sentence = "You have this picture already."

    def __init__(self, photo: UUID) -> None:
        super().__init__(photo_id=photo)


class PhotoNotUploaded(DomainError):
    """The file has not been uploaded yet."""

    reason = "PHOTO_NOT_UPLOADED"
    sentence = "The photo has not been uploaded yet."


class PhotoOrderInvalid(InvalidArgument):
    """An order must name each of the member's photos once, and nothing else."""

    reason = "PHOTO_ORDER_INVALID"
    sentence = "The order must name each of your photos once."

    def __init__(self) -> None:
        super().__init__({"photo_ids": "names each of your photos once"})


class PhotoSize(StrEnum):
    """PR-09: the sizes in which a photo is kept, each an object of its own."""

    THUMBNAIL = "thumbnail"
    CARD = "card"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """What was found in the picture when it was uploaded."""

    id: UUID
    has_face: bool
    quality_passed: bool
    width: int
    height: int
    object_key: str
    """The full size's key in the object store."""
    card_key: str | None = None
    thumbnail_key: str | None = None
    """None: the photo was uploaded before there were sizes, and waits for its own. So do its card and fingerprint."""
    fingerprint: int | None = None
    """PR-08: 64 bits that equal pictures nearly share. None also when the picture could not be read again."""

    def key_of(self, size: PhotoSize) -> str:
        """The object that shows a size: the full one as long as there is no other."""
        keys = {PhotoSize.FULL: None, PhotoSize.CARD: self.card_key, PhotoSize.THUMBNAIL: self.thumbnail_key}
        return keys[size] or self.object_key

    @property
    def keys(self) -> frozenset[str]:
        """All its objects."""
        return frozenset(map(self.key_of, PhotoSize))


@dataclass(frozen=True, slots=True)
class PhotoQuality:
    """What was measured of a photo's quality (PR-03)."""

    sharpness: float
    brightness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRefusal:
    """The refusal of a call, because the uploaded file is no picture that can be a photo. A repeat of the call gets the
    same refusal, and the file is not looked at again.
    """

    request_id: UUID
    reason: str
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """PR-07: what is known of an offer when a call is to complete it."""

    object_key: str
    """The key of the uploaded file."""
    completed: bool
    refusals: tuple[UploadRefusal, ...]

    def refusal_of(self, request_id: UUID) -> UploadRefusal | None:
        """The refusal that this call has got before."""
        return next((refusal for refusal in self.refusals if refusal.request_id == request_id), None)

    def is_over(self, policy: Policy) -> bool:
        """Whether the offer is forgotten, because its file was refused too often. It goes on to count as an upload that
        was not completed until it expires, so that bad files are limited like all others.
        """
        return len(self.refusals) >= policy.upload_refusals_most


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadOffer:
    """PR-07: a member may upload one file, which becomes the photo with this id."""

    id: UUID
    content_type: str
    object_key: str
    replaces_photo_id: UUID | None = None
    """The photo whose place the new one takes."""


def same_picture(a: int, b: int, bits: int) -> bool:
    """PR-08: whether two fingerprints are of the same picture: at most `bits` of them differ."""
    return (a ^ b).bit_count() <= bits


def add_photo(photos: Sequence[Photo], new: Photo, policy: Policy) -> tuple[Photo, ...]:
    """The photos with the new one at the end. Raises TooManyPhotos or PhotoRepeated."""
    require_room(photos, policy)
    require_new_picture(photos, new, policy)
    return (*photos, new)


def position_of(photos: Sequence[Photo], photo: UUID) -> int:
    """The position of a photo, counted from 1. Raises PhotoNotFound."""
    for position, known in enumerate(photos, start=1):
        if known.id == photo:
            return position
    raise PhotoNotFound


def remove_photo(photos: Sequence[Photo], photo: UUID) -> tuple[Photo, ...]:
    """The photos without one; the later ones move up."""
    position = position_of(photos, photo)
    return (*photos[: position - 1], *photos[position:])


def replace_photo(photos: Sequence[Photo], old: UUID, new: Photo, policy: Policy) -> tuple[Photo, ...]:
    """The photos with the new one in the place of an old one, so that their number never falls. The new one may show
    the picture of the old one again. Raises PhotoNotFound or PhotoRepeated.
    """
    position = position_of(photos, old)
    before, after = photos[: position - 1], photos[position:]
    require_new_picture((*before, *after), new, policy)
    return (*before, new, *after)


def reorder_photos(photos: Sequence[Photo], order: Sequence[UUID]) -> tuple[Photo, ...]:
    """The same photos in another order."""
    known = {photo.id: photo for photo in photos}
    if len(order) != len(known) or set(order) != set(known):
        raise PhotoOrderInvalid
    return tuple(known[photo] for photo in order)


def require_room(photos: Sequence[Photo], policy: Policy) -> None:
    """PR-02: refuses one more photo if there is no room. Checked before an upload is offered, and again under the lock
    when it is completed.
    """
    if len(photos) >= policy.photos_most:
        raise TooManyPhotos(policy)


def require_new_picture(photos: Sequence[Photo], new: Photo, policy: Policy) -> None:
    """PR-08: refuses a photo that shows the picture of another. Checked under the member's lock, so that of two uploads
    of one picture at the same time only one becomes a photo. A photo without a fingerprint is like no other.
    """
    for photo in photos:
        if photo.fingerprint is None or new.fingerprint is None:
            continue
        if same_picture(photo.fingerprint, new.fingerprint, policy.photo_repeat_bits):
            raise PhotoRepeated(photo.id)


def require_few_uploads(expiries: Sequence[datetime], policy: Policy) -> None:
    """PR-07: refuses one more offer to upload. `expiries` are the expiry times of all offers that did not become a
    photo, the new one included.
    """
    if len(expiries) > policy.uploads_most:
        raise TooManyUploads(policy.uploads_most, min(expiries) + policy.upload_kept)


def any_face(photos: Sequence[Photo]) -> bool:
    """PR-02: whether at least one photo shows a face."""
    return any(photo.has_face for photo in photos)
