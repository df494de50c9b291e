"""PR-02: deleting and ordering the photos that a member has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from unora_common.database import Tx

from unora_identity.domain.photos import Photo, remove_photo, reorder_photos
from unora_identity.resources import Resources
from unora_identity.store import photos
from unora_identity.use_cases.member_update import update_member


async def delete_photo(tx: Tx, resources: Resources, photo: UUID) -> None:
    """PR-02: deletes a photo of the caller, unless a discovery-ready member needs it. Its objects are left to the
    clean-up, if nobody deletes them before.
    """
    async with update_member(tx, tx.user, resources.policy) as update:
        after = remove_photo(update.before.photos, photo)
        update.change_to(replace(update.before, photos=after))
        await photos.delete(tx, photo, expired_now(resources))
        await photos.set_order(tx, tx.user, after)


async def set_photo_order(tx: Tx, resources: Resources, order: Sequence[UUID]) -> tuple[Photo, ...]:
    """PR-02, ID-04: puts the caller's photos in another order; the quality of the first three counts for trust."""
    async with update_member(tx, tx.user, resources.policy) as update:
        after = reorder_photos(update.before.photos, order)
        update.change_to(replace(update.before, photos=after))
        await photos.set_order(tx, tx.user, after)
    return after


def expired_now(resources: Resources) -> datetime:
    """The expiry of an object that the next clean-up is to delete."""
    return resources.machine_now() - resources.policy.upload_kept
