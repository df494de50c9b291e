"""Identity's own record of which pairs may see each other (RE-04), with tombstones (RE-10)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Session, Tx

from unora_identity.domain.disclosures import Disclosure

# Whichever of completion and end comes first holds the connection's row; the other waits for it and finds it.
DISCLOSE = """
    INSERT INTO identity.disclosures
        (connection_id, user_a_id, user_b_id, streak_id, completed_days, disclosed_at, version)
    VALUES ($1, $2, $3, $4, $5, $6, 1) ON CONFLICT DO NOTHING"""
END = """
    INSERT INTO identity.disclosures AS d (connection_id, user_a_id, user_b_id, ended_at, version)
    VALUES ($1, $2, $3, $4, 0)
    ON CONFLICT (connection_id) DO UPDATE SET ended_at = excluded.ended_at, version = d.version + 1
    WHERE d.ended_at IS NULL RETURNING version"""
BY_STREAK = """
    SELECT connection_id, streak_id, user_a_id, user_b_id, completed_days, ended_at
    FROM identity.disclosures WHERE streak_id = $1"""


async def disclose(tx: Tx, disclosure: Disclosure, at: datetime) -> bool:
    """RE-04: the two may see each other; False if the connection's end came first, or if it is known already."""
    pair = (disclosure.user_a_id, disclosure.user_b_id)
    days = disclosure.completed_days
    return await tx.run(DISCLOSE, disclosure.connection_id, *pair, disclosure.streak_id, days, at) == 1


async def end(tx: Tx, connection: UUID, user_a: UUID, user_b: UUID, at: datetime) -> int:
    """RE-10: the two may see each other no more, or never will. The version of the disclosure that ended, else 0."""
    version: int | None = await tx.value(END, connection, user_a, user_b, at)
    return version or 0


async def by_streak(session: Session, streak: UUID) -> Disclosure | None:
    """The record of a streak."""
    row = await session.row(BY_STREAK, streak)
    return Disclosure(**row) if row else None
