"""What a streak is: its states, the moves between them, its numbers, and the one row that holds it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class State(StrEnum):
    """ST-02: the states of a streak."""

    ACTIVE = "active"
    AT_RISK = "at_risk"
    PAYMENT_WINDOW = "payment_window"
    RESET = "reset"
    COMPLETED = "completed"
    TERMINATED = "terminated"


INITIAL = State.ACTIVE
PLAYING = frozenset({State.ACTIVE, State.AT_RISK})
TERMINAL = frozenset({State.COMPLETED, State.TERMINATED})

# ST-02, ST-19: all single moves. The database trigger refuses any other move, so several moves at once (a sweep after
# an outage) are stored one by one: the first and the last state of a legal path need not be in this set as a pair.
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
    """ST-14: how much effort a member says that they put into a day."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers of the rules (ST-03, ST-06, ST-11, ST-20, ST-23)."""

    final_day: int = 15
    at_risk: timedelta = timedelta(hours=6)  # a day on which one has checked in is at risk this long before it ends
    ends_soon: timedelta = timedelta(hours=6)  # a day without a check-in is told of this long before it ends
    first_day: timedelta = timedelta(hours=6)  # the minimum length of the first day of a cycle
    hold: timedelta = timedelta(minutes=10)  # an authorised payment holds the payment window open for this long


class Connection(NamedTuple):
    """The connection of a streak, as matching owns it."""

    id: UUID
    pair: tuple[UUID, UUID]
    """The two members, the lower id first (MA-08)."""
    server_type: str
    """`partner`, `friend` or `growth`."""


class Hold(NamedTuple):
    """ST-20: the payment window stays open for one payment of the breaker, and no other, until an instant (UTC)."""

    payment_id: UUID
    until: datetime


class BreakKey(NamedTuple):
    """Identifies a break within its streak: the day of this date was missed in this cycle. It is unique there."""

    cycle: int
    check_in_date: date


@dataclass(frozen=True, slots=True)
class Streak:
    """One row. Instants are UTC.

    `check_in_date`, `closes_at` and `checked_in` describe one day: in active and at_risk the current day; in
    payment_window the day that broke (so that a recovery knows which day is played again); afterwards the last day that
    was played. A reset empties `checked_in`; a terminal state keeps it. The date is stored, not derived from
    `closes_at`: so the days of a cycle stay distinct and in order even when a zone's rules change between two of them.
    """

    id: UUID
    connection_id: UUID
    user_a_id: UUID
    user_b_id: UUID
    server_type: str
    state: State
    cycle: int
    completed_days: int
    zone: str
    check_in_date: date
    closes_at: datetime
    checked_in: frozenset[UUID]  # the members who checked in on this day
    started_at: datetime
    window_closes_at: datetime | None = None  # this and breaker_user_id: set in payment_window, and only there
    breaker_user_id: UUID | None = None
    hold: Hold | None = None  # only in payment_window
    long_hold_used: bool = False  # the one hold of this break that may pass the deadline is used; as above
    told_ends_soon: bool = False  # ST-23: it was told that this day ends soon; a new day begins untold
    ended_at: datetime | None = None  # set in completed and terminated, and only there
    next_due_at: datetime | None = None  # `due.next_due` by the policy at its last event: the sweep finds it by this
    version: int = 0  # the number of its events

    @property
    def pair(self) -> frozenset[UUID]:
        """The two members."""
        return frozenset({self.user_a_id, self.user_b_id})

    @property
    def break_key(self) -> BreakKey | None:
        """The break that the payment window is open for."""
        return BreakKey(self.cycle, self.check_in_date) if self.state is State.PAYMENT_WINDOW else None

    @property
    def current_day(self) -> int:
        """The number of the day that the row describes.

        A day on which both have checked in counts at once (ST-05), yet lasts until midnight. A broken day keeps its
        number, under which it would be played again. After a reset it is day 1.
        """
        return self.completed_days if len(self.checked_in) == 2 else self.completed_days + 1
