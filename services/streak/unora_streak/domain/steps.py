"""The single steps of the machine, in effect `at` and recorded `now`. Whether one is due is for the caller to say."""

from dataclasses import replace
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from unora_streak.domain.days import Day, first_day, next_day
from unora_streak.domain.events import (
    CycleBegan,
    DayBegan,
    DayCompleted,
    Event,
    PaymentWindowOpened,
    RecoveryHeld,
    RecoveryReleased,
    StreakAtRisk,
    StreakCompleted,
    StreakRecovered,
    StreakReset,
    head,
)
from unora_streak.domain.state import Hold, Policy, State, Streak


class _NoWindow(TypedDict):
    window_closes_at: None
    breaker_user_id: None
    hold: None
    long_hold_used: bool


NO_WINDOW = _NoWindow(window_closes_at=None, breaker_user_id=None, hold=None, long_hold_used=False)
"""What a streak outside the payment window holds of one."""


def begin_cycle(before: Streak, zone: str, now: datetime, policy: Policy) -> tuple[Streak, Event]:
    """ST-03, ST-10. The cycle number went up with the reset (ST-09)."""
    day = first_day(now, zone, policy.first_day)
    after = _on(before, day, zone)
    told = head(before, after, now, now)
    return after, CycleBegan(**told, zone=zone, check_in_date=day.check_in_date, closes_at=day.closes_at)


def begin_day(before: Streak, at: datetime, now: datetime) -> tuple[Streak, Event]:
    """A day that both kept is over, and the next is on (ST-05)."""
    day = next_day(Day(before.check_in_date, before.closes_at), before.zone)
    after = _on(before, day, before.zone)
    return after, DayBegan(**head(before, after, at, now), check_in_date=day.check_in_date, closes_at=day.closes_at)


def _on(before: Streak, day: Day, zone: str) -> Streak:
    return replace(
        before,
        state=State.ACTIVE,
        zone=zone,
        check_in_date=day.check_in_date,
        closes_at=day.closes_at,
        here=frozenset(),
        version=before.version + 1,
        **NO_WINDOW,
    )


def count_day(before: Streak, now: datetime, policy: Policy) -> tuple[Streak, list[Event]]:
    """ST-05, ST-11. The last day goes straight to completed, from at_risk too: then the count itself moves no state."""
    days = before.completed_days + 1
    last = days >= policy.final_day
    counted = replace(
        before,
        completed_days=days,
        state=before.state if last else State.ACTIVE,
        version=before.version + 1,
    )
    events: list[Event] = [DayCompleted(**head(before, counted, now, now), check_in_date=before.check_in_date)]
    if not last:
        return counted, events
    completed = replace(counted, state=State.COMPLETED, ended_at=now, version=counted.version + 1)
    return completed, [*events, StreakCompleted(**head(counted, completed, now, now))]


def put_at_risk(before: Streak, at: datetime, now: datetime) -> tuple[Streak, Event]:
    """ST-06, during the day."""
    after = replace(before, state=State.AT_RISK, version=before.version + 1)
    return after, StreakAtRisk(
        **head(before, after, at, now),
        missing_user_id=_missing(before),
        check_in_date=before.check_in_date,
        closes_at=before.closes_at,
    )


def open_window(before: Streak, at: datetime, now: datetime) -> tuple[Streak, Event]:
    """ST-06, ST-08: the day has ended with one in; the other may recover it until the end of the next day."""
    breaker = _missing(before)
    window = next_day(Day(before.check_in_date, before.closes_at), before.zone)
    after = replace(
        before,
        state=State.PAYMENT_WINDOW,
        breaker_user_id=breaker,
        window_closes_at=window.closes_at,
        version=before.version + 1,
    )
    return after, PaymentWindowOpened(
        **head(before, after, at, now),
        breaker_user_id=breaker,
        check_in_date=before.check_in_date,
        window_closes_at=window.closes_at,
    )


def hold(before: Streak, payment_id: UUID, now: datetime, policy: Policy) -> tuple[Streak, Event]:
    """ST-20: the first hold of a break may go past the deadline, the others end with it."""
    breaker, deadline = before.breaker_user_id, before.window_closes_at
    assert breaker is not None
    assert deadline is not None
    until = now + policy.hold
    if before.long_hold_used:
        until = min(until, deadline)
    after = replace(before, hold=Hold(payment_id, until), long_hold_used=True, version=before.version + 1)
    told = head(before, after, now, now)
    return after, RecoveryHeld(**told, payment_id=payment_id, breaker_user_id=breaker, held_until=until)


def release(before: Streak, at: datetime, now: datetime) -> tuple[Streak, Event]:
    """ST-20. A window that only the hold kept open ends with it, and not at the deadline: nothing that follows may take
    effect before this did.
    """
    held, deadline = before.hold, before.window_closes_at
    assert held is not None
    assert deadline is not None
    after = replace(before, hold=None, window_closes_at=max(deadline, at), version=before.version + 1)
    return after, RecoveryReleased(**head(before, after, at, now), payment_id=held.payment_id)


def recover(before: Streak, payment_id: UUID, at: datetime, now: datetime, policy: Policy) -> tuple[Streak, Event]:
    """ST-03, ST-08: the missed day is played again, by both. Its length is measured from `now`: nobody could check in
    before the news was here.
    """
    breaker = before.breaker_user_id
    assert breaker is not None
    day = first_day(now, before.zone, policy.first_day)
    after = _on(before, day, before.zone)
    return after, StreakRecovered(
        **head(before, after, at, now),
        payment_id=payment_id,
        breaker_user_id=breaker,
        check_in_date=day.check_in_date,
        closes_at=day.closes_at,
    )


def reset(before: Streak, at: datetime, now: datetime) -> tuple[Streak, Event]:
    """ST-07, ST-09: back to zero in the same row; the next check-in begins the next cycle."""
    after = replace(
        before,
        state=State.RESET,
        cycle=before.cycle + 1,
        completed_days=0,
        here=frozenset(),
        version=before.version + 1,
        **NO_WINDOW,
    )
    return after, StreakReset(**head(before, after, at, now), lost_days=before.completed_days)


def _missing(streak: Streak) -> UUID:
    (missing,) = streak.pair - streak.here
    return missing
