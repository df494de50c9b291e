"""When members grow into another age band (DI-08): nothing but time changes it, so nobody calls when it does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from unora_common.database import Tx

from unora_identity.store.members import Locked

# A member who is locked just now, by a change or by another replica, comes next time.
LOCK_DUE = """
    WITH due AS MATERIALIZED (
        SELECT u.id, u.version FROM identity.profiles p JOIN identity.users u ON u.id = p.user_id
        WHERE p.age_band_changes_at <= (SELECT clock.now()) AND u.deleted_at IS NULL
        ORDER BY p.age_band_changes_at LIMIT $1 FOR UPDATE OF u SKIP LOCKED)
    SELECT due.*, clock.now() AS now FROM due"""
# Whoever held the lock before may have told it already: what was due when it was sought need not be due any more.
ADVANCE = """
    UPDATE identity.profiles p SET age_band_changes_at = next.at
    FROM unnest($1::uuid[], $2::timestamptz[]) AS next (id, at)
    WHERE p.user_id = next.id AND p.age_band_changes_at <= $3 RETURNING p.user_id"""


async def lock_due(tx: Tx, limit: int) -> dict[UUID, Locked]:
    """Locks members who may have grown into another band and whom nobody else has locked, and reads the clock."""
    return {row["id"]: Locked(row["id"], row["version"]) for row in await tx.lock(LOCK_DUE, limit)}


async def advance(tx: Tx, following: Mapping[UUID, datetime | None]) -> list[UUID]:
    """Keeps when the band of each changes next; returns those who have indeed grown into another."""
    rows = await tx.rows(ADVANCE, list(following), list(following.values()), tx.now)
    return [row["user_id"] for row in rows]
