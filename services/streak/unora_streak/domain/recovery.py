"""ST-08, ST-17, ST-20: the breaker pays, and the streak goes on. Shaped as `machine`'s functions.

A payment is first authorised, which holds the window for it; then it succeeds or fails at some moment, of which the
news comes later. The moment decides, unless the streak has gone on without it: what was written is not undone.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from unora_streak.domain import steps
from unora_streak.domain.days import utc
from unora_streak.domain.errors import HeldForAnotherPayment, NotInPaymentWindow, NotInStreak, NotTheBreaker
from unora_streak.domain.events import Event, RecoveryRejected, head
from unora_streak.domain.machine import settle, settle_until
from unora_streak.domain.state import Broken, Policy, State, Streak


def hold(streak: Streak, payer: UUID, payment_id: UUID, now: datetime, policy: Policy) -> tuple[Streak, list[Event]]:
    """Authorises a recovery (ST-20). A repeat for the payment that is held already changes nothing."""
    now = utc(now)
    if payer not in streak.pair:
        raise NotInStreak
    streak, events = settle(streak, now, policy)
    if streak.state is not State.PAYMENT_WINDOW:
        raise NotInPaymentWindow(streak.state)
    if payer != streak.breaker_user_id:
        raise NotTheBreaker
    if streak.hold is None:
        streak, held = steps.hold(streak, payment_id, now, policy)
        events.append(held)
    elif streak.hold.payment_id != payment_id:
        raise HeldForAnotherPayment
    return streak, events


def release(
    streak: Streak, payment_id: UUID, failed_at: datetime, now: datetime, policy: Policy
) -> tuple[Streak, list[Event]]:
    """The payment failed: what was held for it is free again, and the deadline counts (ST-20). What is due after that
    moment is left to time.
    """
    now = utc(now)
    failed_at = min(utc(failed_at), now)
    streak, events = settle_until(streak, failed_at, now, policy)
    if streak.hold is not None and streak.hold.payment_id == payment_id:
        streak, released = steps.release(streak, failed_at, now)
        events.append(released)
    streak, later = settle_until(streak, failed_at, now, policy)
    return streak, events + later


def recoverable(streak: Streak, payer: UUID, broken: Broken | None) -> bool:
    """Whether a payment that was authorised for this break recovers the streak as it is: settled up to the payment."""
    return broken is not None and streak.broken == broken and streak.breaker_user_id == payer


def recover(
    streak: Streak,
    payer: UUID,
    payment_id: UUID,
    broken: Broken | None,
    paid_at: datetime,
    now: datetime,
    policy: Policy,
) -> tuple[Streak, list[Event]]:
    """The payment succeeded. `broken` is the break that it was authorised for, if it was.

    In time it recovers (ST-08), whoever else the window is held for; else it is rejected, to become credits (ST-17).
    """
    now = utc(now)
    paid_at = min(utc(paid_at), now)
    streak, events = settle_until(streak, paid_at, now, policy)
    if recoverable(streak, payer, broken):
        streak, recovered = steps.recover(streak, payment_id, paid_at, now, policy)
        return streak, [*events, recovered]
    streak, later = settle(streak, now, policy)
    after = replace(streak, version=streak.version + 1)
    return after, [*events, *later, RecoveryRejected(**head(streak, after, now, now), payment_id=payment_id)]
