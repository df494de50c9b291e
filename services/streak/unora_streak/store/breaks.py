"""Breaks in Postgres: the at-risk periods. They are written with the changes of their streak, under its lock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from unora_common.batching import Write
from unora_common.database import Tx
from unora_common.ids import uuid7
from unora_common.rows import Columns

from unora_streak.domain.events import Event, PaymentWindowOpened, StreakAtRisk
from unora_streak.domain.state import State, Streak

COLUMNS = Columns("id", "streak_id", "cycle", "day", "check_in_date", "missing_user_id", "opened_at")
"""What a period has from its beginning. `breaker_user_id` and `broke_at` follow if the day breaks, `outcome` and
`closed_at` at its end.
"""

OPEN = f"""
    INSERT INTO streak.breaks ({COLUMNS.names()}) VALUES ({COLUMNS.parameters()})
    ON CONFLICT (streak_id, cycle, check_in_date) DO NOTHING"""

# The row exists, unless an old version of this service, which did not write periods, put the streak at risk. Then the
# period begins as it breaks: $6 is the missing user and $7 the time.
BREAK = f"""
    INSERT INTO streak.breaks ({COLUMNS.names()}, breaker_user_id, broke_at) VALUES ({COLUMNS.parameters()}, $6, $7)
    ON CONFLICT (streak_id, cycle, check_in_date) DO UPDATE
    SET breaker_user_id = excluded.breaker_user_id, broke_at = excluded.broke_at"""

CLOSE = "UPDATE streak.breaks SET outcome = $2, closed_at = $3 WHERE streak_id = $1 AND closed_at IS NULL"

NEW_ID = "($3 || substr(gen_random_uuid()::text, 16))::uuid"
"""A new id that begins with the time: $3 is the text of one (`uuid7`) up to the digit of its version."""

OF_STREAKS = f"""
    SELECT {NEW_ID}, s.id, s.cycle, s.current_day, s.check_in_date,
        CASE WHEN s.user_a_id = ANY (s.here) THEN s.user_b_id ELSE s.user_a_id END, due.at"""

OPEN_MANY = f"""
    INSERT INTO streak.breaks ({COLUMNS.names()})
    {OF_STREAKS} FROM unnest($1::uuid[], $2::timestamptz[]) AS due (id, at) JOIN streak.streaks s USING (id)
    ON CONFLICT (streak_id, cycle, check_in_date) DO NOTHING"""

BREAK_MANY = f"""
    INSERT INTO streak.breaks ({COLUMNS.names()}, breaker_user_id, broke_at)
    {OF_STREAKS}, s.breaker_user_id, due.at
    FROM unnest($1::uuid[], $2::timestamptz[]) AS due (id, at) JOIN streak.streaks s USING (id)
    ON CONFLICT (streak_id, cycle, check_in_date) DO UPDATE
    SET breaker_user_id = excluded.breaker_user_id, broke_at = excluded.broke_at"""

CLOSE_MANY = """
    UPDATE streak.breaks b SET outcome = $3, closed_at = due.at
    FROM unnest($1::uuid[], $2::timestamptz[]) AS due (id, at)
    WHERE b.streak_id = due.id AND b.closed_at IS NULL"""

BATCH_STATEMENTS = {OPEN: OPEN_MANY, BREAK: BREAK_MANY, CLOSE: CLOSE_MANY}
"""The statements of one streak, and the same for streaks that are stored already: $1 are their ids, $2 the times."""

FIND = "SELECT id FROM streak.breaks WHERE streak_id = $1 AND cycle = $2 AND check_in_date = $3"

OPEN_STATES = frozenset({State.AT_RISK, State.PAYMENT_WINDOW})
"""The states of a streak whose at-risk period is not closed."""


def save(tx: Tx, event: Event) -> None:
    """Stores what an event says of an at-risk period."""
    write = _write_of(event)
    if write:
        tx.deferred.append(write)


async def save_many(tx: Tx, events: Sequence[Event]) -> None:
    """Stores what events of different streaks say of their periods: one round trip for each kind of statement."""
    rows: dict[str, list[tuple[object, ...]]] = {}
    for event in events:
        write = _write_of(event)
        if write:
            rows.setdefault(write.sql, []).append(write.arguments)
    for sql, arguments in rows.items():
        await tx.run_many(sql, arguments)


async def save_closed(tx: Tx, events: Sequence[tuple[Event, Sequence[UUID]]]) -> None:
    """Stores what steps of time say of the periods of many streaks, whose rows are stored already. Each event is that
    of a model; the ids are those of the streaks.
    """
    rows: dict[tuple[str, object], tuple[list[UUID], list[datetime]]] = {}
    for event, streak_ids in events:
        write = _write_of(event)
        if write:
            key = (BATCH_STATEMENTS[write.sql], write.arguments[1] if write.sql == CLOSE else str(uuid7())[:15])
            ids, moments = rows.setdefault(key, ([], []))
            ids += streak_ids
            moments += [event.occurred_at] * len(streak_ids)
    for (sql, argument), (ids, moments) in rows.items():
        await tx.run(sql, ids, moments, argument)


async def get_or_create(tx: Tx, streak: Streak) -> UUID:
    """The id of the at-risk period that a locked streak is in. It is created if an old version of this service, which
    did not write periods, put the streak at risk.
    """
    key = (streak.id, streak.cycle, streak.check_in_date)
    found: UUID | None = await tx.value(FIND, *key)
    if found is None:
        (missing,) = streak.pair - streak.checked_in
        sql = BREAK if streak.state is State.PAYMENT_WINDOW else OPEN
        await tx.run(sql, uuid7(), streak.id, streak.cycle, streak.current_day, streak.check_in_date, missing, tx.now)
        found = await tx.value(FIND, *key)
    assert found is not None
    return found


def _write_of(event: Event) -> Write | None:
    match event:
        case StreakAtRisk():
            period = COLUMNS.values_of(event, id=uuid7(), opened_at=event.occurred_at)
            return Write(OPEN, tuple(period))
        case PaymentWindowOpened(breaker_user_id=breaker):
            period = COLUMNS.values_of(event, id=uuid7(), missing_user_id=breaker, opened_at=event.occurred_at)
            return Write(BREAK, tuple(period))
        case Event(previous_state=before, state=after) if before in OPEN_STATES and before is not after:
            return Write(CLOSE, (event.streak_id, _outcome(before, after), event.occurred_at))
        case _:
            return None


def _outcome(before: State, after: State) -> str:
    if after is State.ACTIVE or after is State.COMPLETED:
        return "recovered" if before is State.PAYMENT_WINDOW else "kept"
    return after.value
