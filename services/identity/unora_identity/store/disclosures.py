"""RE-04, RE-10: identity's own record of the pairs that may see each other, with tombstones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from unora_common.copies import Copy
from unora_common.database import Session, Tx
from unora_common.rows import Columns, from_row

from unora_identity.domain.disclosures import DISCLOSURE_DAY, Disclosure, KnownPair

_DISCLOSED = Columns("connection_id", "user_a_id", "user_b_id", "streak_id", "completed_days")

# One that has ended allows nothing, whether it ever began or not: an end that came first has kept out its beginning.
COPY = Copy(
    "identity.disclosures",
    ["connection_id"],
    [
        "t.user_a_id",
        "t.user_b_id",
        "CASE WHEN t.ended_at IS NULL THEN t.streak_id END",
        "t.ended_at IS NOT NULL",
    ],
    forget="version = -1",
    vanish="ended_at = coalesce(t.ended_at, clock.now())",
)

# A completion and an end of one connection meet at its row: the later one waits for the earlier, and finds it.
ADD = f"""
    INSERT INTO identity.disclosures ({_DISCLOSED.names()}, disclosed_at, version)
    VALUES ({_DISCLOSED.parameters()}, $6, 1) ON CONFLICT DO NOTHING"""
END = """
    INSERT INTO identity.disclosures AS d (connection_id, user_a_id, user_b_id, ended_at, version)
    VALUES ($1, $2, $3, $4, 0)
    ON CONFLICT (connection_id) DO UPDATE SET ended_at = excluded.ended_at, version = d.version + 1
    WHERE d.ended_at IS NULL RETURNING version"""
# The versions are those that the events would have made: of a beginning, of an end after it, or of a tombstone. A row
# that was forgotten is written anew; any other only ends, since what has ended never begins again (RE-10).
_KNOWN = """
    SELECT $1::uuid AS connection_id, $2::uuid AS user_a_id, $3::uuid AS user_b_id, $4::uuid AS streak_id,
        CASE WHEN $4::uuid IS NOT NULL THEN $5::smallint END AS completed_days, $6::timestamptz AS disclosed_at,
        $7::timestamptz AS ended_at,
        CASE WHEN $4::uuid IS NULL THEN 0 ELSE 1 + num_nonnulls($7::timestamptz) END AS version"""
REWRITE = f"""
    WITH known AS ({_KNOWN})
    UPDATE identity.disclosures d SET user_a_id = known.user_a_id, user_b_id = known.user_b_id,
        streak_id = known.streak_id, completed_days = known.completed_days, disclosed_at = known.disclosed_at,
        ended_at = known.ended_at, version = known.version
    FROM known WHERE d.connection_id = known.connection_id AND d.version = -1"""
RESTORE = f"""
    INSERT INTO identity.disclosures AS d
        (connection_id, user_a_id, user_b_id, streak_id, completed_days, disclosed_at, ended_at, version)
    {_KNOWN}
    ON CONFLICT (connection_id) DO UPDATE SET ended_at = excluded.ended_at, version = d.version + 1
    WHERE d.ended_at IS NULL AND excluded.ended_at IS NOT NULL"""
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


async def restore(tx: Tx, pairs: Sequence[KnownPair]) -> None:
    """XX-08: stores what is known of pairs."""
    rows = [
        (
            *(each.connection_id, each.user_a_id, each.user_b_id, each.streak_id),
            *(DISCLOSURE_DAY, each.completed_at, each.ended_at),
        )
        for each in pairs
    ]
    await tx.run_many(REWRITE, rows)
    await tx.run_many(RESTORE, rows)


async def find_by_streak(session: Session, streak: UUID) -> Disclosure | None:
    """The disclosure of a streak."""
    row = await session.row(BY_STREAK, streak)
    return from_row(Disclosure, row) if row else None


async def list_by_streak(session: Session, streaks: Sequence[UUID]) -> dict[UUID, Disclosure]:
    """The disclosures of those of the streaks that have one."""
    rows = await session.rows(BY_STREAKS, list(streaks))
    return {row["streak_id"]: from_row(Disclosure, row) for row in rows}
