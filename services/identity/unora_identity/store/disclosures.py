"""RE-04, RE-10: identity's own record of the pairs that may see each other, with tombstones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.rows import Columns, from_row

from unora_identity.domain.disclosures import Disclosure

_DISCLOSED = Columns("connection_id", "user_a_id", "user_b_id", "streak_id", "completed_days")

# A completion and an end of one connection meet at its row: the later one waits for the earlier, and finds it.
ADD = f"""
    INSERT INTO identity.disclosures ({_DISCLOSED.names()}, disclosed_at, version)
    VALUES ({_DISCLOSED.parameters()}, $6, 1) ON CONFLICT DO NOTHING"""
END = """
    INSERT INTO identity.disclosures AS d (connection_id, user_a_id, user_b_id, ended_at, version)
    VALUES ($1, $2, $3, $4, 0)
    ON CONFLICT (connection_id) DO UPDATE SET ended_at = excluded.ended_at, version = d.version + 1
    WHERE d.ended_at IS NULL RETURNING version"""
BY_STREAK = f"SELECT {_DISCLOSED.names()}, ended_at FROM identity.disclosures WHERE streak_id = $1"
BY_STREAKS = f"SELECT {_DISCLOSED.names()}, ended_at FROM identity.disclosures WHERE streak_id = ANY ($1::uuid[])"


async def add(tx: Tx, disclosure: Disclosure, disclosed_at: datetime) -> bool:
    """RE-04: stores a disclosure. Returns False if the connection ended first, or if it is stored already."""
    return await tx.run(ADD, *_DISCLOSED.values_of(disclosure), disclosed_at) == 1


async def end(tx: Tx, connection: UUID, user_a: UUID, user_b: UUID, ended_at: datetime) -> int:
    """RE-10: ends a disclosure, or stores a tombstone that keeps a later one out. Returns the version of the disclosure
    that ended, else 0.
    """
    version: int | None = await tx.value(END, connection, user_a, user_b, ended_at)
    return version or 0


async def find_by_streak(session: Session, streak: UUID) -> Disclosure | None:
    """The disclosure of a streak."""
    row = await session.row(BY_STREAK, streak)
    return from_row(Disclosure, row) if row else None


async def list_by_streak(session: Session, streaks: Sequence[UUID]) -> dict[UUID, Disclosure]:
    """The disclosures of those of the streaks that have one."""
    rows = await session.rows(BY_STREAKS, list(streaks))
    return {row["streak_id"]: from_row(Disclosure, row) for row in rows}
