"""Streaks in Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from unora_common.copies import Copy
from unora_common.database import Row, Session, Tx
from unora_common.rows import Columns, from_row

from unora_streak.domain.errors import NotInStreak
from unora_streak.domain.events import CheckedIn, Event, transitions
from unora_streak.domain.state import Hold, Streak
from unora_streak.domain.views import Extras, Used
from unora_streak.store import breaks, check_ins

FACTS = Columns("id", "connection_id", "user_a_id", "user_b_id", "started_at", "server_type")
"""What never changes (trigger streak_facts)."""

CHANGING = Columns(
    "streak_state",
    "cycle",
    "completed_days",
    "zone",
    "check_in_date",
    "closes_at",
    "here",
    "window_closes_at",
    "breaker_user_id",
    "hold_payment_id",
    "hold_until",
    "long_hold_used",
    "told_ends_soon",
    "ended_at",
    "version",
    "current_day",
    "next_due_at",
)
COLUMNS = FACTS + CHANGING

NOT_VIEWED = frozenset({"current_day", "next_due_at", "ended_at", "version"})
"""What a view of a member does not need: the domain counts the day, and finds what is due."""
VIEWED_COLUMNS = Columns(*(name for name in COLUMNS if name not in NOT_VIEWED))

LOCK = f"""
    WITH s AS MATERIALIZED (
        SELECT * FROM streak.streaks
        WHERE id = $1 AND $2 IN (user_a_id, user_b_id) AND deleted_at IS NULL FOR UPDATE)
    SELECT {COLUMNS.names("s")}, clock.now() AS now FROM s"""

LOCK_ANY = f"""
    WITH s AS MATERIALIZED (SELECT * FROM streak.streaks WHERE id = $1 AND deleted_at IS NULL FOR UPDATE)
    SELECT {COLUMNS.names("s")}, clock.now() AS now FROM s"""

LOCK_BY_CONNECTION = f"""
    WITH s AS MATERIALIZED (
        SELECT * FROM streak.streaks WHERE connection_id = $1 AND deleted_at IS NULL FOR UPDATE)
    SELECT {COLUMNS.names("s")}, clock.now() AS now FROM s"""

LIST = f"SELECT {COLUMNS.names('s')} FROM streak.streaks s WHERE s.id = ANY ($1::uuid[]) ORDER BY s.next_due_at"

INSERT = f"""
    INSERT INTO streak.streaks ({COLUMNS.names()}) VALUES ({COLUMNS.parameters()})
    ON CONFLICT (connection_id) WHERE deleted_at IS NULL DO NOTHING"""

UPDATE = f"UPDATE streak.streaks SET {CHANGING.assignments(2)} WHERE id = $1"

UPDATE_STATE = "UPDATE streak.streaks SET streak_state = $2 WHERE id = $1"

RESCHEDULE = "UPDATE streak.streaks SET next_due_at = $2 WHERE id = $1"

LEAVE_DASHBOARD = "UPDATE streak.streaks SET connection_ended_at = $2 WHERE id = $1"

# What the view of a member, $1, needs besides. What they have used is counted by a function, so that a statement which
# does not need it does not pay for it: it matters while the streak is at risk or broken, or may be by now.
USED = "streak.used_by(s.id, s.cycle, s.check_in_date, $1)"
WAITING = """
    (SELECT coalesce(bit_or(1 << reveal_number), 0) FROM streak.waiting_reveals r
        WHERE r.streak_id = s.id AND r.user_id = $1 AND r.waiting) AS reveals_waiting"""

NUMBERS = [tuple(number for number in range(1, 6) if bits >> number & 1) for bits in range(1 << 6)]
"""The numbers of reveals by their bits: a number is read faster than an array."""

# The time is there without a streak too.
DASHBOARD = f"""
    SELECT {VIEWED_COLUMNS.names("s")}, {WAITING}, c.now,
        CASE WHEN s.streak_state IN ('at_risk', 'payment_window') OR s.next_due_at <= c.now THEN {USED} END AS used
    FROM (SELECT clock.now() AS now) c LEFT JOIN streak.streaks s
        ON (s.user_a_id = $1 OR s.user_b_id = $1) AND s.connection_ended_at IS NULL AND s.deleted_at IS NULL
    ORDER BY s.started_at, s.id"""

GET_SHOWN = f"""
    SELECT {VIEWED_COLUMNS.names("s")}, {WAITING}, {USED} AS used,
        s.connection_ended_at IS NOT NULL AS connection_ended, clock.now() AS now
    FROM streak.streaks s
    WHERE s.id = $2 AND $1 IN (s.user_a_id, s.user_b_id) AND s.deleted_at IS NULL"""

LIST_BY_MEMBER = f"""
    SELECT {COLUMNS.names("s")}, clock.now() AS now FROM streak.streaks s
    WHERE (s.user_a_id = $1 OR s.user_b_id = $1) AND s.deleted_at IS NULL"""

GET = f"""
    SELECT {COLUMNS.names("s")}, clock.now() AS now FROM streak.streaks s
    WHERE s.id = $1 AND $2 IN (s.user_a_id, s.user_b_id) AND s.deleted_at IS NULL"""


# When its connection ended is all that a streak copies besides what never changes. A streak that nobody knows stays.
CONNECTIONS = Copy(
    "streak.streaks",
    ["connection_id"],
    ["t.connection_ended_at"],
    where="t.deleted_at IS NULL",
    forget="connection_ended_at = NULL",
)


class Snapshot(NamedTuple):
    """A streak that was read without a lock: steps of time that are due by `now` may not be stored yet."""

    streak: Streak
    now: datetime
    """The rule clock (UTC) when it was read."""


class Shown(NamedTuple):
    """A streak that was read without a lock, and what its member's view needs besides."""

    streak: Streak
    extras: Extras


async def lock(tx: Tx, streak_id: UUID, member: UUID) -> Streak:
    """Locks a member's streak and sets tx.now. Raises NotInStreak for another's streak as for a missing one (XX-04)."""
    rows = await tx.lock(LOCK, streak_id, member)
    if not rows:
        raise NotInStreak
    return _streak(rows[0])


async def lock_any(tx: Tx, streak_id: UUID) -> Streak | None:
    """Locks a streak of any members, and sets tx.now. None if there is no such streak."""
    rows = await tx.lock(LOCK_ANY, streak_id)
    return _streak(rows[0]) if rows else None


async def lock_by_connection(tx: Tx, connection_id: UUID) -> Streak | None:
    """Locks the streak of a connection, and sets tx.now. None if the streak has not begun."""
    rows = await tx.lock(LOCK_BY_CONNECTION, connection_id)
    return _streak(rows[0]) if rows else None


async def list_by_ids(tx: Tx, streak_ids: Sequence[UUID]) -> list[Streak]:
    """Streaks that the transaction has locked."""
    return [_streak(row) for row in await tx.rows(LIST, list(streak_ids))]


async def insert(tx: Tx, streak: Streak) -> bool:
    """Stores a new streak. Returns False, and stores nothing, if its connection has one (ST-01)."""
    return bool(await tx.run(INSERT, *FACTS.values_of(streak), *_changing(streak)))


async def save(tx: Tx, after: Streak, events: Sequence[Event]) -> None:
    """Stores the streak after these events of a use case, and what the events say of its check-ins and breaks.

    Intermediate states are written one by one, because the database allows single moves only (ST-02).
    """
    if not events:
        return
    for _, state in transitions(events)[:-1]:
        await tx.run(UPDATE_STATE, after.id, state)
    tx.defer(UPDATE, after.id, *_changing(after))
    for event in events:
        if isinstance(event, CheckedIn):
            check_ins.insert(tx, event)
        breaks.save(tx, event)


async def save_steps(tx: Tx, steps: Sequence[tuple[Streak, Event]]) -> None:
    """Stores single steps of time, each of another streak, in few round trips."""
    await tx.run_many(UPDATE, [(streak.id, *_changing(streak)) for streak, _ in steps])
    await breaks.save_many(tx, [event for _, event in steps])


async def reschedule(tx: Tx, due_times: Sequence[tuple[UUID, datetime | None]]) -> None:
    """Stores `next_due_at` (UTC) of locked streaks by their ids, without an event, in one round trip."""
    await tx.run_many(RESCHEDULE, due_times)


async def leave_dashboard(tx: Tx, streak_id: UUID, ended_at: datetime) -> None:
    """The connection ended, so the dashboard no longer shows the streak, even a completed one (ST-15)."""
    await tx.run(LEAVE_DASHBOARD, streak_id, ended_at)


async def list_dashboard(session: Session, member: UUID) -> tuple[list[Shown], datetime]:
    """The streaks of all a member's active connections over all servers, oldest first, and the rule clock, in one read
    (ST-15).
    """
    rows = await session.rows(DASHBOARD, member)
    return [_shown(row, connection_ended=False) for row in rows if row["id"]], rows[0]["now"]


async def get_shown(session: Session, streak_id: UUID, member: UUID) -> tuple[Shown, datetime]:
    """As `list_dashboard`, for one streak of the member. Raises NotInStreak as `get`."""
    row = await session.row(GET_SHOWN, member, streak_id)
    if row is None:
        raise NotInStreak
    return _shown(row, connection_ended=row["connection_ended"]), row["now"]


async def list_by_member(session: Session, member: UUID) -> list[Snapshot]:
    """All streaks of a member, also those whose connection has ended."""
    return [_snapshot(row) for row in await session.rows(LIST_BY_MEMBER, member)]


async def get(session: Session, streak_id: UUID, member: UUID) -> Snapshot:
    """A member's streak. Raises NotInStreak for another's streak as for a missing one (XX-04)."""
    row = await session.row(GET, streak_id, member)
    if row is None:
        raise NotInStreak
    return _snapshot(row)


def _streak(row: Row) -> Streak:
    hold = Hold(row["hold_payment_id"], row["hold_until"]) if row["hold_payment_id"] else None
    return from_row(Streak, row, state=row["streak_state"], checked_in=row["here"], hold=hold)


def _shown(row: Row, *, connection_ended: bool) -> Shown:
    used = row["used"] and Used(row["used"][0], int(row["used"][1]), int(row["used"][2]))
    return Shown(_streak(row), Extras(used, NUMBERS[row["reveals_waiting"]], connection_ended))


def _snapshot(row: Row) -> Snapshot:
    return Snapshot(_streak(row), row["now"])


def _changing(streak: Streak) -> list[Any]:
    """The values of CHANGING."""
    return CHANGING.values_of(
        streak,
        streak_state=streak.state,
        here=list(streak.checked_in),
        hold_payment_id=streak.hold.payment_id if streak.hold else None,
        hold_until=streak.hold.until if streak.hold else None,
    )
