"""ST-22: finished cycles, as one of the two members sees them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from unora_streak.domain.check_ins import CheckIn
from unora_streak.domain.state import TERMINAL, Effort, State, Streak


class CycleEnd(StrEnum):
    """How a cycle ended."""

    RESET = "reset"
    COMPLETED = "completed"
    TERMINATED = "terminated"


@dataclass(frozen=True, slots=True)
class HistoryDay:
    """A day on which one of the two checked in. The effort and the time (UTC) are the viewer's own."""

    check_in_date: date
    day: int
    checked_in_at: datetime | None
    effort_signal: Effort | None
    partner_checked_in: bool


@dataclass(frozen=True, slots=True)
class FinishedCycle:
    """A finished cycle. `last_at` (UTC) is the last check-in in it, or the end of a cycle without one."""

    streak_id: UUID
    server_type: str
    cycle: int
    end: CycleEnd
    days: tuple[HistoryDay, ...]
    last_at: datetime

    @property
    def completed_days(self) -> int:
        """On how many days both checked in."""
        return sum(day.partner_checked_in and day.checked_in_at is not None for day in self.days)


def last_finished(streak: Streak) -> int:
    """The number of the last finished cycle; 0 if none is finished. Only a reset begins another one (ST-09)."""
    return streak.cycle if streak.state in TERMINAL else streak.cycle - 1


def end_of_cycle(streak: Streak, cycle: int) -> CycleEnd:
    """How a finished cycle of the streak ended."""
    if cycle < streak.cycle:
        return CycleEnd.RESET
    return CycleEnd.COMPLETED if streak.state is State.COMPLETED else CycleEnd.TERMINATED


def days_seen_by(viewer: UUID, check_ins: Iterable[CheckIn]) -> tuple[HistoryDay, ...]:
    """The days of a cycle by date, from the check-ins of both."""
    days: dict[date, dict[bool, CheckIn]] = {}
    for check_in in check_ins:
        days.setdefault(check_in.check_in_date, {})[check_in.user_id == viewer] = check_in
    return tuple(_day(of_day.get(True), of_day.get(False)) for _, of_day in sorted(days.items()))


def _day(own: CheckIn | None, partners: CheckIn | None) -> HistoryDay:
    either = own or partners
    assert either is not None
    return HistoryDay(
        check_in_date=either.check_in_date,
        day=either.day,
        checked_in_at=own.check_in_at if own else None,
        effort_signal=own.effort_signal if own else None,
        partner_checked_in=partners is not None,
    )
