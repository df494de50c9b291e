"""ID-16: a member pauses and resumes."""

from __future__ import annotations

from datetime import datetime

from unora_common.database import Tx
from unora_common.errors import Unauthenticated

from unora_identity.domain.accounts import LockedMember
from unora_identity.domain.events import AccountPaused, AccountResumed, MemberEvent, event_headers
from unora_identity.resources import Resources
from unora_identity.store import accounts, members
from unora_identity.use_cases.away import card_turned
from unora_identity.use_cases.member_events import emit_member_events


async def pause_account(tx: Tx, resources: Resources) -> datetime:
    """The caller pauses, unless they have paused already. Returns since when (UTC). Raises AccountIsClosed."""
    locked = await _lock_open(tx)
    if locked.paused_at is not None:
        return locked.paused_at
    await accounts.set_pause(tx, tx.user, tx.now)
    headers = event_headers(locked, tx.now)
    events: list[MemberEvent] = [AccountPaused(**next(headers))]
    events += await card_turned(tx, headers, tx.user, resources.policy, away=True)
    await emit_member_events(tx, events)
    return tx.now


async def resume_account(tx: Tx, resources: Resources) -> None:
    """The pause of the caller is over, if there was one. Raises AccountIsClosed."""
    locked = await _lock_open(tx)
    if locked.paused_at is None:
        return
    await accounts.set_pause(tx, tx.user, None)
    headers = event_headers(locked, tx.now)
    events: list[MemberEvent] = [AccountResumed(**next(headers))]
    events += await card_turned(tx, headers, tx.user, resources.policy, away=False)
    await emit_member_events(tx, events)


async def _lock_open(tx: Tx) -> LockedMember:
    locked = await members.lock(tx, tx.user)
    if locked is None:
        raise Unauthenticated
    locked.require_open()
    return locked
