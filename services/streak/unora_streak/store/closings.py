"""Steps of time of many streaks at once, in Postgres (ST-16): a few statements for all of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from unora_common import trace
from unora_common.database import Tx
from unora_common.ids import uuid7
from unora_common.rows import from_row

from unora_streak.domain.closing import Closing, Kind
from unora_streak.store import breaks

# The kinds of streaks that are due, with their ids. Oldest first, so that days close in order.
LOCK_DUE = """
    WITH s AS MATERIALIZED (
        SELECT id, streak_state AS state, cardinality(here) AS checked_in, zone, check_in_date, closes_at,
            window_closes_at, told_ends_soon, hold_until IS NOT NULL AS held
        FROM streak.streaks
        WHERE next_due_at <= (SELECT clock.now()) AND id <> ALL ($2::uuid[])
        ORDER BY next_due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
    SELECT state, checked_in, zone, check_in_date, closes_at, window_closes_at, told_ends_soon, held,
        array_agg(id) AS ids, clock.now() AS now
    FROM s GROUP BY state, checked_in, zone, check_in_date, closes_at, window_closes_at, told_ends_soon, held"""

MISSING = "CASE WHEN old.user_a_id = ANY (old.here) THEN old.user_b_id ELSE old.user_a_id END"

CLOSE = f"""
    WITH closing AS MATERIALIZED (
        SELECT * FROM unnest(
            $5::text[], $6::date[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::integer[],
            $11::integer[], $12::boolean[], $13::boolean[], $14::boolean[], $15::timestamptz[], $16::text[],
            $17::bytea[], $18::boolean[]
        ) WITH ORDINALITY AS c (state, check_in_date, closes_at, window_closes_at, next_due_at, cycles,
            ahead, keeps_count, keeps_check_ins, names_breaker, occurred_at, subject, same, told_ends_soon, number)
    ), closed AS (
        UPDATE streak.streaks s SET
            streak_state = c.state, check_in_date = c.check_in_date, closes_at = c.closes_at,
            window_closes_at = c.window_closes_at, next_due_at = c.next_due_at, cycle = old.cycle + c.cycles,
            version = old.version + 1, long_hold_used = c.state = 'payment_window' AND old.long_hold_used,
            completed_days = CASE WHEN c.keeps_count THEN old.completed_days ELSE 0 END,
            current_day = CASE WHEN c.keeps_count THEN old.completed_days ELSE 0 END + c.ahead,
            here = CASE WHEN c.keeps_check_ins THEN old.here ELSE '{{}}' END,
            breaker_user_id = CASE WHEN c.names_breaker THEN {MISSING} END, told_ends_soon = c.told_ends_soon
        FROM unnest($1::uuid[], $2::bigint[]) AS due (id, number)
            JOIN closing c USING (number) JOIN streak.streaks old USING (id)
        WHERE s.id = old.id
        RETURNING s.id, s.connection_id, s.user_a_id, s.user_b_id, s.version, s.cycle, s.current_day,
            s.completed_days, old.completed_days AS lost_days, {MISSING} AS missing, c.subject, c.same, c.occurred_at)
    INSERT INTO streak.outbox (id, aggregate_id, aggregate_version, subject, payload, occurred_at, trace)
    SELECT ($4 || substr(gen_random_uuid()::text, 16))::uuid, id, version, subject, PAYLOAD, occurred_at, $3
    FROM closed"""
"""$4 is the text of a new id up to the digit of its version: so the ids of the events begin with the time (`uuid7`).
PAYLOAD stands for the SQL of an event's bytes.
"""


class Due(NamedTuple):
    """Locked streaks that are due, all of one kind."""

    kind: Kind
    held: bool
    """Whether their windows are held for payments (ST-20): then the kind does not decide the step."""
    ids: list[UUID]


class Closed(NamedTuple):
    """A step of time on streaks of one kind, and what their events have in common."""

    ids: list[UUID]
    closing: Closing
    subject: str
    same: bytes
    """The bytes of the event that are the same for all these streaks."""


async def lock_due(tx: Tx, limit: int, excluding: Collection[UUID] = ()) -> list[Due]:
    """Locks streaks whose `next_due_at` has come, and sets tx.now; skips those that another replica locked (ST-16)."""
    rows = await tx.lock(LOCK_DUE, limit, list(excluding))
    return [Due(from_row(Kind, row), row["held"], row["ids"]) for row in rows]


async def save(tx: Tx, closed: Sequence[Closed], payload: str) -> None:
    """Stores steps of time of locked streaks, each with its event and with what the event says of its break. `payload`
    is the SQL of an event's bytes (`messages.PAYLOAD`). Raises RuntimeError if a streak is not there.
    """
    ids = [streak_id for each in closed for streak_id in each.ids]
    numbers = [number for number, each in enumerate(closed, start=1) for _ in each.ids]
    columns = zip(*(_columns(each) for each in closed), strict=True)
    sql = CLOSE.replace("PAYLOAD", payload)
    written = await tx.run_emitting(sql, ids, numbers, trace.current(), str(uuid7())[:15], *map(list, columns))
    if written != len(ids):
        raise RuntimeError(f"{len(ids)} streaks were locked, and {written} of them closed")
    await breaks.save_closed(tx, [(each.closing.event, each.ids) for each in closed])


def _columns(closed: Closed) -> tuple[object, ...]:
    closing, after = closed.closing, closed.closing.after
    return (
        after.state,
        after.check_in_date,
        after.closes_at,
        after.window_closes_at,
        after.next_due_at,
        closing.cycles,
        after.current_day - after.completed_days,
        closing.keeps_count,
        closing.keeps_check_ins,
        closing.names_breaker,
        closing.event.occurred_at,
        closed.subject,
        closed.same,
        after.told_ends_soon,
    )
