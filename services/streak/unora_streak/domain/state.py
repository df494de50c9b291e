"""What a streak is: its states, the moves between them, its numbers, and the one row that holds it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class State(StrEnum):
    """ST-02: where a streak stands."""

    ACTIVE = "active"
    AT_RISK = "at_risk"
    PAYMENT_WINDOW = "payment_window"
    RESET = "reset"
    COMPLETED = "completed"
    TERMINATED = "terminated"


INITIAL = State.ACTIVE
PLAYING = frozenset({State.ACTIVE, State.AT_RISK})
TERMINAL = frozenset({State.COMPLETED, State.TERMINATED})

# ST-02, ST-19: every single move there is. The database trigger refuses all others, so whoever stores several moves at
# once (a sweep after an outage) writes them one by one: the net of a legal path need not be in this set.
ALLOWED: frozenset[tuple[State, State]] = frozenset(
    {
        (State.ACTIVE, State.AT_RISK),
        (State.ACTIVE, State.RESET),
        (State.ACTIVE, State.COMPLETED),
        (State.ACTIVE, State.TERMINATED),
        (State.AT_RISK, State.ACTIVE),
        (State.AT_RISK, State.PAYMENT_WINDOW),
        (State.AT_RISK, State.COMPLETED),
        (State.AT_RISK, State.TERMINATED),
        (State.PAYMENT_WINDOW, State.ACTIVE),
        (State.PAYMENT_WINDOW, State.RESET),
        (State.PAYMENT_WINDOW, State.TERMINATED),
        (State.RESET, State.ACTIVE),
        (State.RESET, State.TERMINATED),
    }
)


class Effort(StrEnum):
    """ST-14: how much a member put into a day, by their own word."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers of the rules (ST-03, ST-06, ST-11, ST-20)."""

    final_day: int = 15
    at_risk: timedelta = timedelta(hours=6)  # a day that one has kept is at risk for this long before it ends
    first_day: timedelta = timedelta(hours=6)  # the least that the first day of a cycle lasts
    hold: timedelta = timedelta(minutes=10)  # a payment that was authorised keeps the window open for this long


class Hold(NamedTuple):
    """ST-20: the window stays open for one payment of the breaker, and for no other, until an instant (UTC)."""

    payment_id: UUID
    until: datetime


class Broken(NamedTuple):
    """A break, by what it is of its streak: the day of that date was missed in that cycle. No streak has it twice."""

    cycle: int
    check_in_date: date


@dataclass(frozen=True, slots=True)
class Streak:
    """One row. Instants are UTC.

    `check_in_date`, `closes_at` and `here` describe one day: the one being played in active and at_risk; the one that
    broke in payment_window (so that a recovery knows what is played again); afterwards the last one played. A reset
    empties `here`; an end keeps it. The date is stored, not derived from `closes_at`: the days of a cycle then stay
    distinct and in order even when a zone's rules change between two of them.
    """

    id: UUID
    connection_id: UUID
    user_a_id: UUID
    user_b_id: UUID
    state: State
    cycle: int
    completed_days: int
    zone: str
    check_in_date: date
    closes_at: datetime
    here: frozenset[UUID]
    started_at: datetime
    window_closes_at: datetime | None = None  # this and breaker_user_id: set in payment_window, and only there
    breaker_user_id: UUID | None = None
    hold: Hold | None = None  # only in payment_window
    long_hold_used: bool = False  # the one hold of this break that may go past the deadline was given; as above
    ended_at: datetime | None = None  # set in completed and terminated, and only there
    version: int = 1  # one higher with each event

    @property
    def pair(self) -> frozenset[UUID]:
        """The two members."""
        return frozenset({self.user_a_id, self.user_b_id})

    @property
    def broken(self) -> Broken | None:
        """The break whose window is open."""
        return Broken(self.cycle, self.check_in_date) if self.state is State.PAYMENT_WINDOW else None

    @property
    def current_day(self) -> int:
        """The number of the day that the row is on.

        A day that both have kept counts at once (ST-05), yet lasts until midnight. A broken day keeps its number, under
        which it would be played again. After a reset it is day 1.
        """
        return self.completed_days if self.here == self.pair else self.completed_days + 1
