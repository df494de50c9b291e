"""Photos, and the offers to upload them with every object that may have come of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.ids import uuid7

from unora_identity.domain.photos import Photo

# A repeat finds its offer, and moves the time after which the objects are orphans.
OFFER = """
    INSERT INTO identity.photo_uploads AS u
        (id, user_id, request_id, content_type, object_keys, expires_at, replaces_photo_id)
    VALUES ($1, $2, $3, $4, ARRAY[$5::text], $6, $7)
    ON CONFLICT (user_id, request_id) DO UPDATE SET expires_at = greatest(u.expires_at, excluded.expires_at)
    WHERE u.removing_at IS NULL
    RETURNING id, content_type, object_keys[1] AS object_key, replaces_photo_id AS replaces"""
UNCOMPLETED = """
    SELECT u.expires_at FROM identity.photo_uploads u
    WHERE u.user_id = $1 AND u.request_id <> u.id AND NOT EXISTS (SELECT FROM identity.photos p WHERE p.id = u.id)"""
FIND = """
    SELECT u.object_keys[1] AS object_key, EXISTS (SELECT FROM identity.photos p WHERE p.id = u.id) AS completed
    FROM identity.photo_uploads u WHERE u.id = $1 AND u.user_id = $2 AND u.removing_at IS NULL"""
# In a transaction of its own before the object is stored: whatever happens then, the object is known.
NOTE_OBJECT = """
    UPDATE identity.photo_uploads SET object_keys = object_keys || $2::text
    WHERE id = $1 AND removing_at IS NULL AND cardinality(object_keys) < 20"""
HOLD = "SELECT replaces_photo_id FROM identity.photo_uploads WHERE id = $1 AND removing_at IS NULL FOR UPDATE"
ADD = """
    INSERT INTO identity.photos (id, user_id, position, object_key, has_face, quality_passed, sharpness, brightness,
                                 width, height, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"""
# A photo that is deleted leaves its row, to which reveals refer (RE-12), and its object to the clean-up, as an offer
# that is over and was nobody's request. The offer that it came from lives on: as long as its form does, something may
# be posted to it once more, and would else be forgotten.
DELETE = """
    WITH gone AS (
        UPDATE identity.photos SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL RETURNING user_id, object_key)
    INSERT INTO identity.photo_uploads (id, user_id, request_id, content_type, object_keys, expires_at)
    SELECT $4, user_id, $4, 'image/jpeg', ARRAY[object_key], $3 FROM gone"""
# No two photos of a member may have one position, not even for a moment, so all leave theirs before they take the new.
LEAVE = "UPDATE identity.photos SET deleted_at = $2 WHERE user_id = $1 AND deleted_at IS NULL"
ARRANGE = """
    UPDATE identity.photos p SET position = o.position, deleted_at = NULL
    FROM unnest($2::uuid[]) WITH ORDINALITY AS o (id, position) WHERE p.id = o.id AND p.user_id = $1"""
# Marked first and removed later, so that no upload is completed while its objects are being removed. The clock is read
# once, by a SELECT of its own: bare in the condition, it would be read for each row, and no index could serve it.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An offer to upload: the photo it will be, and where the bytes go."""

    id: UUID
    content_type: str
    object_key: str
    replaces: UUID | None = None
    """The photo whose place it takes."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What was measured of a photo's quality (PR-03)."""

    sharpness: float
    brightness: float


async def offer(tx: Tx, new: Offer, user: UUID, request_id: UUID, expires_at: datetime) -> Offer | None:
    """Keeps an offer, or finds that of the same request; None if its objects are being removed."""
    row = await tx.row(OFFER, new.id, user, request_id, new.content_type, new.object_key, expires_at, new.replaces)
    return Offer(**row) if row else None


async def uncompleted(tx: Tx, user: UUID) -> list[datetime]:
    """When the forms expire, or did, of all offers to a member that are kept and did not become a photo."""
    return [row["expires_at"] for row in await tx.rows(UNCOMPLETED, user)]


async def find(session: Session, photo: UUID) -> tuple[str, bool] | None:
    """Where the caller's bytes for a photo are, and whether they were completed; None if there is no such offer."""
    row = await session.row(FIND, photo, session.user)
    return (row["object_key"], row["completed"]) if row else None


async def note_object(tx: Tx, photo: UUID, object_key: str) -> bool:
    """Notes an object that is about to be stored; False if the offer is over, or was tried too often."""
    return await tx.run(NOTE_OBJECT, photo, object_key) == 1


async def hold(tx: Tx, photo: UUID) -> tuple[bool, UUID | None]:
    """Keeps the offer from being removed until the end of the transaction. Whether it is not over, and which photo it
    is to replace.
    """
    row = await tx.row(HOLD, photo)
    return (True, row["replaces_photo_id"]) if row else (False, None)


async def delete(tx: Tx, photo: UUID, due: datetime) -> None:
    """Deletes a photo; its object is one that expired at `due`, by the machine's clock."""
    await tx.run(DELETE, photo, tx.now, due, uuid7())


async def arrange(tx: Tx, user: UUID, photos: Sequence[Photo]) -> None:
    """Puts all photos of a member in this order."""
    await tx.run(LEAVE, user, tx.now)
    await tx.run(ARRANGE, user, [photo.id for photo in photos])


async def add(tx: Tx, user: UUID, photo: Photo, position: int, measures: Measures) -> None:
    """Keeps a photo."""
    await tx.run(
        ADD,
        photo.id,
        user,
        position,
        photo.object_key,
        photo.face,
        photo.quality_passed,
        measures.sharpness,
        measures.brightness,
        photo.width,
        photo.height,
        tx.now,
    )


async def mark_orphans(tx: Tx, expired_before: datetime, limit: int) -> dict[UUID, list[str]]:
    """Takes offers that are over; returns their objects. A replica that dies leaves them to another after 5 minutes."""
    return {row["id"]: row["object_keys"] for row in await tx.rows(MARK_ORPHANS, expired_before, limit)}


async def in_use(session: Session, object_keys: Sequence[str]) -> set[str]:
    """Which of these objects are photos."""
    return {row["object_key"] for row in await session.rows(IN_USE, list(object_keys))}


async def remove(tx: Tx, offers: Sequence[UUID]) -> int:
    """Forgets offers whose objects are gone."""
    return await tx.run(REMOVE, list(offers))
