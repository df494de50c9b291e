"""Erasures of accounts, and the accounts whose time to be erased has come (ID-09)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from unora_common.common_metrics import COUNT_LIMIT
from unora_common.database import Session, Tx
from unora_common.due import Due, due_sql, find_due
from unora_common.rows import as_arrays, from_row

from unora_identity.domain.accounts import LockedMember
from unora_identity.domain.erasures import SOURCES, Erasure

ANY_DUE = """
    SELECT EXISTS (SELECT FROM identity.users
                   WHERE erase_after <= (SELECT clock.now()) AND deleted_at IS NULL)"""
LOCK_DUE = """
    WITH due AS MATERIALIZED (
        SELECT id, version FROM identity.users
        WHERE erase_after <= (SELECT clock.now()) AND deleted_at IS NULL
            AND id <> ALL ($2::uuid[]) AND ($3::uuid IS NULL OR id = $3)
        ORDER BY erase_after LIMIT $1 FOR UPDATE SKIP LOCKED)
    SELECT due.*, clock.now() AS now FROM due"""
# From here on the account is not found by its number or its id. So it cannot be opened again, and only the events of
# its erasure are emitted. Without its key nothing that was sealed with the key can be read, not even in backups.
CLOSE_FOR_GOOD = """
    UPDATE identity.users SET deleted_at = $3, version = new.version,
        phone_hash = NULL, phone_sealed = NULL, data_key = NULL
    FROM unnest($1::uuid[], $2::bigint[]) AS new (id, version) WHERE users.id = new.id"""
# What verified the account no longer counts for it: it may verify another account at once, and the number may open one,
# although the objects of this account are deleted later.
END_SIGNALS = "UPDATE identity.verification_signals SET deleted_at = $2 WHERE user_id = ANY($1) AND deleted_at IS NULL"
ADD = """
    INSERT INTO identity.erasures (id, user_id, version, requested_at)
    SELECT id, user_id, version, $4 FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS new (id, user_id, version)"""
LOCK = """
    WITH e AS MATERIALIZED (
        SELECT id, user_id, version, receipts, erased_at FROM identity.erasures WHERE id = $1 FOR UPDATE)
    SELECT e.*, clock.now() AS now FROM e"""
SAVE = "UPDATE identity.erasures SET receipts = $2, erased_at = $3, version = $4 WHERE id = $1"
WITH_OBJECTS = """
    SELECT id, user_id, version, receipts, erased_at FROM identity.erasures
    WHERE erased_at IS NULL AND 'objects' <> ALL (receipts) AND id <> ALL ($2::uuid[]) ORDER BY noted_at LIMIT $1"""
OBJECT_KEYS = """
    SELECT unnest(object_keys) AS key FROM identity.photo_uploads WHERE user_id = $1
    UNION SELECT unnest(array_remove(ARRAY[object_key, card_key, thumbnail_key], NULL))
    FROM identity.photos WHERE user_id = $1"""
# A record without a request of a client is of a photo that is being sized, whose objects may come after their deletion:
# it stays until that is over (`photo_uploads.record_objects`).
REMOVE_OFFERS = """
    DELETE FROM identity.photo_uploads WHERE user_id = $1 AND object_keys <@ $2 AND request_id <> id"""
OVERDUE = f"""
    SELECT source, count(*) AS erasures FROM unnest($2::text[]) AS source, (
        SELECT receipts FROM identity.erasures
        WHERE erased_at IS NULL AND noted_at < (SELECT clock_timestamp() - $1::interval)
        ORDER BY noted_at LIMIT {COUNT_LIMIT}) AS e
    WHERE source <> ALL (e.receipts) GROUP BY source"""

DUE = due_sql("identity.users WHERE deleted_at IS NULL", "erase_after")


async def count_due(session: Session) -> Due:
    """The accounts whose time has come, by the rule clock."""
    return await find_due(session, DUE)


async def is_any_due(tx: Tx) -> bool:
    """Whether the time of an account has come."""
    found: bool = await tx.value(ANY_DUE)
    return found


async def lock_due(tx: Tx, limit: int, left_out: Sequence[UUID], only: UUID | None) -> dict[UUID, LockedMember]:
    """Locks accounts whose time has come, by the rule clock, without waiting for others, and reads the clock."""
    return {row["id"]: from_row(LockedMember, row) for row in await tx.lock(LOCK_DUE, limit, left_out, only)}


async def add(tx: Tx, erasures: Sequence[Erasure]) -> None:
    """Stores erasures that begin. Removes number, key and verifications from their accounts, which are not found any
    more.
    """
    rows = [(each.id, each.user_id, each.version) for each in erasures]
    identifiers, users, versions = as_arrays(rows)
    await tx.run(ADD, identifiers, users, versions, tx.now)
    await tx.run(CLOSE_FOR_GOOD, users, versions, tx.now)
    await tx.run(END_SIGNALS, users, tx.now)


async def lock(tx: Tx, erasure: UUID) -> Erasure | None:
    """Locks an erasure and reads the clock."""
    rows = await tx.lock(LOCK, erasure)
    return from_row(Erasure, rows[0]) if rows else None


async def save(tx: Tx, erasure: Erasure) -> None:
    """Stores the receipts of a locked erasure, and whether it is done."""
    await tx.run(SAVE, erasure.id, sorted(erasure.receipts), erasure.erased_at, erasure.version)


async def list_with_objects(session: Session, limit: int, left_out: Sequence[UUID]) -> list[Erasure]:
    """Erasures whose objects are not known to be deleted, the earliest first, without those that are left out."""
    return [from_row(Erasure, row) for row in await session.rows(WITH_OBJECTS, limit, left_out)]


async def list_object_keys(session: Session, user: UUID) -> list[str]:
    """Every object that may be there of a member: of offers, and all sizes of photos, of deleted ones too."""
    return [row["key"] for row in await session.rows(OBJECT_KEYS, user)]


async def remove_offers(tx: Tx, user: UUID, deleted_keys: Sequence[str]) -> None:
    """Deletes the offers to a member whose objects were all deleted."""
    await tx.run(REMOVE_OFFERS, user, list(deleted_keys))


async def count_overdue(session: Session, after: timedelta) -> dict[str, int]:
    """How many erasures have lacked the receipt of each source for so long, by the machine's clock; of the COUNT_LIMIT
    oldest.
    """
    return {row["source"]: row["erasures"] for row in await session.rows(OVERDUE, after, list(SOURCES))}
