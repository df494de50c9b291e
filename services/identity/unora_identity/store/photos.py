"""Photos, and the offers to upload them, with every object that an offer may have left in the object store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.ids import uuid7
from unora_common.rows import Columns, from_row

from unora_identity.domain.photos import Photo, PhotoQuality, UploadOffer

PHOTO_COLUMNS = Columns("id", "object_key", "has_face", "quality_passed", "width", "height")
_INSERTED = PHOTO_COLUMNS + Columns("user_id", "position", "sharpness", "brightness", "created_at")

# A repeat finds its offer, and moves the time after which its objects are orphans.
OFFER = """
    INSERT INTO identity.photo_uploads AS u
        (id, user_id, request_id, content_type, object_keys, expires_at, replaces_photo_id)
    VALUES ($1, $2, $3, $4, ARRAY[$5::text], $6, $7)
    ON CONFLICT (user_id, request_id) DO UPDATE SET expires_at = greatest(u.expires_at, excluded.expires_at)
    WHERE u.removing_at IS NULL
    RETURNING id, content_type, object_keys[1] AS object_key, replaces_photo_id"""
UNCOMPLETED = """
    SELECT u.expires_at FROM identity.photo_uploads u
    WHERE u.user_id = $1 AND u.request_id <> u.id AND NOT EXISTS (SELECT FROM identity.photos p WHERE p.id = u.id)"""
FIND = """
    SELECT u.object_keys[1] AS object_key, EXISTS (SELECT FROM identity.photos p WHERE p.id = u.id) AS completed
    FROM identity.photo_uploads u WHERE u.id = $1 AND u.user_id = $2 AND u.removing_at IS NULL"""
# Committed before the object is stored, so that the object is known whatever happens after.
NOTE_OBJECT = """
    UPDATE identity.photo_uploads SET object_keys = object_keys || $2::text
    WHERE id = $1 AND removing_at IS NULL AND cardinality(object_keys) < 20"""
LOCK_OFFER = "SELECT replaces_photo_id FROM identity.photo_uploads WHERE id = $1 AND removing_at IS NULL FOR UPDATE"
ADD = f"INSERT INTO identity.photos ({_INSERTED.names()}) VALUES ({_INSERTED.parameters()})"
# The row of a deleted photo stays, because reveals refer to it (RE-12). Its object is left to the clean-up, as an
# expired offer without a request of a client. The offer from which the photo came stays too: as long as its form is
# valid, the client may post another file, which the clean-up must find.
DELETE = """
    WITH gone AS (
        UPDATE identity.photos SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL RETURNING user_id, object_key)
    INSERT INTO identity.photo_uploads (id, user_id, request_id, content_type, object_keys, expires_at)
    SELECT $4, user_id, $4, 'image/jpeg', ARRAY[object_key], $3 FROM gone"""
# Two photos of a member must never have one position, not even for a moment, so all leave theirs first.
CLEAR_POSITIONS = "UPDATE identity.photos SET deleted_at = $2 WHERE user_id = $1 AND deleted_at IS NULL"
SET_POSITIONS = """
    UPDATE identity.photos p SET position = o.position, deleted_at = NULL
    FROM unnest($2::uuid[]) WITH ORDINALITY AS o (id, position) WHERE p.id = o.id AND p.user_id = $1"""
# Marked first and removed later, so that no upload is completed while its objects are being removed. The clock is read
# by a SELECT of its own: bare in the condition, it would be read for each row, and no index could be used.
MARK_ORPHANS = """
    WITH old AS (
        SELECT id FROM identity.photo_uploads
        WHERE expires_at < $1
            AND (removing_at IS NULL OR removing_at < (SELECT clock_timestamp()) - interval '5 minutes')
        ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    UPDATE identity.photo_uploads u SET removing_at = clock_timestamp() FROM old WHERE u.id = old.id
    RETURNING u.id, u.object_keys"""
IN_USE = "SELECT object_key FROM identity.photos WHERE object_key = ANY($1) AND deleted_at IS NULL"
REMOVE = "DELETE FROM identity.photo_uploads WHERE id = ANY($1) AND removing_at IS NOT NULL"


async def add_or_find_offer(
    tx: Tx, new: UploadOffer, user: UUID, request_id: UUID, expires_at: datetime
) -> UploadOffer | None:
    """Stores an offer, or finds that of the same request. None if the objects of that offer are being removed."""
    values = (new.id, user, request_id, new.content_type, new.object_key, expires_at, new.replaces_photo_id)
    row = await tx.row(OFFER, *values)
    return from_row(UploadOffer, row) if row else None


async def list_uncompleted(tx: Tx, user: UUID) -> list[datetime]:
    """The expiry times of all stored offers to a member that did not become a photo."""
    return [row["expires_at"] for row in await tx.rows(UNCOMPLETED, user)]


async def find_upload(session: Session, photo: UUID) -> tuple[str, bool] | None:
    """The key of the file that the caller uploads for a photo, and whether the upload was completed."""
    row = await session.row(FIND, photo, session.user)
    return (row["object_key"], row["completed"]) if row else None


async def note_object(tx: Tx, photo: UUID, object_key: str) -> bool:
    """Records an object that is about to be stored. Returns False if the offer is over, or was tried too often."""
    return await tx.run(NOTE_OBJECT, photo, object_key) == 1


async def lock_offer(tx: Tx, photo: UUID) -> tuple[bool, UUID | None]:
    """Keeps the offer from being removed until the end of the transaction. Returns whether there is still an offer, and
    the photo that it replaces.
    """
    row = await tx.row(LOCK_OFFER, photo)
    return (True, row["replaces_photo_id"]) if row else (False, None)


async def delete(tx: Tx, photo: UUID, expired_at: datetime) -> None:
    """Deletes a photo, and leaves its object to the clean-up as one that expired at `expired_at`, by the machine's
    clock.
    """
    await tx.run(DELETE, photo, tx.now, expired_at, uuid7())


async def set_order(tx: Tx, user: UUID, photos: Sequence[Photo]) -> None:
    """Stores the order of all photos of a member."""
    await tx.run(CLEAR_POSITIONS, user, tx.now)
    await tx.run(SET_POSITIONS, user, [photo.id for photo in photos])


async def add(tx: Tx, user: UUID, photo: Photo, position: int, quality: PhotoQuality) -> None:
    """Stores a photo."""
    values = _INSERTED.values_of(
        photo,
        user_id=user,
        position=position,
        sharpness=quality.sharpness,
        brightness=quality.brightness,
        created_at=tx.now,
    )
    await tx.run(ADD, *values)


async def mark_orphans(tx: Tx, expired_before: datetime, limit: int) -> dict[UUID, list[str]]:
    """Takes offers that are over; returns their objects. If the replica dies, another takes them after 5 minutes."""
    return {row["id"]: row["object_keys"] for row in await tx.rows(MARK_ORPHANS, expired_before, limit)}


async def list_in_use(session: Session, object_keys: Sequence[str]) -> set[str]:
    """Those of the objects that are photos."""
    return {row["object_key"] for row in await session.rows(IN_USE, list(object_keys))}


async def remove_offers(tx: Tx, offers: Sequence[UUID]) -> int:
    """Deletes offers whose objects are deleted."""
    return await tx.run(REMOVE, list(offers))
