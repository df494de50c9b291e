"""PR-02, PR-03: the photos of a member, in the member's order, as facts about pictures. The pictures are elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from unora_common.errors import DomainError, InvalidArgument

from unora_identity.domain.policy import Policy


class TooManyPhotos(DomainError):
    """PR-02: a seventh is refused."""

    reason = "TOO_MANY_PHOTOS"

    def __init__(self, policy: Policy | None = None) -> None:
        super().__init__(most=(policy or Policy()).photos_most)


class TooManyUploads(DomainError):
    """PR-07: too many that were begun and not completed; when the oldest is forgotten there is room again."""

    code = "RESOURCE_EXHAUSTED"
    reason = "TOO_MANY_UPLOADS"

    def __init__(self, most: int, retry_at: datetime) -> None:
        super().__init__(most=most, retry_at=retry_at.isoformat())


class PhotoNotFound(DomainError):
    """No such photo among the member's own; another's gives the same answer (XX-04)."""

    code = "NOT_FOUND"
    reason = "PHOTO_NOT_FOUND"


class PhotoOrderInvalid(InvalidArgument):
    """An order names each photo once, and nothing else."""

    reason = "PHOTO_ORDER_INVALID"

    def __init__(self) -> None:
        super().__init__({"photo_ids": "names each of your photos once"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """What was found in the picture when it was uploaded."""

    id: UUID
    face: bool
    quality_passed: bool
    width: int
    height: int
    object_key: str
    """Where the object store keeps it."""


def add(photos: Sequence[Photo], new: Photo, policy: Policy) -> tuple[Photo, ...]:
    """The new photo comes last."""
    check_room(photos, policy)
    return (*photos, new)


def position_of(photos: Sequence[Photo], photo: UUID) -> int:
    """Where one of the photos is, from 1."""
    for position, known in enumerate(photos, start=1):
        if known.id == photo:
            return position
    raise PhotoNotFound


def without(photos: Sequence[Photo], photo: UUID) -> tuple[Photo, ...]:
    """One less; those behind it move up."""
    position = position_of(photos, photo)
    return (*photos[: position - 1], *photos[position:])


def swap(photos: Sequence[Photo], old: UUID, new: Photo) -> tuple[Photo, ...]:
    """The new photo takes the place of an old one, so that there is never one less."""
    position = position_of(photos, old)
    return (*photos[: position - 1], new, *photos[position:])


def reorder(photos: Sequence[Photo], order: Sequence[UUID]) -> tuple[Photo, ...]:
    """The same photos in another order."""
    known = {photo.id: photo for photo in photos}
    if len(order) != len(known) or set(order) != set(known):
        raise PhotoOrderInvalid
    return tuple(known[photo] for photo in order)


def check_room(photos: Sequence[Photo], policy: Policy) -> None:
    """Asked before an upload is offered, and again under the lock when it is completed."""
    if len(photos) >= policy.photos_most:
        raise TooManyPhotos(policy)


def check_uploads(expiries: Sequence[datetime], policy: Policy) -> None:
    """PR-07: asked when one more is offered; `expiries` are those of all offers that did not become a photo, it too."""
    if len(expiries) > policy.uploads_most:
        raise TooManyUploads(policy.uploads_most, min(expiries) + policy.upload_kept)


def has_face(photos: Sequence[Photo]) -> bool:
    """PR-02: at least one shows a face."""
    return any(photo.face for photo in photos)
