"""How a picture becomes a photo: offered, posted to the object store, looked at, cleaned, kept (PR-02, PR-03, PR-07).

The object store and the eyes are asked before the transaction. Each object is noted before it may exist, so that a
crash at any point leaves nothing that the clean-up does not find (jobs.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from unora.identity.v1.events_pb2 import PhotoAdded
from unora_common.database import Database, Tx
from unora_common.errors import DomainError, RequestIdReused
from unora_common.ids import uuid7

from unora_identity.domain import photos as album
from unora_identity.domain.photos import Photo, PhotoNotFound
from unora_identity.providers.photos import ObjectMissing, ObjectTooLarge, Upload
from unora_identity.providers.vision import PhotoTooLarge, Picture
from unora_identity.resources import Resources
from unora_identity.store import photos
from unora_identity.store.photos import Measures, Offer
from unora_identity.use_cases.member_update import update_member


class PhotoNotUploaded(DomainError):
    """The bytes have not been posted yet."""

    reason = "PHOTO_NOT_UPLOADED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """Leave to upload one photo."""

    photo: UUID
    form: Upload
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Received:
    """What was uploaded: cleaned, stored, and not yet anybody's photo."""

    photo: Photo
    measures: Measures


def upload_key(user: UUID, photo: UUID) -> str:
    """Where the bytes go as they come; only the clean copy of them is ever shown."""
    return f"uploads/{user}/{photo}"


async def offer(
    database: Database,
    resources: Resources,
    user: UUID,
    request_id: UUID,
    content_type: str,
    replaces: UUID | None = None,
) -> Offered:
    """PR-02, PR-07: a form for one more photo, if there is room, or for one in another's place. A repeat gets the same
    photo and a fresh form.
    """
    photo = uuid7()
    expires_at = resources.machine_now() + resources.policy.upload_life
    new = Offer(id=photo, content_type=content_type, object_key=upload_key(user, photo), replaces=replaces)
    async with database.transaction(user) as tx, update_member(tx, user, resources.policy) as change:
        kept = await photos.offer(tx, new, user, request_id, expires_at)
        if kept is None or (kept.content_type, kept.replaces) != (content_type, replaces):
            raise RequestIdReused
        if kept.id == photo:
            if replaces is None:
                album.check_room(change.before.photos, resources.policy)
            else:
                album.position_of(change.before.photos, replaces)
            album.check_uploads(await photos.uncompleted(tx, user), resources.policy)
    form = resources.photos.offer_upload(
        kept.object_key,
        content_type=content_type,
        most_bytes=resources.most_bytes,
        life=resources.policy.upload_life,
    )
    return Offered(photo=kept.id, form=form, expires_at=expires_at)


async def receive(database: Database, resources: Resources, user: UUID, photo: UUID) -> Received | None:
    """Reads, judges and cleans what was uploaded, and stores the copy. None if that was completed before.

    The copy has a name of its own at each try: what was judged is what is kept, whatever is posted meanwhile.
    """
    async with database.session(user) as session:
        found = await photos.find(session, photo)
    if found is None:
        raise PhotoNotFound
    uploaded, completed = found
    if completed:
        return None
    await resources.looking.acquire()
    # A thread cannot be stopped: the turn is given back when the work has ended, not when the call is given up.
    picture = await resources.finishing.run(_look(resources, uploaded))
    object_key = f"photos/{user}/{photo}/{uuid7()}"
    async with database.transaction(user) as tx:
        if not await photos.note_object(tx, photo, object_key):
            raise PhotoNotFound
    await resources.photos.put(object_key, picture.jpeg, content_type="image/jpeg")
    kept = Photo(
        id=photo,
        face=picture.face,
        quality_passed=picture.quality_passed,
        width=picture.width,
        height=picture.height,
        object_key=object_key,
    )
    return Received(kept, Measures(picture.sharpness, picture.brightness))


async def keep(tx: Tx, resources: Resources, photo: UUID, received: Received | None) -> tuple[Photo, int]:
    """PR-02: the picture becomes the member's last photo, if there is still room, or takes the place of the one that it
    replaces; once. Returns it and its position.
    """
    async with update_member(tx, tx.user, resources.policy) as change:
        kept = change.before.photos
        for position, known in enumerate(kept, start=1):
            if known.id == photo:
                return known, position
        there, replaces = await photos.hold(tx, photo)
        if received is None or not there:
            raise PhotoNotFound
        if replaces is None:
            after = album.add(kept, received.photo, resources.policy)
        else:
            after = album.swap(kept, replaces, received.photo)
            await photos.delete(tx, replaces, _due_at_once(resources))
        position = album.position_of(after, photo)
        await photos.add(tx, tx.user, received.photo, position, received.measures)
        change.locked.tell(
            tx,
            PhotoAdded,
            photo_id=str(photo),
            has_face=received.photo.face,
            quality_passed=received.photo.quality_passed,
        )
        change.to(replace(change.before, photos=after))
        return received.photo, position


async def delete(tx: Tx, resources: Resources, photo: UUID) -> None:
    """PR-02: a photo less, if the member can do without; its object is deleted by the next clean-up."""
    async with update_member(tx, tx.user, resources.policy) as change:
        after = album.without(change.before.photos, photo)
        change.to(replace(change.before, photos=after))
        await photos.delete(tx, photo, _due_at_once(resources))
        await photos.arrange(tx, tx.user, after)


async def reorder(tx: Tx, resources: Resources, order: Sequence[UUID]) -> tuple[Photo, ...]:
    """PR-02, ID-04: the photos in another order, of which the first three are judged."""
    async with update_member(tx, tx.user, resources.policy) as change:
        after = album.reorder(change.before.photos, order)
        change.to(replace(change.before, photos=after))
        await photos.arrange(tx, tx.user, after)
    return after


def _due_at_once(resources: Resources) -> datetime:
    """The expiry of an object that nobody needs to wait for."""
    return resources.machine_now() - resources.policy.upload_kept


async def _look(resources: Resources, uploaded: str) -> Picture:
    """Gives the turn back that its caller has taken."""
    try:
        data = await resources.photos.get(uploaded, most_bytes=resources.most_bytes)
        return await resources.vision.look(data)
    except ObjectMissing:
        raise PhotoNotUploaded from None
    except ObjectTooLarge:
        raise PhotoTooLarge(most_bytes=resources.most_bytes) from None
    finally:
        resources.looking.release()
