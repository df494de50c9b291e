"""Recovery: billing asks for an authorisation, and later its payment succeeds or fails (ST-08, ST-17, ST-20)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Session, Tx

from unora_streak.domain.errors import PaymentClosed
from unora_streak.domain.recovery import ClosedAs, can_recover, hold, recover, release, require_recovery_for_sale
from unora_streak.domain.state import Policy, Streak
from unora_streak.messages import to_message
from unora_streak.store import breaks, payments, streaks
from unora_streak.use_cases.advance import advance


class StreakUnknown(Exception):
    """A payment succeeded for a streak that does not exist. The event goes to the dead letters, for an operator."""


async def authorize_recovery(tx: Tx, streak_id: UUID, payer: UUID, payment_id: UUID, policy: Policy) -> Streak:
    """Holds the payment window for a payment (ST-20); returns the streak with its hold. A repeat during the hold
    changes nothing; a repeat after the hold is judged again. Raises PaymentClosed for a payment that has its outcome.
    """
    locked = await streaks.lock(tx, streak_id, payer)
    before = await advance(tx, locked, policy)
    after, events = hold(before, payer, payment_id, tx.now, policy)
    if events:
        payment = await payments.get(tx, payment_id, streak_id)
        if payment.delivered or payment.closed_as:
            raise PaymentClosed
        assert after.hold is not None
        payments.save_hold(tx, payment_id, await breaks.get_or_create(tx, after), payer, after.hold.until)
        await streaks.save(tx, after, events)
        tx.emit(*map(to_message, events))
    return after


async def check_recovery(session: Session, streak_id: UUID, payer: UUID, policy: Policy) -> Streak:
    """Returns the streak if the payer can buy a recovery now. Nothing is held (BI-12, ST-20)."""
    streak, now = await streaks.get(session, streak_id, payer)
    require_recovery_for_sale(streak, payer, now, policy)
    return streak


async def apply_recovery(
    tx: Tx, streak_id: UUID, payer: UUID, payment_id: UUID, paid_at: datetime, policy: Policy, *, free: bool = False
) -> None:
    """A recovery was paid for at `paid_at`: the streak continues, or the payment is rejected; once (ST-08, ST-17).
    `free` says that it was paid by a free recovery (BI-06).
    """
    locked = await lock_paid(tx, streak_id)
    payment = await payments.get(tx, payment_id, streak_id)
    if payment.is_answered:
        return
    before = await advance(tx, locked, policy, until=min(paid_at, tx.now))
    if can_recover(before, payer, payment.authorized_for):
        assert payment.break_id is not None
        payments.save_recovery(tx, payment_id, payment.break_id, payer, min(paid_at, tx.now), free=free)
    else:
        before = await advance(tx, before, policy)
        payments.close(tx, payment_id, streak_id, ClosedAs.REJECTED)
    after, events = recover(before, payer, payment_id, payment.authorized_for, paid_at, tx.now, policy)
    await streaks.save(tx, after, events)
    tx.emit(*map(to_message, events))


async def release_recovery(tx: Tx, streak_id: UUID, payment_id: UUID, failed_at: datetime, policy: Policy) -> None:
    """A payment for a recovery failed at `failed_at`: its hold ends (ST-20), and an authorisation that comes later is
    refused. For a streak that does not exist there is nothing to do.
    """
    locked = await streaks.lock_any(tx, streak_id)
    if locked is None or (await payments.get(tx, payment_id, streak_id)).is_answered:
        return
    payments.close(tx, payment_id, streak_id, ClosedAs.FAILED)
    before = await advance(tx, locked, policy, until=min(failed_at, tx.now))
    after, events = release(before, payment_id, failed_at, tx.now, policy)
    await streaks.save(tx, after, events)
    tx.emit(*map(to_message, events))


async def lock_paid(tx: Tx, streak_id: UUID) -> Streak:
    """Locks the streak of a payment that succeeded. Raises StreakUnknown if it does not exist."""
    locked = await streaks.lock_any(tx, streak_id)
    if locked is None:
        raise StreakUnknown(str(streak_id))
    return locked
