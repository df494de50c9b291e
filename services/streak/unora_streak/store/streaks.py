"""Streaks in Postgres: functions on an open transaction or session, in and out in domain types."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from unora_common.database import Row, Session, Tx
from unora_common.ids import uuid7

from unora_streak.domain import CheckedIn, Event, Hold, NotInStreak, Policy, State, Streak, next_due, transitions
from unora_streak.messages import to_event
from unora_streak.store import breaks

COLUMNS = """
    s.id, s.connection_id, s.user_a_id, s.user_b_id, s.streak_state, s.cycle, s.completed_days, s.zone, s.check_in_date,
    s.closes_at, s.here, s.started_at, s.window_closes_at, s.breaker_user_id, s.hold_payment_id, s.hold_until,
    s.long_hold_used, s.ended_at, s.version, s.server_type"""

LOCK = f"""
    WITH s AS MATERIALIZED (
        SELECT * FROM streak.streaks
        WHERE id = $1 AND $2 IN (user_a_id, user_b_id) AND deleted_at IS NULL FOR UPDATE)
    SELECT {COLUMNS}, clock.now() AS now FROM s"""

LOCK_ANY = f"""
    WITH s AS MATERIALIZED (SELECT * FROM streak.streaks WHERE id = $1 AND deleted_at IS NULL FOR UPDATE)
    SELECT {COLUMNS}, clock.now() AS now FROM s"""

LOCK_OF_CONNECTION = f"""
    WITH s AS MATERIALIZED (
        SELECT * FROM streak.streaks WHERE connection_id = $1 AND deleted_at IS NULL FOR UPDATE)
    SELECT {COLUMNS}, clock.now() AS now FROM s"""

LOCK_DUE = f"""
    WITH s AS MATERIALIZED (
        SELECT * FROM streak.streaks WHERE next_due_at <= (SELECT clock.now()) AND id <> ALL ($2::uuid[])
        ORDER BY next_due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
    SELECT {COLUMNS}, clock.now() AS now FROM s"""

INSERT = """
    INSERT INTO streak.streaks (
        id, connection_id, user_a_id, user_b_id, started_at, server_type,
        streak_state, cycle, completed_days, zone, check_in_date, closes_at, here,
        window_closes_at, breaker_user_id, hold_payment_id, hold_until, long_hold_used, ended_at, version, current_day,
        next_due_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
    ON CONFLICT (connection_id) WHERE deleted_at IS NULL DO NOTHING"""

UPDATE = """
    UPDATE streak.streaks SET
        streak_state = $2, cycle = $3, completed_days = $4, zone = $5, check_in_date = $6, closes_at = $7, here = $8,
        window_closes_at = $9, breaker_user_id = $10, hold_payment_id = $11, hold_until = $12, long_hold_used = $13,
        ended_at = $14, version = $15, current_day = $16, next_due_at = $17
    WHERE id = $1"""

INSERT_CHECK_IN = """
    INSERT INTO streak.check_ins (id, streak_id, user_id, cycle, day, check_in_date, check_in_at, effort_signal)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""

VIA_STATE = "UPDATE streak.streaks SET streak_state = $2 WHERE id = $1"

LEAVE_DASHBOARD = "UPDATE streak.streaks SET connection_ended_at = $2 WHERE id = $1"

DASHBOARD = f"""
    SELECT {COLUMNS}, clock.now() AS now FROM streak.streaks s
    WHERE (s.user_a_id = $1 OR s.user_b_id = $1) AND s.connection_ended_at IS NULL AND s.deleted_at IS NULL
    ORDER BY s.started_at, s.id"""

ONE = f"""
    SELECT {COLUMNS}, clock.now() AS now FROM streak.streaks s
    WHERE s.id = $1 AND $2 IN (s.user_a_id, s.user_b_id) AND s.deleted_at IS NULL"""

CHECK_INS = """
    SELECT user_id, cycle, day, check_in_date, check_in_at, effort_signal FROM streak.check_ins
    WHERE streak_id = $1 AND cycle = $2 ORDER BY check_in_at, id"""


class Stored(NamedTuple):
    """A streak, with what the row holds beside its rules, and the time at which it was read."""

    streak: Streak
    server_type: str
    now: datetime


async def lock(tx: Tx, streak_id: UUID, member: UUID) -> Stored:
    """Locks a member's streak and sets tx.now. Another's and a missing one are the same to the caller (XX-04)."""
    rows = await tx.lock(LOCK, streak_id, member)
    if not rows:
        raise NotInStreak
    return _stored(rows[0])


async def lock_any(tx: Tx, streak_id: UUID) -> Stored | None:
    """Locks a streak for news of it, whoever it is of."""
    rows = await tx.lock(LOCK_ANY, streak_id)
    return _stored(rows[0]) if rows else None


async def lock_of_connection(tx: Tx, connection_id: UUID) -> Stored | None:
    """Locks the streak of a connection, if it has begun."""
    rows = await tx.lock(LOCK_OF_CONNECTION, connection_id)
    return _stored(rows[0]) if rows else None


async def lock_due(tx: Tx, limit: int, but: Collection[UUID] = ()) -> list[Stored]:
    """Locks streaks on which something is due, `but` some; those that another replica holds are left to it (ST-16)."""
    return [_stored(row) for row in await tx.lock(LOCK_DUE, limit, list(but))]


async def insert(tx: Tx, streak: Streak, server_type: str, events: Sequence[Event], policy: Policy) -> bool:
    """Stores a new streak, unless its connection has one (ST-01); tells whether it did."""
    fixed = (streak.id, streak.connection_id, streak.user_a_id, streak.user_b_id)
    stored = await tx.run(INSERT, *fixed, streak.started_at, server_type, *_moving(streak, policy))
    if stored:
        tx.emit(*(to_event(event, index + 1) for index, event in enumerate(events)))
    return bool(stored)


async def save(tx: Tx, before: Streak, after: Streak, events: Sequence[Event], policy: Policy) -> None:
    """Stores what a member or a connection brought about, and tells it. A row that passes through a state is written
    there too: the database allows single moves only (ST-02).
    """
    if not events:
        return
    for _, state in transitions(events)[:-1]:
        await tx.run(VIA_STATE, after.id, state)
    tx.defer(UPDATE, after.id, *_moving(after, policy))
    for event in events:
        if isinstance(event, CheckedIn):
            made = (event.user_id, event.cycle, event.day, event.check_in_date, event.at, event.effort)
            tx.defer(INSERT_CHECK_IN, uuid7(), after.id, *made)
        tx.deferred += breaks.writes_of(event)
    tx.emit(*(to_event(event, before.version + 1 + index) for index, event in enumerate(events)))


async def save_steps(tx: Tx, steps: Sequence[tuple[Streak, Event]], policy: Policy) -> None:
    """Stores single steps of time, each of another streak, in few round trips, and tells them."""
    await tx.run_many(UPDATE, [(streak.id, *_moving(streak, policy)) for streak, _ in steps])
    await breaks.save_many(tx, [event for _, event in steps])
    tx.emit(*(to_event(event, streak.version) for streak, event in steps))


async def leave_dashboard(tx: Tx, streak_id: UUID, ended_at: datetime) -> None:
    """The connection ended: also a completed streak is no longer shown on the dashboard (ST-15)."""
    await tx.run(LEAVE_DASHBOARD, streak_id, ended_at)


async def dashboard(session: Session, member: UUID) -> list[Stored]:
    """The streaks of all a member's active connections over all servers, the oldest first, in one read (ST-15)."""
    return [_stored(row) for row in await session.rows(DASHBOARD, member)]


async def one(session: Session, streak_id: UUID, member: UUID) -> Stored:
    """A member's streak; another's and a missing one are the same to the caller (XX-04)."""
    row = await session.row(ONE, streak_id, member)
    if row is None:
        raise NotInStreak
    return _stored(row)


async def check_ins(session: Session, streak_id: UUID, cycle: int) -> list[Row]:
    """The check-ins of both in one cycle, by time."""
    return await session.rows(CHECK_INS, streak_id, cycle)


def _stored(row: Row) -> Stored:
    (id_, connection, user_a, user_b, state, cycle, days, zone, date, closes, here, started, window, breaker, payment,
     held, long_hold_used, ended, version, server_type, now) = row  # fmt: skip
    streak = Streak(
        id=id_,
        connection_id=connection,
        user_a_id=user_a,
        user_b_id=user_b,
        state=State(state),
        cycle=cycle,
        completed_days=days,
        zone=zone,
        check_in_date=date,
        closes_at=closes,
        here=frozenset(here),
        started_at=started,
        window_closes_at=window,
        breaker_user_id=breaker,
        hold=Hold(payment, held) if payment else None,
        long_hold_used=long_hold_used,
        ended_at=ended,
        version=version,
    )
    return Stored(streak, server_type, now)


def _moving(streak: Streak, policy: Policy) -> tuple[Any, ...]:
    """The columns that change, in the order of UPDATE."""
    return (
        streak.state,
        streak.cycle,
        streak.completed_days,
        streak.zone,
        streak.check_in_date,
        streak.closes_at,
        list(streak.here),
        streak.window_closes_at,
        streak.breaker_user_id,
        streak.hold.payment_id if streak.hold else None,
        streak.hold.until if streak.hold else None,
        streak.long_hold_used,
        streak.ended_at,
        streak.version,
        streak.current_day,
        next_due(streak, policy),
    )
