"""Recovery and bought nudges: what billing asks for, and what its payments bring (ST-08, ST-13, ST-17, ST-20)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Tx
from unora_common.ids import uuid7

from unora_streak.domain import (
    NudgeSent,
    PaymentClosed,
    Policy,
    Streak,
    bought_nudge,
    hold,
    recover,
    recoverable,
    release,
)
from unora_streak.store import breaks, nudges, payments, streaks
from unora_streak.use_cases.settling import settle_all


class StreakUnknown(Exception):
    """Billing tells of a payment for a streak that never was: nobody can answer it, an operator must see it."""


async def authorize(tx: Tx, streak_id: UUID, payer: UUID, payment_id: UUID, policy: Policy) -> Streak:
    """Holds the window for a payment (ST-20); returns the streak as it is held. A repeat while it is held changes
    nothing; one after that is judged anew.
    """
    found = await streaks.lock(tx, streak_id, payer)
    (before,) = await settle_all(tx, [found.streak], policy)
    after, events = hold(before, payer, payment_id, tx.now, policy)
    if events:
        known = await payments.known(tx, payment_id, streak_id)
        if known.given or known.closed:
            raise PaymentClosed
        assert after.hold is not None
        payments.hold(tx, payment_id, await breaks.of(tx, after), payer, after.hold.until)
        await streaks.save(tx, before, after, events, policy)
    return after


async def apply_recovery(
    tx: Tx, streak_id: UUID, payer: UUID, payment_id: UUID, paid_at: datetime, policy: Policy
) -> None:
    """A recovery was paid for at `paid_at`: the streak goes on, or the payment is rejected; once (ST-08, ST-17)."""
    streak = await _locked(tx, streak_id)
    known = await payments.known(tx, payment_id, streak_id)
    if known.answered:
        return
    (before,) = await settle_all(tx, [streak], policy, until=min(paid_at, tx.now))
    if recoverable(before, payer, known.broken):
        assert known.break_id is not None
        payments.link(tx, payment_id, known.break_id, payer, min(paid_at, tx.now))
    else:
        (before,) = await settle_all(tx, [before], policy)
        payments.close(tx, payment_id, streak_id, "rejected")
    after, events = recover(before, payer, payment_id, known.broken, paid_at, tx.now, policy)
    await streaks.save(tx, before, after, events, policy)


async def drop_recovery(tx: Tx, streak_id: UUID, payment_id: UUID, failed_at: datetime, policy: Policy) -> None:
    """A payment for a recovery failed at `failed_at`: what is held for it is free again (ST-20), and should its
    authorisation come only now, it comes too late. Of a streak that never was there is nothing to free.
    """
    found = await streaks.lock_any(tx, streak_id)
    if found is None or (await payments.known(tx, payment_id, streak_id)).answered:
        return
    payments.close(tx, payment_id, streak_id, "failed")
    (before,) = await settle_all(tx, [found.streak], policy, until=min(failed_at, tx.now))
    after, events = release(before, payment_id, failed_at, tx.now, policy)
    await streaks.save(tx, before, after, events, policy)


async def apply_nudge(tx: Tx, streak_id: UUID, payer: UUID, payment_id: UUID, policy: Policy) -> None:
    """A nudge was paid for: it goes out, if at this moment somebody is there for it, else it is rejected; once."""
    streak = await _locked(tx, streak_id)
    if (await payments.known(tx, payment_id, streak_id)).answered:
        return
    (before,) = await settle_all(tx, [streak], policy)
    after, events = bought_nudge(before, payer, uuid7(), payment_id, tx.now, policy)
    (event,) = events
    if isinstance(event, NudgeSent):
        sent = (await nudges.standing(tx, before, payer)).sent
        nudges.save(tx, event, await breaks.of(tx, before), sent + 1)
    else:
        payments.close(tx, payment_id, streak_id, "rejected")
    await streaks.save(tx, before, after, events, policy)


async def _locked(tx: Tx, streak_id: UUID) -> Streak:
    found = await streaks.lock_any(tx, streak_id)
    if found is None:
        raise StreakUnknown(str(streak_id))
    return found.streak
