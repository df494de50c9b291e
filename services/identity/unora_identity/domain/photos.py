"""PR-02, PR-03: a member's photos in their order, as facts about pictures. The pictures are in the object store."""

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

    def __init__(self, policy: Policy | None = None) -> None:
        super().__init__(most=(policy or Policy()).photos_most)


class TooManyUploads(DomainError):
    """PR-07: too many uploads were begun and not completed. There is room again when the oldest is deleted."""

    code = "RESOURCE_EXHAUSTED"
    reason = "TOO_MANY_UPLOADS"

    def __init__(self, most: int, retry_at: datetime) -> None:
        super().__init__(most=most, retry_at=retry_at.isoformat())


class PhotoNotFound(DomainError):
    """The member has no such photo; another member's photo gives the same answer (XX-04)."""

    code = "NOT_FOUND"
    reason = "PHOTO_NOT_FOUND"


class PhotoNotUploaded(DomainError):
    """The file has not been uploaded yet."""

    reason = "PHOTO_NOT_UPLOADED"


class PhotoOrderInvalid(InvalidArgument):
    """An order must name each of the member's photos once, and nothing else."""

    reason = "PHOTO_ORDER_INVALID"

    def __init__(self) -> None:
        super().__init__({"photo_ids": "names each of your photos once"})


class PhotoSize(StrEnum):
    """PR-09: the sizes in which each photo is kept."""

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
    """Its key in the object store."""


@dataclass(frozen=True, slots=True)
class PhotoQuality:
    """What was measured of a photo's quality (PR-03)."""

    sharpness: float
    brightness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadOffer:
    """PR-07: a member may upload one file, which becomes the photo with this id."""

    id: UUID
    content_type: str
    object_key: str
    replaces_photo_id: UUID | None = None
    """The photo whose place the new one takes."""


def add_photo(photos: Sequence[Photo], new: Photo, policy: Policy) -> tuple[Photo, ...]:
    """The photos with the new one at the end."""
    require_room(photos, policy)
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


def replace_photo(photos: Sequence[Photo], old: UUID, new: Photo) -> tuple[Photo, ...]:
    """The photos with the new one in the place of an old one, so that their number never falls."""
    position = position_of(photos, old)
    return (*photos[: position - 1], new, *photos[position:])


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


def require_few_uploads(expiries: Sequence[datetime], policy: Policy) -> None:
    """PR-07: refuses one more offer to upload. `expiries` are the expiry times of all offers that did not become a
    photo, the new one included.
    """
    if len(expiries) > policy.uploads_most:
        raise TooManyUploads(policy.uploads_most, min(expiries) + policy.upload_kept)


def any_face(photos: Sequence[Photo]) -> bool:
    """PR-02: whether at least one photo shows a face."""
    return any(photo.has_face for photo in photos)
