"""ID-04: a completed streak raises the trust in both of its members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from unora_common.database import Tx

from unora_identity.domain.card import card_changed
from unora_identity.domain.events import MemberEvent, VerificationSignalRecorded, event_headers
from unora_identity.domain.policy import Policy
from unora_identity.domain.signals import STREAK_BOOSTER
from unora_identity.store import members, signals
from unora_identity.use_cases.member_events import emit_member_events


async def record_completed_streak(tx: Tx, users: Sequence[UUID], policy: Policy) -> None:
    """ID-04: the streak counts for both members, even if their connection has ended since. Each gets a booster once."""
    locked = await members.lock_all(tx, users)
    before = await members.list_by_id(tx, users)
    await members.mark_streak_completed(tx, users)
    headers = {user: event_headers(member, tx.now) for user, member in locked.items()}
    events: list[MemberEvent] = []
    for user, account in before.items():
        after = replace(account.member, streak_completed=True)
        events += card_changed(headers[user], account.member, after, tx.now, policy)
    for user, signal in (await signals.add_boosters(tx, list(locked), STREAK_BOOSTER)).items():
        events.append(VerificationSignalRecorded(**next(headers[user]), signal_id=signal))
    await emit_member_events(tx, events)
