"""PR-04, PR-07, PR-09: the objects of photos. Each is recorded before it exists, so that the clean-up finds what a
crash leaves (jobs/clean_up.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from uuid import UUID

from unora_common.database import Database
from unora_common.ids import random_id

from unora_identity.domain.photos import Photo, PhotoSize
from unora_identity.providers.photo_store import StoreUnavailable
from unora_identity.resources import Resources
from unora_identity.store import photos


def upload_key(user: UUID, photo: UUID) -> str:
    """The key of the file as it was uploaded; only its clean copies are ever shown."""
    return f"uploads/{user}/{photo}"


def new_keys(user: UUID, photo: UUID) -> dict[PhotoSize, str]:
    """Keys for the sizes of a photo that no other attempt uses, so that what was inspected is what is kept."""
    attempt = random_id()
    return {size: f"photos/{user}/{photo}/{attempt}/{size}" for size in PhotoSize}


async def put_sizes(resources: Resources, pictures: Mapping[str, bytes]) -> None:
    """Stores JPEGs under their keys, which are recorded."""
    put = resources.photo_store.put
    await asyncio.gather(*(put(key, jpeg, content_type="image/jpeg") for key, jpeg in pictures.items()))


async def delete_objects(resources: Resources, keys: Collection[str]) -> None:
    """Deletes objects at once if the object store answers soon; else the clean-up deletes them."""
    with suppress(StoreUnavailable, TimeoutError):
        async with asyncio.timeout(resources.policy.objects_deleted_within.total_seconds()):
            await asyncio.gather(*map(resources.photo_store.delete, keys))


async def delete_objects_of_deleted(resources: Resources, database: Database, user: UUID, photo: UUID) -> None:
    """PR-04: the links of a photo that was just deleted stop working."""
    async with database.session(user) as session:
        keys = await photos.list_keys_of_deleted(session, user, photo)
    await delete_objects(resources, keys)


def links(resources: Resources, photo: Photo) -> dict[PhotoSize, str]:
    """PR-04, PR-09: a link for each size, valid for minutes: only for a member who may see the photo."""
    link, life = resources.photo_store.link, resources.policy.link_life
    made = {key: link(key, life=life) for key in photo.keys}
    return {size: made[photo.key_of(size)] for size in PhotoSize}
