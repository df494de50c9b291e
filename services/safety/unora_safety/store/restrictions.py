"""Restrictions in Postgres (SA-03). A member's row is the lock of all that concerns the member."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.rows import Columns, from_row

from unora_safety.domain.restrictions import Restriction

MEASURES = Columns("reduced_visibility", "restricted", "suspended")
COLUMNS = Columns("user_id", "version") + MEASURES

# An existing row does not change: it is written only to be locked.
LOCK = f"""
    WITH s AS (
        INSERT INTO safety.restrictions AS s (user_id) VALUES ($1)
        ON CONFLICT (user_id) DO UPDATE SET version = s.version
        RETURNING {COLUMNS.names("s")})
    SELECT s.*, clock.now() AS now FROM s"""

BY_MEMBER = f"SELECT {COLUMNS.names()} FROM safety.restrictions WHERE user_id = $1"

# A row without a version is only a lock so far: no event told of it.
LIST_AFTER = f"""
    SELECT {COLUMNS.names()}, changed_at FROM safety.restrictions
    WHERE user_id > $1 AND version > 0 ORDER BY user_id LIMIT $2"""

UPDATE = f"""
    UPDATE safety.restrictions SET version = $2, changed_at = $3, {MEASURES.assignments(4)} WHERE user_id = $1"""


async def lock_or_create(tx: Tx, user_id: UUID) -> Restriction:
    """Locks all that concerns a member, and sets tx.now."""
    (row,) = await tx.lock(LOCK, user_id)
    return from_row(Restriction, row)


async def get_or_default(db: Session, user_id: UUID) -> Restriction:
    """A member's restriction; without any measure if safety knows nothing of the member."""
    row = await db.row(BY_MEMBER, user_id)
    return from_row(Restriction, row) if row else Restriction(user_id)


async def list_after(db: Session, user_id: UUID, limit: int) -> list[tuple[Restriction, datetime]]:
    """A page of all restrictions of which there was an event, by member, from the one after this member on; with the
    time of the decision (UTC).
    """
    return [(from_row(Restriction, row), row["changed_at"]) for row in await db.rows(LIST_AFTER, user_id, limit)]


def save(tx: Tx, before: Restriction, after: Restriction) -> None:
    """Stores a restriction that changed."""
    if after != before:
        tx.defer(UPDATE, after.user_id, after.version, tx.now, *after.measures)
