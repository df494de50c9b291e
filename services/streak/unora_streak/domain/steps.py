"""The single steps of the machine. The caller decides whether a step is due.

Each takes the streak `before` the step, and makes the streak after it and its event. The event takes effect at
`occurred_at` and is recorded `now`.
"""

from dataclasses import replace
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from unora_streak.domain.days import Day, first_day, next_day
from unora_streak.domain.due import next_version
from unora_streak.domain.events import (
    CycleBegan,
    DayBegan,
    DayCompleted,
    DayEndsSoon,
    Event,
    PaymentWindowOpened,
    RecoveryHeld,
    RecoveryReleased,
    StreakAtRisk,
    StreakCompleted,
    StreakRecovered,
    StreakReset,
    event_header,
)
from unora_streak.domain.state import Hold, Policy, State, Streak


class _NoWindow(TypedDict):
    window_closes_at: None
    breaker_user_id: None
    hold: None
    long_hold_used: bool


NO_WINDOW = _NoWindow(window_closes_at=None, breaker_user_id=None, hold=None, long_hold_used=False)
"""The fields of the payment window, for a streak that is not in it."""


def begin_cycle(before: Streak, zone: str, now: datetime, policy: Policy) -> tuple[Streak, Event]:
    """ST-03, ST-10. The reset has raised the cycle number already (ST-09)."""
    day = first_day(now, zone, policy.first_day)
    after = next_version(_on(before, day, zone), policy)
    return after, CycleBegan(
        **event_header(before, after, now, now),
        time_zone=zone,
        check_in_date=day.check_in_date,
        day_ends_at=day.closes_at,
    )


def begin_day(before: Streak, occurred_at: datetime, now: datetime, policy: Policy) -> tuple[Streak, Event]:
    """A day on which both checked in is over, and the next day begins (ST-05)."""
    day = next_day(Day(before.check_in_date, before.closes_at), before.zone)
    after = next_version(_on(before, day, before.zone), policy)
    header = event_header(before, after, occurred_at, now)
    return after, DayBegan(**header, check_in_date=day.check_in_date, day_ends_at=day.closes_at)


def _on(before: Streak, day: Day, zone: str) -> Streak:
    """The streak as it begins a day."""
    return replace(
        before,
        state=State.ACTIVE,
        zone=zone,
        check_in_date=day.check_in_date,
        closes_at=day.closes_at,
        checked_in=frozenset(),
        told_ends_soon=False,
        **NO_WINDOW,
    )


def count_day(before: Streak, now: datetime, policy: Policy) -> tuple[Streak, list[Event]]:
    """ST-05, ST-11. The last day leads straight to completed, also from at_risk: then counting changes no state."""
    days = before.completed_days + 1
    last = days >= policy.final_day
    state = before.state if last else State.ACTIVE
    counted = next_version(replace(before, completed_days=days, state=state), policy)
    day_completed = DayCompleted(**event_header(before, counted, now, now), check_in_date=before.check_in_date)
    if not last:
        return counted, [day_completed]
    completed = next_version(replace(counted, state=State.COMPLETED, ended_at=now), policy)
    return completed, [day_completed, StreakCompleted(**event_header(counted, completed, now, now))]


def put_at_risk(before: Streak, occurred_at: datetime, now: datetime, policy: Policy) -> tuple[Streak, Event]:
    """ST-06, during the day."""
    after = next_version(replace(before, state=State.AT_RISK), policy)
    return after, StreakAtRisk(
        **event_header(before, after, occurred_at, now),
        missing_user_id=_missing(before),
        check_in_date=before.check_in_date,
        day_ends_at=before.closes_at,
        time_zone=before.zone,
    )


def tell_ends_soon(before: Streak, occurred_at: datetime, now: datetime, policy: Policy) -> tuple[Streak, Event]:
    """ST-23: nobody has checked in, and little time remains. It changes nothing but that it was told."""
    after = next_version(replace(before, told_ends_soon=True), policy)
    return after, DayEndsSoon(
        **event_header(before, after, occurred_at, now),
        check_in_date=before.check_in_date,
        day_ends_at=before.closes_at,
        time_zone=before.zone,
    )


def open_window(before: Streak, occurred_at: datetime, now: datetime, policy: Policy) -> tuple[Streak, Event]:
    """ST-06, ST-08: the day ended and only one had checked in. The other may recover it until the next day ends."""
    breaker = _missing(before)
    window = next_day(Day(before.check_in_date, before.closes_at), before.zone)
    opened = replace(before, state=State.PAYMENT_WINDOW, breaker_user_id=breaker, window_closes_at=window.closes_at)
    after = next_version(opened, policy)
    return after, PaymentWindowOpened(
        **event_header(before, after, occurred_at, now),
        breaker_user_id=breaker,
        check_in_date=before.check_in_date,
        window_ends_at=window.closes_at,
        time_zone=before.zone,
    )


def hold(before: Streak, payment_id: UUID, now: datetime, policy: Policy) -> tuple[Streak, Event]:
    """ST-20: the first hold of a break may last past the deadline of the window; later holds end with it."""
    breaker, deadline = before.breaker_user_id, before.window_closes_at
    assert breaker is not None
    assert deadline is not None
    until = now + policy.hold
    if before.long_hold_used:
        until = min(until, deadline)
    after = next_version(replace(before, hold=Hold(payment_id, until), long_hold_used=True), policy)
    header = event_header(before, after, now, now)
    return after, RecoveryHeld(**header, payment_id=payment_id, breaker_user_id=breaker, held_until=until)


def release(before: Streak, occurred_at: datetime, now: datetime, policy: Policy) -> tuple[Streak, Event]:
    """ST-20. A window that was open past its deadline because of the hold closes at this moment, not at the deadline:
    no later event may take effect before this one.
    """
    held, deadline = before.hold, before.window_closes_at
    assert held is not None
    assert deadline is not None
    after = next_version(replace(before, hold=None, window_closes_at=max(deadline, occurred_at)), policy)
    return after, RecoveryReleased(**event_header(before, after, occurred_at, now), payment_id=held.payment_id)


def recover(
    before: Streak, payment_id: UUID, occurred_at: datetime, now: datetime, policy: Policy
) -> tuple[Streak, Event]:
    """ST-03, ST-08: both play the missed day again. Its length is measured from `now`, because no check-in was
    possible before the service learned of the payment.
    """
    breaker = before.breaker_user_id
    assert breaker is not None
    day = first_day(now, before.zone, policy.first_day)
    after = next_version(_on(before, day, before.zone), policy)
    return after, StreakRecovered(
        **event_header(before, after, occurred_at, now),
        payment_id=payment_id,
        breaker_user_id=breaker,
        check_in_date=day.check_in_date,
        day_ends_at=day.closes_at,
    )


def reset(before: Streak, occurred_at: datetime, now: datetime, policy: Policy) -> tuple[Streak, Event]:
    """ST-07, ST-09: the count returns to zero in the same row; the next check-in begins the next cycle."""
    emptied = replace(
        before,
        state=State.RESET,
        cycle=before.cycle + 1,
        completed_days=0,
        checked_in=frozenset(),
        told_ends_soon=False,
        **NO_WINDOW,
    )
    after = next_version(emptied, policy)
    return after, StreakReset(**event_header(before, after, occurred_at, now), lost_days=before.completed_days)


def _missing(streak: Streak) -> UUID:
    (missing,) = streak.pair - streak.checked_in
    return missing
