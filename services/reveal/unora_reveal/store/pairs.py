"""Connected pairs: the days that they have reached, and whether they have ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from unora_common.copies import Copy
from unora_common.database import Tx
from unora_common.rows import as_arrays, from_row

from unora_reveal.domain.streaks import Progress, Streak

# A trigger holds what was reached, and what has ended (RE-08, RE-10): a rebuild adds only what is missing.
COPY = Copy(
    "reveal.pairs",
    ["connection_id"],
    ["t.streak_id", "CASE WHEN t.ended_at IS NULL THEN t.completed_days END", "t.ended_at IS NOT NULL"],
)

# Days only grow, and only while the connection lasts. $4: also a pair that does not know its streak yet.
ADVANCE = """
    UPDATE reveal.pairs SET
        streak_id = $2,
        completed_days = CASE WHEN ended_at IS NULL THEN greatest(completed_days, $3) ELSE completed_days END
    WHERE connection_id = $1 AND ($4 OR streak_id = $2)
    RETURNING completed_days, ended_at IS NOT NULL AS ended, clock.now() AS now,
        EXISTS (SELECT FROM reveal.progressions WHERE streak_id = $2) AS has_reveals"""

# The event that comes first makes the row, without the streak: its unique index would refuse the second of two inserts
# at the same time.
INSERT = """
    INSERT INTO reveal.pairs (connection_id, user_a_id, user_b_id, completed_days) VALUES ($1, $2, $3, 0)
    ON CONFLICT (connection_id) DO NOTHING"""

END = """
    INSERT INTO reveal.pairs AS p (connection_id, user_a_id, user_b_id, completed_days, ended_at)
    SELECT DISTINCT ON (connection) connection, a, b, 0, ended
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[]) AS given (connection, a, b, ended)
    ORDER BY connection, ended
    ON CONFLICT (connection_id) DO UPDATE SET ended_at = excluded.ended_at WHERE p.ended_at IS NULL"""

LOCK = """
    WITH p AS MATERIALIZED (SELECT connection_id FROM reveal.pairs WHERE streak_id = $1 FOR UPDATE)
    SELECT clock.now() AS now FROM p"""

LOCK_BY_MEMBER = """
    WITH p AS MATERIALIZED (
        SELECT connection_id FROM reveal.pairs
        WHERE streak_id IN (SELECT streak_id FROM reveal.progressions WHERE user_id = $1) AND ended_at IS NULL
        ORDER BY connection_id FOR UPDATE)
    SELECT clock.now() AS now FROM p"""


async def advance(tx: Tx, streak: Streak, completed_days: int) -> Progress | None:
    """Stores the days of a streak, and locks its pair; None if no pair has this streak yet. Sets tx.now."""
    return await _advance(tx, streak, completed_days, linked=False)


async def link_and_advance(tx: Tx, streak: Streak, completed_days: int) -> Progress:
    """As `advance`, for a pair that `insert` has made; the pair gets the streak's id."""
    progress = await _advance(tx, streak, completed_days, linked=True)
    assert progress is not None  # the pair's row is never deleted
    return progress


async def insert(tx: Tx, streak: Streak) -> None:
    """Makes the pair of a connection, unless there is one: its end may have arrived first."""
    await tx.run(INSERT, streak.connection_id, streak.user_a_id, streak.user_b_id)


async def end(tx: Tx, endings: Iterable[tuple[UUID, UUID, UUID, datetime]]) -> None:
    """Connections, with their members, that have ended at these times (UTC): nothing is earned or opened any more, even
    if the streak is not known yet (RE-10).
    """
    await tx.run(END, *as_arrays(endings))


async def lock(tx: Tx, streak_id: UUID) -> None:
    """Locks the pair of a streak; sets tx.now. Does nothing if there is none."""
    await tx.lock(LOCK, streak_id)


async def lock_by_member(tx: Tx, user_id: UUID) -> None:
    """Locks all pairs of a member that have not ended; sets tx.now if there are any."""
    await tx.lock(LOCK_BY_MEMBER, user_id)


async def _advance(tx: Tx, streak: Streak, completed_days: int, *, linked: bool) -> Progress | None:
    rows = await tx.lock(ADVANCE, streak.connection_id, streak.id, completed_days, linked)
    return from_row(Progress, rows[0]) if rows else None
