"""ST-08, ST-17, ST-20: the breaker pays, and the streak continues.

The functions have the form of those in `machine`. A payment is first authorised, which holds the window for it. Then it
succeeds or fails at some moment, and the service learns of that later. The moment decides, unless the streak has moved
on already: what is stored is never undone.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from unora_streak.domain import steps
from unora_streak.domain.days import utc
from unora_streak.domain.due import next_version
from unora_streak.domain.errors import HeldForAnotherPayment, NotInPaymentWindow, NotInStreak, NotTheBreaker
from unora_streak.domain.events import Event, RecoveryRejected, event_header
from unora_streak.domain.machine import advance, advance_until
from unora_streak.domain.state import BreakKey, Policy, State, Streak


class ClosedAs(StrEnum):
    """How a payment was closed without an effect."""

    FAILED = "failed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class PaymentRecord:
    """What the service knows of a payment for a recovery or a nudge."""

    authorized_for: BreakKey | None
    """The break that it was authorised to recover; None without such an authorisation, or for another streak."""
    break_id: UUID | None
    """The row of that break."""
    closed_as: ClosedAs | None
    delivered: bool
    """The recovery or the nudge was delivered."""

    @property
    def is_answered(self) -> bool:
        """Whether its success has had its outcome; a payment has one outcome only."""
        return self.delivered or self.closed_as is ClosedAs.REJECTED


def hold(streak: Streak, payer: UUID, payment_id: UUID, now: datetime, policy: Policy) -> tuple[Streak, list[Event]]:
    """Authorises a recovery (ST-20). A repeat for the payment that is held already changes nothing.

    Raises NotInStreak, NotInPaymentWindow, NotTheBreaker or HeldForAnotherPayment.
    """
    now = utc(now)
    streak, events = advance(streak, now, policy)
    _require_recoverable(streak, payer)
    if streak.hold is None:
        streak, held = steps.hold(streak, payment_id, now, policy)
        events.append(held)
    elif streak.hold.payment_id != payment_id:
        raise HeldForAnotherPayment
    return streak, events


def require_recovery_for_sale(streak: Streak, payer: UUID, now: datetime, policy: Policy) -> None:
    """Raises the reason for which the payer cannot buy a recovery now: what `hold` raises for a new payment (BI-12)."""
    streak, _ = advance(streak, utc(now), policy)
    _require_recoverable(streak, payer)
    if streak.hold is not None:
        raise HeldForAnotherPayment


def _require_recoverable(streak: Streak, payer: UUID) -> None:
    if payer not in streak.pair:
        raise NotInStreak
    if streak.state is not State.PAYMENT_WINDOW:
        raise NotInPaymentWindow(streak.state)
    if payer != streak.breaker_user_id:
        raise NotTheBreaker


def release(
    streak: Streak, payment_id: UUID, failed_at: datetime, now: datetime, policy: Policy
) -> tuple[Streak, list[Event]]:
    """The payment failed: its hold ends, and the deadline counts again (ST-20). Steps of time that are due after that
    moment are left to the sweep.
    """
    now = utc(now)
    failed_at = min(utc(failed_at), now)
    streak, events = advance_until(streak, failed_at, now, policy)
    if streak.hold is not None and streak.hold.payment_id == payment_id:
        streak, released = steps.release(streak, failed_at, now, policy)
        events.append(released)
    streak, later = advance_until(streak, failed_at, now, policy)
    return streak, events + later


def can_recover(streak: Streak, payer: UUID, authorized_for: BreakKey | None) -> bool:
    """Whether a payment that was authorised for this break recovers the streak, which is advanced to the payment."""
    return authorized_for is not None and streak.break_key == authorized_for and streak.breaker_user_id == payer


def recover(
    streak: Streak,
    payer: UUID,
    payment_id: UUID,
    authorized_for: BreakKey | None,
    paid_at: datetime,
    now: datetime,
    policy: Policy,
) -> tuple[Streak, list[Event]]:
    """The payment succeeded. `authorized_for` is the break that it was authorised to recover, if there was one.

    In time it recovers the streak (ST-08), even while the window is held for another payment. Otherwise it is rejected,
    to become credits (ST-17).
    """
    now = utc(now)
    paid_at = min(utc(paid_at), now)
    streak, events = advance_until(streak, paid_at, now, policy)
    if can_recover(streak, payer, authorized_for):
        streak, recovered = steps.recover(streak, payment_id, paid_at, now, policy)
        return streak, [*events, recovered]
    streak, later = advance(streak, now, policy)
    after = next_version(streak, policy)
    return after, [*events, *later, RecoveryRejected(**event_header(streak, after, now, now), payment_id=payment_id)]
