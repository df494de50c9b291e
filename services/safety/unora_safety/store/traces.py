"""Traces of closed accounts in Postgres (ID-09). They are the keyed hashes that identity's events carry.

Events of accounts come in any order. Whoever writes or looks for traces of a hash locks it: of two events about one
hash at the same time, neither would see the other. The lock of a member's traces comes before that of the member's
standing, and that before the locks of hashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from unora_common.database import Tx

from unora_safety.domain.patterns import Sighting
from unora_safety.store.purging import purge_statement

LOCK_MEMBER = "SELECT pg_advisory_xact_lock(hashtextextended('safety traces of ' || $1::uuid::text, 0))"

LOCK_DIGESTS = """
    SELECT digest, pg_advisory_xact_lock(hashtextextended('safety trace ' || encode(digest, 'hex'), 0))
    FROM (SELECT DISTINCT unnest($1::bytea[]) AS digest ORDER BY digest) AS given WHERE octet_length(digest) = 32"""

DEVICES = "SELECT device_digest AS digest FROM safety.device_accounts WHERE user_id = $1"

DIGESTS = "SELECT digest FROM safety.account_traces WHERE user_id = $1"

ADD = """
    INSERT INTO safety.account_traces AS t (digest, user_id, suspended, closed_at)
    SELECT digest, $2::uuid, $3::boolean, $4::timestamptz FROM unnest($1::bytea[]) AS digest
    WHERE NOT EXISTS (SELECT FROM safety.account_reopenings WHERE user_id = $2 AND reopened_at > $4)
    ON CONFLICT (digest, user_id) DO UPDATE
        SET suspended = excluded.suspended, closed_at = greatest(t.closed_at, excluded.closed_at)"""

CLOSED_AT = "SELECT max(closed_at) FROM safety.account_traces WHERE user_id = $1"

MARK = "UPDATE safety.account_traces SET suspended = $2 WHERE user_id = $1 AND suspended <> $2"

REMOVE = "DELETE FROM safety.account_traces WHERE user_id = $1 AND closed_at < $2"

ADD_REOPENING = """
    INSERT INTO safety.account_reopenings AS r (user_id, reopened_at) VALUES ($1, $2)
    ON CONFLICT (user_id) DO UPDATE SET reopened_at = greatest(r.reopened_at, excluded.reopened_at)"""

ADD_CREATED = """
    INSERT INTO safety.created_accounts (digest, user_id, created_at)
    SELECT digest, $2, $3 FROM unnest($1::bytea[]) AS digest ON CONFLICT DO NOTHING"""

SUSPENDED = """
    SELECT DISTINCT user_id FROM safety.account_traces
    WHERE digest = ANY($1) AND suspended AND user_id <> $2
        AND closed_at <= $3 AND closed_at > $3::timestamptz - $4::interval"""

CREATED_SINCE = """
    SELECT DISTINCT c.user_id, c.created_at FROM safety.account_traces t
    JOIN safety.created_accounts c ON c.digest = t.digest AND c.user_id <> t.user_id AND c.created_at >= t.closed_at
    WHERE t.user_id = $1"""

PURGE = """
    DELETE FROM safety.account_traces WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM safety.account_traces
        WHERE closed_at < (SELECT clock.now()) - CASE WHEN suspended THEN $1::interval ELSE $2::interval END
            AND closed_at < (SELECT clock.now()) - least($1::interval, $2::interval)
        ORDER BY closed_at LIMIT $3 FOR UPDATE SKIP LOCKED))"""

PURGE_REOPENINGS = purge_statement("safety.account_reopenings", "reopened_at")

PURGE_CREATED = purge_statement("safety.created_accounts", "created_at")


async def lock_member(tx: Tx, user_id: UUID) -> None:
    """Locks the traces of a member. To be called before any other lock of this transaction that concerns traces."""
    await tx.run(LOCK_MEMBER, user_id)


async def lock_digests(tx: Tx, digests: Sequence[bytes]) -> list[bytes]:
    """Locks these hashes, and returns those that are of the right length, each once."""
    return [row["digest"] for row in await tx.rows(LOCK_DIGESTS, list(digests))]


async def list_devices(tx: Tx, user_id: UUID) -> list[bytes]:
    """The hashes of a member's devices, as events of sessions told them (SA-04)."""
    return [row["digest"] for row in await tx.rows(DEVICES, user_id)]


async def list_digests(tx: Tx, user_id: UUID) -> list[bytes]:
    """The hashes of a member's traces."""
    return [row["digest"] for row in await tx.rows(DIGESTS, user_id)]


async def add(tx: Tx, digests: Sequence[bytes], user_id: UUID, *, suspended: bool, closed_at: datetime) -> None:
    """Stores traces of a closed account, unless it was opened again later. The caller holds all locks."""
    await tx.run(ADD, list(digests), user_id, suspended, closed_at)


async def get_closed_at(tx: Tx, user_id: UUID) -> datetime | None:
    """When the account was closed (UTC) that left traces; None if there are none."""
    closed_at: datetime | None = await tx.value(CLOSED_AT, user_id)
    return closed_at


def mark(tx: Tx, user_id: UUID, *, suspended: bool) -> None:
    """Stores whether the member of traces, who is locked, is suspended; a decision may come after the closing."""
    tx.defer(MARK, user_id, suspended)


async def remove(tx: Tx, user_id: UUID, reopened_at: datetime) -> None:
    """Deletes the traces of an account that was closed before and is open again, and stores when that was (UTC), for a
    closing that comes late. The caller holds the lock of the member's traces.
    """
    await tx.run(ADD_REOPENING, user_id, reopened_at)
    await tx.run(REMOVE, user_id, reopened_at)


def add_created(tx: Tx, digests: Sequence[bytes], user_id: UUID, created_at: datetime) -> None:
    """Stores that an account began on these hashes, which are locked, for a closing that comes late."""
    tx.defer(ADD_CREATED, list(digests), user_id, created_at)


async def list_suspended(tx: Tx, digests: Sequence[bytes], user_id: UUID, at: datetime, kept: timedelta) -> list[UUID]:
    """The suspended members whose closed accounts had one of these, at the time at which another account began."""
    return [row["user_id"] for row in await tx.rows(SUSPENDED, list(digests), user_id, at, kept)]


async def list_created_since(tx: Tx, user_id: UUID) -> list[Sighting]:
    """The stored accounts that began with the number or a device of a member after that member's account was closed."""
    return [Sighting(row["created_at"], row["user_id"]) for row in await tx.rows(CREATED_SINCE, user_id)]


async def purge(tx: Tx, kept: timedelta, kept_unsuspended: timedelta, limit: int) -> int:
    """Deletes traces that are too old, by the rule clock; those of members who were not suspended much earlier."""
    return await tx.run(PURGE, kept, kept_unsuspended, limit)


async def purge_reopenings(tx: Tx, kept: timedelta, limit: int) -> int:
    """Deletes what is known of accounts that were opened again longer ago than `kept`, by the rule clock."""
    return await tx.run(PURGE_REOPENINGS, kept, limit)


async def purge_created(tx: Tx, kept: timedelta, limit: int) -> int:
    """Deletes what is known of accounts that began longer ago than `kept`, by the rule clock."""
    return await tx.run(PURGE_CREATED, kept, limit)
