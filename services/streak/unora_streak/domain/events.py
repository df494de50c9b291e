"""What happened to a streak. Ids, states, numbers and times only (XX-01).

Each event raises the streak's version by one, and describes the streak after the event: its state and the state before,
the cycle, the day, the count. `occurred_at` is when the event took effect, `recorded_at` when it was recorded: a sweep
after an outage records events that took effect long before.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict
from uuid import UUID

from unora_common.domain_events import DomainEvent

from unora_streak.domain.state import Effort, State, Streak


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(DomainEvent):
    """The fields of every event."""

    streak_id: UUID
    version: int
    connection_id: UUID
    user_a_id: UUID
    user_b_id: UUID
    previous_state: State | None  # None only when the streak starts
    state: State
    cycle: int
    day: int
    completed_days: int
    occurred_at: datetime
    recorded_at: datetime


class EventHeader(TypedDict):
    """The fields of Event, as a type that checks `SomeEvent(**event_header(...), ...)`."""

    streak_id: UUID
    version: int
    connection_id: UUID
    user_a_id: UUID
    user_b_id: UUID
    previous_state: State | None
    state: State
    cycle: int
    day: int
    completed_days: int
    occurred_at: datetime
    recorded_at: datetime


def event_header(before: Streak | None, after: Streak, occurred_at: datetime, now: datetime) -> EventHeader:
    """The fields that every event has, for an event that changes the streak from `before` to `after`."""
    return EventHeader(
        streak_id=after.id,
        version=before.version + 1 if before else 1,
        connection_id=after.connection_id,
        user_a_id=after.user_a_id,
        user_b_id=after.user_b_id,
        previous_state=before.state if before else None,
        state=after.state,
        cycle=after.cycle,
        day=after.current_day,
        completed_days=after.completed_days,
        occurred_at=occurred_at,
        recorded_at=now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StreakStarted(Event):
    """ST-01. It takes effect when the connection formed."""

    time_zone: str
    check_in_date: date
    day_ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleBegan(Event):
    """ST-10: reset → active, by a check-in, which follows as a separate event."""

    time_zone: str
    check_in_date: date
    day_ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedIn(Event):
    """ST-04, ST-14. It changes no state itself: a change that it causes follows as a separate event."""

    user_id: UUID
    check_in_date: date
    effort_signal: Effort


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCompleted(Event):
    """ST-05: both have checked in; `completed_days` counts the day. At risk → active, unless StreakCompleted comes."""

    check_in_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBegan(Event):
    """A day on which both checked in has ended, and the next day has begun."""

    check_in_date: date
    day_ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DayEndsSoon(Event):
    """ST-23: nobody has checked in, and six hours or less remain. It changes no state."""

    check_in_date: date
    day_ends_at: datetime
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreakAtRisk(Event):
    """ST-06: one has checked in, the other has not, and six hours or less remain."""

    missing_user_id: UUID
    check_in_date: date
    day_ends_at: datetime
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentWindowOpened(Event):
    """ST-06, ST-08. `check_in_date` and `day` are those of the day that broke."""

    breaker_user_id: UUID
    check_in_date: date
    window_ends_at: datetime
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreakReset(Event):
    """ST-07 from active, ST-09 from payment_window. `cycle` is the next cycle, which the next check-in begins."""

    lost_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StreakCompleted(Event):
    """ST-11: both have checked in on fifteen days of one cycle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreakTerminated(Event):
    """ST-12. It does not say who ended the connection or why (MA-09)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryHeld(Event):
    """ST-20. The payment window stays open for this payment."""

    payment_id: UUID
    breaker_user_id: UUID
    held_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryReleased(Event):
    """ST-20. A hold ended without a recovery; StreakReset follows if the deadline has passed."""

    payment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class StreakRecovered(Event):
    """ST-08: payment_window → active, in effect since the payment. `check_in_date` is that of the day played again."""

    payment_id: UUID
    breaker_user_id: UUID
    check_in_date: date
    day_ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRejected(Event):
    """ST-17: a payment came too late, or for another break. It changes no state."""

    payment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class NudgeSent(Event):
    """ST-13. It changes no state. Only a bought nudge has a `payment_id`."""

    nudge_id: UUID
    sender_id: UUID
    receiver_id: UUID
    payment_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NudgeRejected(Event):
    """ST-13, BI-11: a bought nudge could no longer be sent. It changes no state."""

    payment_id: UUID


def transitions(events: Iterable[Event]) -> list[tuple[State, State]]:
    """The moves between states that these events record, in order: each is in ALLOWED."""
    return [
        (event.previous_state, event.state)
        for event in events
        if event.previous_state is not None and event.previous_state is not event.state
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberErasedFromStreak(DomainEvent):
    """ID-09: what this context kept of a member is erased. The aggregate is the erasure."""

    erasure_id: UUID
    version: int
    user_id: UUID
    occurred_at: datetime
