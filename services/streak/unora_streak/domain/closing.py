"""ST-16: what time does to many streaks at once.

What a step of time does follows from a few facts of a streak: its state, how many have checked in, its day. So it is
decided once for all streaks that have the same facts, by taking the step with a model of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from unora_streak.domain import machine
from unora_streak.domain.due import next_due
from unora_streak.domain.events import Event
from unora_streak.domain.state import Policy, State, Streak

_A: Final = UUID(int=1)
_B: Final = UUID(int=2)


@dataclass(frozen=True, slots=True)
class Kind:
    """The facts of a streak without a hold that decide its next step of time."""

    state: State
    checked_in: int
    """How many of the two have checked in."""
    zone: str
    check_in_date: date
    closes_at: datetime
    window_closes_at: datetime | None
    told_ends_soon: bool = False
    """Whether it was told that the day ends soon (ST-23)."""


@dataclass(frozen=True, slots=True)
class Closing:
    """The next step of time of all streaks of a kind, taken by a model of them.

    Of a streak itself are only its ids, its numbers, and who has checked in. The properties say how the step changes
    those: what it changes besides is the same for all.
    """

    due: datetime
    """When the step takes effect."""
    before: Streak
    after: Streak
    event: Event
    """As if it were recorded when the step is due: when it is recorded is for the caller to say."""

    @property
    def cycles(self) -> int:
        """How many cycles the step adds."""
        return self.after.cycle - self.before.cycle

    @property
    def keeps_count(self) -> bool:
        """Whether the completed days stay; otherwise there are none."""
        return self.after.completed_days == self.before.completed_days

    @property
    def keeps_check_ins(self) -> bool:
        """Whether the check-ins of the day stay; otherwise there are none."""
        return self.after.checked_in == self.before.checked_in

    @property
    def names_breaker(self) -> bool:
        """Whether the one who has not checked in becomes the breaker; otherwise there is none."""
        return self.after.breaker_user_id is not None


def close(kind: Kind, policy: Policy) -> Closing | None:
    """The next step of time of streaks of this kind, as `machine.step` takes it; None if time changes nothing. Raises
    what the step raises.
    """
    before = _model(kind)
    due = next_due(before, policy)
    if due is None:
        return None
    stepped = machine.step(before, due, due, policy)
    assert stepped is not None
    return Closing(due, before, *stepped)


def _model(kind: Kind) -> Streak:
    return Streak(
        id=UUID(int=0),
        connection_id=UUID(int=0),
        user_a_id=_A,
        user_b_id=_B,
        server_type="partner",
        state=kind.state,
        cycle=1,
        completed_days=1,
        zone=kind.zone,
        check_in_date=kind.check_in_date,
        closes_at=kind.closes_at,
        checked_in=frozenset((_A, _B)[: kind.checked_in]),
        started_at=kind.closes_at,
        window_closes_at=kind.window_closes_at,
        told_ends_soon=kind.told_ends_soon,
        breaker_user_id=_B if kind.state is State.PAYMENT_WINDOW else None,
    )
