"""At-risk periods: written with the moves of their streaks, under the lock of its row."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora_common.batching import Write
from unora_common.database import Tx
from unora_common.ids import uuid7

from unora_streak.domain import Event, PaymentWindowOpened, State, Streak, StreakAtRisk

OPEN = """
    INSERT INTO streak.breaks (id, streak_id, cycle, day, check_in_date, missing_user_id, opened_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (streak_id, cycle, check_in_date) DO NOTHING"""

# The period is there, unless a version of this service that knew none put the streak at risk.
BREAK = """
    INSERT INTO streak.breaks
        (id, streak_id, cycle, day, check_in_date, missing_user_id, opened_at, breaker_user_id, broke_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $6, $7)
    ON CONFLICT (streak_id, cycle, check_in_date) DO UPDATE
    SET breaker_user_id = excluded.breaker_user_id, broke_at = excluded.broke_at"""

CLOSE = "UPDATE streak.breaks SET outcome = $2, closed_at = $3 WHERE streak_id = $1 AND closed_at IS NULL"

OF = "SELECT id FROM streak.breaks WHERE streak_id = $1 AND cycle = $2 AND check_in_date = $3"

UNDER_WAY = frozenset({State.AT_RISK, State.PAYMENT_WINDOW})
"""States of a period that is not closed."""


def writes_of(event: Event) -> list[Write]:
    """What an event of its streak writes of an at-risk period: at most one statement."""
    match event:
        case StreakAtRisk(missing_user_id=missing):
            period = (event.streak_id, event.cycle, event.day, event.check_in_date, missing, event.at)
            return [Write(OPEN, (uuid7(), *period))]
        case PaymentWindowOpened(breaker_user_id=breaker):
            period = (event.streak_id, event.cycle, event.day, event.check_in_date, breaker, event.at)
            return [Write(BREAK, (uuid7(), *period))]
        case Event(was=was, state=state) if was in UNDER_WAY and was is not state:
            return [Write(CLOSE, (event.streak_id, _outcome(was, state), event.at))]
        case _:
            return []


async def save_many(tx: Tx, events: Sequence[Event]) -> None:
    """Writes what events of different streaks say of their periods: a round trip for each kind that occurs."""
    rows: dict[str, list[tuple[object, ...]]] = {}
    for event in events:
        for write in writes_of(event):
            rows.setdefault(write.sql, []).append(write.arguments)
    for sql, arguments in rows.items():
        await tx.run_many(sql, arguments)


async def of(tx: Tx, streak: Streak) -> UUID:
    """The at-risk period that a locked streak is in. It is made here, if a version of this service that knew none put
    the streak at risk.
    """
    key = (streak.id, streak.cycle, streak.check_in_date)
    found: UUID | None = await tx.value(OF, *key)
    if found is None:
        (missing,) = streak.pair - streak.here
        sql = BREAK if streak.state is State.PAYMENT_WINDOW else OPEN
        await tx.run(sql, uuid7(), streak.id, streak.cycle, streak.current_day, streak.check_in_date, missing, tx.now)
        found = await tx.value(OF, *key)
    assert found is not None
    return found


def _outcome(was: State, state: State) -> str:
    if state is State.ACTIVE or state is State.COMPLETED:
        return "recovered" if was is State.PAYMENT_WINDOW else "kept"
    return state.value
