"""DI-08: when the age bands of members change. Only time changes them, so a job looks for these members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.due import Due, due_sql, find_due
from unora_common.rows import from_row

from unora_identity.domain.accounts import LockedMember

# A member who is locked by another transaction is skipped, and found by the next run.
LOCK_DUE = """
    WITH due AS MATERIALIZED (
        SELECT u.id, u.version FROM identity.profiles p JOIN identity.users u ON u.id = p.user_id
        WHERE p.age_band_changes_at <= (SELECT clock.now()) AND u.deleted_at IS NULL
            AND u.id <> ALL ($2::uuid[]) AND ($3::uuid IS NULL OR u.id = $3)
        ORDER BY p.age_band_changes_at LIMIT $1 FOR UPDATE OF u SKIP LOCKED)
    SELECT due.*, clock.now() AS now FROM due"""
# A row that was due when it was found may not be due any more: the transaction that held the lock may have advanced it.
ADVANCE = """
    UPDATE identity.profiles p SET age_band_changes_at = next.at
    FROM unnest($1::uuid[], $2::timestamptz[]) AS next (id, at)
    WHERE p.user_id = next.id AND p.age_band_changes_at <= $3 RETURNING p.user_id"""

DUE = due_sql(
    "identity.profiles p JOIN identity.users u ON u.id = p.user_id WHERE u.deleted_at IS NULL", "p.age_band_changes_at"
)


async def lock_due(tx: Tx, limit: int, left_out: Sequence[UUID], only: UUID | None) -> dict[UUID, LockedMember]:
    """Locks members whose age band may have changed, without waiting for other transactions, and reads the clock; skips
    those in `left_out`. With `only` it looks at this one.
    """
    return {row["id"]: from_row(LockedMember, row) for row in await tx.lock(LOCK_DUE, limit, left_out, only)}


async def advance(tx: Tx, following: Mapping[UUID, datetime | None]) -> list[UUID]:
    """Stores when each member's age band changes next. Returns the members whose band has really changed."""
    rows = await tx.rows(ADVANCE, list(following), list(following.values()), tx.now)
    return [row["user_id"] for row in rows]


async def count_due(session: Session) -> Due:
    """The members whose age band may have changed."""
    return await find_due(session, DUE)
