"""What happened to a streak. Ids, states, numbers and times only (XX-01).

Each event raises the streak's version by one, and carries the streak as it stands after it: the state and the one
before, the cycle, the day, the count. `at` is when it took effect, `recorded_at` when it was seen: a sweep after an
outage tells the past.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict
from uuid import UUID

from unora_streak.domain.state import Effort, State, Streak


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all of them tell."""

    streak_id: UUID
    connection_id: UUID
    user_a_id: UUID
    user_b_id: UUID
    was: State | None  # None only when the streak starts
    state: State
    cycle: int
    day: int
    completed_days: int
    at: datetime
    recorded_at: datetime


class Head(TypedDict):
    """The fields of Event, as a type that checks `SomeEvent(**head(...), ...)`."""

    streak_id: UUID
    connection_id: UUID
    user_a_id: UUID
    user_b_id: UUID
    was: State | None
    state: State
    cycle: int
    day: int
    completed_days: int
    at: datetime
    recorded_at: datetime


def head(before: Streak | None, after: Streak, at: datetime, now: datetime) -> Head:
    """What the move from `before` to `after` tells in any case."""
    return Head(
        streak_id=after.id,
        connection_id=after.connection_id,
        user_a_id=after.user_a_id,
        user_b_id=after.user_b_id,
        was=before.state if before else None,
        state=after.state,
        cycle=after.cycle,
        day=after.current_day,
        completed_days=after.completed_days,
        at=at,
        recorded_at=now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StreakStarted(Event):
    """ST-01. In effect since the connection formed."""

    zone: str
    check_in_date: date
    closes_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleBegan(Event):
    """ST-10: reset → active, by a check-in, which follows as an event of its own."""

    zone: str
    check_in_date: date
    closes_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedIn(Event):
    """ST-04, ST-14. Moves nothing itself: what it brings about follows."""

    user_id: UUID
    check_in_date: date
    effort: Effort


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCompleted(Event):
    """ST-05: both are in, and `completed_days` counts the day. At risk → active, unless StreakCompleted follows."""

    check_in_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBegan(Event):
    """A day that both kept has ended, and the next one is on."""

    check_in_date: date
    closes_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StreakAtRisk(Event):
    """ST-06: one is in, one is missing, and six hours or fewer remain."""

    missing_user_id: UUID
    check_in_date: date
    closes_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentWindowOpened(Event):
    """ST-06, ST-08. `check_in_date` and `day` are those of the day that broke."""

    breaker_user_id: UUID
    check_in_date: date
    window_closes_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StreakReset(Event):
    """ST-07 when it was active, ST-09 when it was in payment_window. `cycle` is the one that may now begin."""

    lost_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StreakCompleted(Event):
    """ST-11: both have checked in on fifteen days of one cycle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreakTerminated(Event):
    """ST-12. Who ended it, and why, is not told (MA-09)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryHeld(Event):
    """ST-20. The window stays open for this payment."""

    payment_id: UUID
    breaker_user_id: UUID
    held_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryReleased(Event):
    """ST-20. A hold ended without a recovery; StreakReset follows if the deadline has passed."""

    payment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class StreakRecovered(Event):
    """ST-08: payment_window → active. In effect since the payment; `check_in_date` is of the day played again."""

    payment_id: UUID
    breaker_user_id: UUID
    check_in_date: date
    closes_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRejected(Event):
    """ST-17. Moves nothing."""

    payment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class NudgeSent(Event):
    """ST-13. Moves nothing. `payment_id` is of a bought one."""

    nudge_id: UUID
    sender_id: UUID
    receiver_id: UUID
    payment_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NudgeRejected(Event):
    """ST-13, BI-11: a bought nudge that nobody is there for any more. Moves nothing."""

    payment_id: UUID


def transitions(events: Iterable[Event]) -> list[tuple[State, State]]:
    """The moves these events tell of, in order: each is in ALLOWED."""
    return [(e.was, e.state) for e in events if e.was is not None and e.was is not e.state]
