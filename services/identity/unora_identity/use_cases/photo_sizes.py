"""PR-08, PR-09: photos that were uploaded before there were sizes get their sizes and their fingerprint.

What was found in them is not judged again: nobody loses a photo, readiness or trust.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.photos import PhotoSize
from unora_identity.providers.photo_store import ObjectMissing, ObjectTooLarge, StoreUnavailable
from unora_identity.providers.pictures import Picture
from unora_identity.resources import Resources
from unora_identity.store import photo_sizing, photo_uploads, photos
from unora_identity.store.photo_sizing import Claim, Unsized
from unora_identity.use_cases.photo_objects import new_keys, put_sizes
from unora_identity.use_cases.photo_refusals import BAD_FILES

MAX_ATTEMPTS: Final = 3
"""After so many, a photo whose inspection ends in the death of a process keeps its one size."""
YOUNG_IDS: Final = timedelta(days=1)
"""An id is made when an upload is offered, and a version without sizes may add its photo some time later: ids younger
than this are looked at again and again.
"""


async def size_next_photo(runtime: Runtime[IdentityConfig, Resources]) -> int:
    """Makes the sizes of one photo. Returns 0 if no photo lacks them, or another replica is at it.

    One photo at a time over all replicas: this work can wait, so it takes little of the machines.
    """
    database = runtime.database
    async with database.transaction() as tx:
        claim = await photo_sizing.claim(tx)
    if claim is None:
        return 0
    async with database.session() as session:
        photo = await photo_sizing.find_next(session, claim.passed_photo_id, _id_at(runtime.resources, YOUNG_IDS))
    settled = _id_at(runtime.resources, -YOUNG_IDS)
    if photo is None:
        await _release(runtime, claim, settled)
        return 0
    try:
        picture = await _inspect(runtime.resources, photo) if claim.tries <= MAX_ATTEMPTS else None
        if picture is None:
            await _keep_one_size(runtime, photo)
        else:
            await _keep_sizes(runtime, photo, picture)
    except StoreUnavailable:
        # No fault of the photo: it does not count as a try.
        await _release(runtime, claim, claim.passed_photo_id)
        raise
    await _release(runtime, claim, min(photo.id, settled))
    return 1


async def _inspect(resources: Resources, photo: Unsized) -> Picture | None:
    """None if the object is missing, or cannot be read."""
    try:
        data = await resources.photo_store.get(photo.object_key, most_bytes=resources.most_bytes)
        return await resources.vision.inspect(data, new=False)
    except (ObjectMissing, ObjectTooLarge, *BAD_FILES):
        return None


async def _keep_sizes(runtime: Runtime[IdentityConfig, Resources], photo: Unsized, picture: Picture) -> None:
    resources, keys = runtime.resources, new_keys(photo.user_id, photo.id)
    card, thumbnail = keys[PhotoSize.CARD], keys[PhotoSize.THUMBNAIL]
    async with runtime.database.transaction() as tx:
        expires_at = resources.machine_now() + resources.policy.upload_life
        record = await photo_uploads.record_objects(tx, photo.user_id, [card, thumbnail], expires_at)
    if record is None:
        return
    await put_sizes(resources, {keys[size]: picture.sizes[size] for size in (PhotoSize.CARD, PhotoSize.THUMBNAIL)})
    async with runtime.database.transaction() as tx:
        kept = await photos.set_sizes(tx, photo.id, card, thumbnail, picture.fingerprint)
        if kept and not await photo_uploads.drop_record(tx, record):
            raise RuntimeError("the clean-up took the sizes of a photo before they were kept")
    if not kept:
        await _take_back(runtime, record, [card, thumbnail])


async def _take_back(runtime: Runtime[IdentityConfig, Resources], record: UUID, keys: Sequence[str]) -> None:
    """Deletes the objects of a photo that was deleted meanwhile, or whose account is being erased. If that fails, the
    record stays, and the clean-up deletes them.
    """
    for key in keys:
        await runtime.resources.photo_store.delete(key)
    async with runtime.database.transaction() as tx:
        await photo_uploads.drop_record(tx, record)


async def _keep_one_size(runtime: Runtime[IdentityConfig, Resources], photo: Unsized) -> None:
    """Notes that the photo has no other sizes than its full one."""
    runtime.log.warning("photo keeps one size", aggregate_id=str(photo.id))
    async with runtime.database.transaction() as tx:
        await photos.set_sizes(tx, photo.id, photo.object_key, photo.object_key, None)


async def _release(runtime: Runtime[IdentityConfig, Resources], claim: Claim, passed: UUID) -> None:
    async with runtime.database.transaction() as tx:
        await photo_sizing.release(tx, claim, passed)


def _id_at(resources: Resources, ahead: timedelta) -> UUID:
    """The first id of this time: ids of photos that may lack their sizes begin with the milliseconds of their time. The
    random ids of this version nearly all lie beyond, so that the job does not read them all each time.
    """
    return UUID(int=int((resources.machine_now() + ahead).timestamp() * 1000) << 80)
