"""Nudges: those of the sender's tier, and bought ones (ST-13). `limits` are the nudges of each tier."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.ids import uuid7

from unora_streak.domain import machine
from unora_streak.domain.events import NudgeSent
from unora_streak.domain.nudges import Nudge, can_nudge, nudge, nudge_or_reject, require_nudge_for_sale
from unora_streak.domain.recovery import ClosedAs
from unora_streak.domain.state import Policy, Streak
from unora_streak.messages import to_message
from unora_streak.store import breaks, nudges, payments, streaks
from unora_streak.use_cases.advance import advance
from unora_streak.use_cases.recovery import lock_paid


async def send_nudge(tx: Tx, streak_id: UUID, policy: Policy, limits: Mapping[str, int]) -> tuple[Nudge, int]:
    """The member sends a nudge of the tier; returns it and how many are left. The streak's lock keeps the quota."""
    locked = await streaks.lock(tx, streak_id, tx.user)
    before = await advance(tx, locked, policy)
    quota = await nudges.get_quota(tx, before, tx.user)
    left = quota.left(limits)
    after, events = nudge(before, tx.user, uuid7(), left, tx.now, policy)
    (sent,) = events
    assert isinstance(sent, NudgeSent)
    nudges.insert(tx, sent, await breaks.get_or_create(tx, before), quota.sent + 1)
    await streaks.save(tx, after, events)
    tx.emit(to_message(sent))
    shown = Nudge(sent.nudge_id, sent.sender_id, sent.receiver_id, sent.day, before.check_in_date, sent.occurred_at)
    return shown, left - 1


async def list_nudges(
    session: Session, streak_id: UUID, policy: Policy, limits: Mapping[str, int]
) -> tuple[list[Nudge], int]:
    """The nudges of both members in the streak's cycle, and how many the member can send now."""
    stored, now = await streaks.get(session, streak_id, session.user)
    streak, _ = machine.advance(stored, now, policy)
    sent = await nudges.list_by_cycle(session, streak.id, streak.cycle)
    if not can_nudge(streak, session.user):
        return sent, 0
    quota = await nudges.get_quota(session, streak, session.user)
    return sent, max(0, quota.left(limits))


async def authorize_nudge(
    session: Session, streak_id: UUID, payer: UUID, policy: Policy, limits: Mapping[str, int]
) -> Streak:
    """Returns the streak if the payer can buy a nudge now. Nothing is held: `apply_nudge` decides if it is sent."""
    streak, now = await streaks.get(session, streak_id, payer)
    quota = await nudges.get_quota(session, streak, payer)
    require_nudge_for_sale(streak, payer, quota.left(limits), now, policy)
    return streak


async def apply_nudge(tx: Tx, streak_id: UUID, payer: UUID, payment_id: UUID, policy: Policy) -> None:
    """A nudge was paid for: it is sent, or rejected if the payer cannot nudge at this moment; once (ST-13, BI-11)."""
    locked = await lock_paid(tx, streak_id)
    if (await payments.get(tx, payment_id, streak_id)).is_answered:
        return
    before = await advance(tx, locked, policy)
    after, events = nudge_or_reject(before, payer, uuid7(), payment_id, tx.now, policy)
    (event,) = events
    if isinstance(event, NudgeSent):
        quota = await nudges.get_quota(tx, before, payer)
        nudges.insert(tx, event, await breaks.get_or_create(tx, before), quota.sent + 1)
    else:
        payments.close(tx, payment_id, streak_id, ClosedAs.REJECTED)
    await streaks.save(tx, after, events)
    tx.emit(to_message(event))
