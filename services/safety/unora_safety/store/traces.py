"""Traces of closed accounts in Postgres (ID-09). They are the keyed hashes that identity's events carry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from unora_common.database import Tx

ADD = """
    INSERT INTO safety.account_traces AS t (digest, user_id, suspended, closed_at)
    SELECT DISTINCT digest, $2::uuid, $3::boolean, $4::timestamptz FROM (
        SELECT unnest($1::bytea[]) AS digest
        UNION SELECT device_digest FROM safety.device_accounts WHERE user_id = $2) AS given
    WHERE octet_length(digest) = 32
    ON CONFLICT (digest, user_id) DO UPDATE
        SET suspended = excluded.suspended, closed_at = greatest(t.closed_at, excluded.closed_at)"""

MARK = "UPDATE safety.account_traces SET suspended = $2 WHERE user_id = $1 AND suspended <> $2"

REMOVE = "DELETE FROM safety.account_traces WHERE user_id = $1 AND closed_at < $2"

SUSPENDED = """
    SELECT DISTINCT user_id FROM safety.account_traces
    WHERE digest = ANY($1) AND suspended AND user_id <> $2 AND closed_at > $3::timestamptz - $4::interval"""

PURGE = """
    DELETE FROM safety.account_traces WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM safety.account_traces
        WHERE closed_at < (SELECT clock.now()) - CASE WHEN suspended THEN $1::interval ELSE $2::interval END
            AND closed_at < (SELECT clock.now()) - least($1::interval, $2::interval)
        ORDER BY closed_at LIMIT $3 FOR UPDATE SKIP LOCKED))"""


async def add(tx: Tx, digests: Sequence[bytes], user_id: UUID, *, suspended: bool, closed_at: datetime) -> None:
    """Stores the traces of a closed account: these, and those of the devices that safety knows of it (SA-04). The
    caller holds the member's lock.
    """
    await tx.run(ADD, list(digests), user_id, suspended, closed_at)


def mark(tx: Tx, user_id: UUID, *, suspended: bool) -> None:
    """Stores whether the member of traces, who is locked, is suspended; a decision may come after the closing."""
    tx.defer(MARK, user_id, suspended)


async def remove(tx: Tx, user_id: UUID, reopened_at: datetime) -> None:
    """Deletes the traces of an account that was closed before and is open again."""
    await tx.run(REMOVE, user_id, reopened_at)


async def list_suspended(tx: Tx, digests: Sequence[bytes], user_id: UUID, at: datetime, kept: timedelta) -> list[UUID]:
    """The suspended members whose closed accounts had one of these, at the time at which another account began."""
    return [row["user_id"] for row in await tx.rows(SUSPENDED, list(digests), user_id, at, kept)]


async def purge(tx: Tx, kept: timedelta, kept_unsuspended: timedelta, limit: int) -> int:
    """Deletes traces that are too old, by the rule clock; those of members who were not suspended much earlier."""
    return await tx.run(PURGE, kept, kept_unsuspended, limit)
