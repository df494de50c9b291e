"""Offers to upload a photo, with every object that an offer may have left in the object store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from unora_common.database import Session, Tx
from unora_common.ids import uuid7
from unora_common.rows import from_row

from unora_identity.domain.photos import Upload, UploadOffer, UploadRefusal

# A repeat finds its offer, and moves the time after which its objects are orphans.
OFFER = """
    INSERT INTO identity.photo_uploads AS u
        (id, user_id, request_id, content_type, object_keys, expires_at, replaces_photo_id)
    VALUES ($1, $2, $3, $4, ARRAY[$5::text], $6, $7)
    ON CONFLICT (user_id, request_id) DO UPDATE SET expires_at = greatest(u.expires_at, excluded.expires_at)
    WHERE u.removing_at IS NULL AND jsonb_array_length(u.refusals) < $8
    RETURNING id, content_type, object_keys[1] AS object_key, replaces_photo_id"""
UNCOMPLETED = """
    SELECT u.expires_at FROM identity.photo_uploads u
    WHERE u.user_id = $1 AND u.request_id <> u.id AND NOT EXISTS (SELECT FROM identity.photos p WHERE p.id = u.id)"""
FIND = """
    SELECT u.object_keys[1] AS object_key, u.refusals,
        EXISTS (SELECT FROM identity.photos p WHERE p.id = u.id) AS completed
    FROM identity.photo_uploads u WHERE u.id = $1 AND u.user_id = $2 AND u.removing_at IS NULL"""
# Committed before the objects are stored, so that they are known whatever happens after. An upload has one object, and
# each attempt to complete it three more.
NOTE_OBJECTS = """
    UPDATE identity.photo_uploads SET object_keys = object_keys || $2::text[]
    WHERE id = $1 AND removing_at IS NULL AND cardinality(object_keys) < 60 AND jsonb_array_length(refusals) < $3"""
NOTE_REFUSAL = """
    UPDATE identity.photo_uploads SET refusals = refusals || $2::jsonb
    WHERE id = $1 AND removing_at IS NULL AND NOT refusals @> $3::jsonb RETURNING jsonb_array_length(refusals)"""
# An offer is used up by its photo, also when that is deleted by now.
LOCK_OFFER = """
    SELECT u.replaces_photo_id FROM identity.photo_uploads u
    WHERE u.id = $1 AND u.removing_at IS NULL AND jsonb_array_length(u.refusals) < $2
        AND NOT EXISTS (SELECT FROM identity.photos p WHERE p.id = u.id) FOR UPDATE"""
# From now on the photo alone has these objects: a clean-up of the offer leaves them.
GIVE_OBJECTS = """
    UPDATE identity.photo_uploads SET object_keys = ARRAY(
        SELECT key FROM unnest(object_keys) WITH ORDINALITY AS o (key, place) WHERE key <> ALL ($2) ORDER BY place)
    WHERE id = $1"""
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
# A version before this one left a photo's object to its offer.
IN_USE = "SELECT object_key FROM identity.photos WHERE object_key = ANY($1) AND deleted_at IS NULL"
REMOVE = "DELETE FROM identity.photo_uploads WHERE id = ANY($1) AND removing_at IS NOT NULL"
# The account is locked before the record is written: an erasure that begins later finds the record, and if an erasure
# has begun, no record is written.
RECORD = """
    INSERT INTO identity.photo_uploads (id, user_id, request_id, content_type, object_keys, expires_at)
    SELECT $1, id, $1, 'image/jpeg', $3, $4 FROM identity.users WHERE id = $2 AND deleted_at IS NULL FOR KEY SHARE"""
DROP_RECORD = "DELETE FROM identity.photo_uploads WHERE id = $1 AND removing_at IS NULL"


async def add_or_find_offer(
    tx: Tx, new: UploadOffer, user: UUID, request_id: UUID, expires_at: datetime, refusals_most: int
) -> UploadOffer | None:
    """Stores an offer, or finds that of the same request. None if that offer is over: it is forgotten, or its objects
    are being removed.
    """
    values = (new.id, user, request_id, new.content_type, new.object_key, expires_at, new.replaces_photo_id)
    row = await tx.row(OFFER, *values, refusals_most)
    return from_row(UploadOffer, row) if row else None


async def list_uncompleted(tx: Tx, user: UUID) -> list[datetime]:
    """The expiry times of all stored offers to a member that did not become a photo, those that are forgotten too."""
    return [row["expires_at"] for row in await tx.rows(UNCOMPLETED, user)]


async def find(session: Session, photo: UUID) -> Upload | None:
    """The upload that the caller makes for a photo."""
    row = await session.row(FIND, photo, session.user)
    if row is None:
        return None
    return from_row(Upload, row, refusals=msgspec.json.decode(row["refusals"], type=tuple[UploadRefusal, ...]))


async def note_objects(tx: Tx, photo: UUID, object_keys: Sequence[str], refusals_most: int) -> bool:
    """Records objects that are about to be stored. Returns False if the offer is over, or was tried too often."""
    return await tx.run(NOTE_OBJECTS, photo, list(object_keys), refusals_most) == 1


async def note_refusal(tx: Tx, photo: UUID, refusal: UploadRefusal) -> int:
    """Keeps the refusal of a call. Returns how many the offer has now; 0 if this call has one already, or the offer is
    being removed.
    """
    same_call = [{"request_id": refusal.request_id}]
    count: int | None = await tx.value(NOTE_REFUSAL, photo, _json([refusal]), _json(same_call))
    return count or 0


async def lock_offer(tx: Tx, photo: UUID, refusals_most: int) -> tuple[bool, UUID | None]:
    """Keeps the offer from being removed until the end of the transaction. Returns whether there is still an offer, and
    the photo that it replaces.
    """
    row = await tx.row(LOCK_OFFER, photo, refusals_most)
    return (True, row["replaces_photo_id"]) if row else (False, None)


async def give_objects(tx: Tx, photo: UUID, object_keys: Sequence[str]) -> None:
    """The offer gives these objects to the photo that it becomes."""
    await tx.run(GIVE_OBJECTS, photo, list(object_keys))


async def record_objects(tx: Tx, user: UUID, object_keys: Sequence[str], expires_at: datetime) -> UUID | None:
    """Records objects that are about to be stored for a photo that is there already. Until the record is dropped, the
    clean-up deletes them once it has expired, by the machine's clock, and the erasure of the account waits for it. None
    if the account is being erased (ID-09): nothing may be stored of it any more.
    """
    record = uuid7()
    return record if await tx.run(RECORD, record, user, list(object_keys), expires_at) else None


async def drop_record(tx: Tx, record: UUID) -> bool:
    """Ends a record: its objects are a photo's, or deleted. False if the clean-up has taken them."""
    return await tx.run(DROP_RECORD, record) == 1


async def mark_orphans(tx: Tx, expired_before: datetime, limit: int) -> dict[UUID, list[str]]:
    """Takes offers that are over; returns their objects. If the replica dies, another takes them after 5 minutes."""
    return {row["id"]: row["object_keys"] for row in await tx.rows(MARK_ORPHANS, expired_before, limit)}


async def list_in_use(session: Session, object_keys: Sequence[str]) -> set[str]:
    """Those of the objects that are photos."""
    return {row["object_key"] for row in await session.rows(IN_USE, list(object_keys))}


async def remove_offers(tx: Tx, offers: Sequence[UUID]) -> int:
    """Deletes offers whose objects are deleted."""
    return await tx.run(REMOVE, list(offers))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
