"""PR-02, PR-03, PR-07 to PR-09: a picture becomes a photo: offered, posted to the object store, inspected, cleaned,
stored in three sizes.

The object store and the inspection come before the transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from unora_common.database import Tx
from unora_common.errors import RequestIdReused
from unora_common.ids import random_id
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.events import PhotoAdded
from unora_identity.domain.photos import (
    Photo,
    PhotoNotFound,
    PhotoNotUploaded,
    PhotoQuality,
    PhotoSize,
    UploadOffer,
    add_photo,
    position_of,
    replace_photo,
    require_few_uploads,
    require_room,
)
from unora_identity.providers.photo_store import ObjectMissing, ObjectTooLarge, UploadForm
from unora_identity.providers.pictures import PhotoTooLarge, Picture
from unora_identity.resources import Resources
from unora_identity.store import photo_uploads, photos
from unora_identity.use_cases.background import finish_first, run_to_completion
from unora_identity.use_cases.member_update import update_member
from unora_identity.use_cases.photo_objects import (
    delete_objects,
    delete_objects_of_deleted,
    new_keys,
    put_sizes,
    upload_key,
)
from unora_identity.use_cases.photo_refusals import BAD_FILES, note_refusal, require_open
from unora_identity.use_cases.photos import expired_now


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedUpload:
    """The form with which a client uploads one photo."""

    photo_id: UUID
    form: UploadForm
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ReceivedPhoto:
    """An upload that was inspected, cleaned and stored as an object, and is not a member's photo yet."""

    photo: Photo
    quality: PhotoQuality


async def offer_upload(
    runtime: Runtime[IdentityConfig, Resources],
    user: UUID,
    request_id: UUID,
    content_type: str,
    replaces_photo_id: UUID | None = None,
) -> OfferedUpload:
    """PR-02, PR-07: a form for one more photo, if there is room, or for one in the place of another. A repeat gets the
    same photo and a fresh form.
    """
    resources, policy = runtime.resources, runtime.resources.policy
    photo = random_id()
    expires_at = resources.machine_now() + policy.upload_life
    new = UploadOffer(
        id=photo,
        content_type=content_type,
        object_key=upload_key(user, photo),
        replaces_photo_id=replaces_photo_id,
    )
    async with runtime.database.transaction(user) as tx, update_member(tx, user, policy) as update:
        offer = await photo_uploads.add_or_find_offer(
            tx, new, user, request_id, expires_at, policy.upload_refusals_most
        )
        if offer is None or (offer.content_type, offer.replaces_photo_id) != (content_type, replaces_photo_id):
            raise RequestIdReused
        if offer.id == photo:
            if replaces_photo_id is None:
                require_room(update.before.photos, policy)
            else:
                position_of(update.before.photos, replaces_photo_id)
            require_few_uploads(await photo_uploads.list_uncompleted(tx, user), policy)
    resources.vision.prepare()  # the decoders load while the client uploads
    form = resources.photo_store.upload_form(
        offer.object_key, content_type=content_type, most_bytes=resources.most_bytes, life=policy.upload_life
    )
    return OfferedUpload(photo_id=offer.id, form=form, expires_at=expires_at)


async def receive_upload(
    runtime: Runtime[IdentityConfig, Resources], user: UUID, photo: UUID, request_id: UUID
) -> ReceivedPhoto | None:
    """Reads, inspects and cleans an uploaded file, and stores the sizes. None if the upload was completed before.

    Each attempt stores them under keys of its own, so that what was inspected is what is kept, even if another file is
    posted meanwhile.
    """
    resources = runtime.resources
    async with runtime.database.session(user) as session:
        upload = await photo_uploads.find(session, photo)
    if upload is None:
        raise PhotoNotFound
    require_open(upload, request_id, resources)
    if upload.completed:
        return None
    try:
        async with resources.photo_work.turn(user):
            picture = await _inspect(resources, upload.object_key)
    except BAD_FILES as refusal:
        # It counts also if the caller hangs up now.
        await run_to_completion(note_refusal(runtime, photo, upload.object_key, request_id, refusal))
        raise
    keys = new_keys(user, photo)
    async with runtime.database.transaction(user) as tx:
        if not await photo_uploads.note_objects(tx, photo, [*keys.values()], resources.policy.upload_refusals_most):
            raise PhotoNotFound
    await put_sizes(resources, {keys[size]: jpeg for size, jpeg in picture.sizes.items()})
    kept = Photo(
        id=photo,
        has_face=picture.has_face,
        quality_passed=picture.quality_passed,
        width=picture.width,
        height=picture.height,
        object_key=keys[PhotoSize.FULL],
        card_key=keys[PhotoSize.CARD],
        thumbnail_key=keys[PhotoSize.THUMBNAIL],
        fingerprint=picture.fingerprint,
    )
    return ReceivedPhoto(kept, PhotoQuality(picture.sharpness, picture.brightness))


async def add_received_photo(
    tx: Tx, resources: Resources, photo: UUID, received: ReceivedPhoto | None
) -> tuple[Photo, int]:
    """PR-02, PR-08: makes the picture the caller's last photo, if there is still room, or puts it in the place of the
    photo that it replaces; once, and only if no other photo of the caller shows it. Returns the photo and its position.
    """
    async with update_member(tx, tx.user, resources.policy) as update:
        before = update.before.photos
        for position, known in enumerate(before, start=1):
            if known.id == photo:
                return known, position
        offered, replaced = await photo_uploads.lock_offer(tx, photo, resources.policy.upload_refusals_most)
        if received is None or not offered:
            raise PhotoNotFound
        if replaced is None:
            after = add_photo(before, received.photo, resources.policy)
        else:
            after = replace_photo(before, replaced, received.photo, resources.policy)
            await photos.delete(tx, replaced, expired_now(resources))
        position = position_of(after, photo)
        await photos.add(tx, tx.user, received.photo, position, received.quality)
        await photo_uploads.give_objects(tx, photo, [*received.photo.keys])
        event = PhotoAdded(
            **next(update.headers),
            photo_id=photo,
            has_face=received.photo.has_face,
            quality_passed=received.photo.quality_passed,
        )
        update.events.append(event)
        update.change_to(replace(update.before, photos=after))
        return received.photo, position


async def delete_what_is_left(runtime: Runtime[IdentityConfig, Resources], user: UUID, photo: UUID) -> None:
    """PR-04, PR-07: after an upload was completed, deletes the file as it was uploaded, with its metadata, and the
    objects of the photo that was replaced. If the object store is unavailable, the clean-up does it.
    """
    await delete_objects(runtime.resources, [upload_key(user, photo)])
    async with runtime.database.session(user) as session:
        replaced = await photos.find_replaced(session, user, photo)
    if replaced:
        await delete_objects_of_deleted(runtime.resources, runtime.database, user, replaced)


async def _inspect(resources: Resources, uploaded_key: str) -> Picture:
    """While the caller has a turn (XX-07)."""
    try:
        data = await finish_first(resources.photo_store.get(uploaded_key, most_bytes=resources.most_bytes))
        return await resources.vision.inspect(data)
    except ObjectMissing:
        raise PhotoNotUploaded from None
    except ObjectTooLarge:
        raise PhotoTooLarge(most_bytes=resources.most_bytes) from None
