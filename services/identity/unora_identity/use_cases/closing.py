"""ID-09, ID-13: an account is closed, or hidden because its number went to another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from unora_common.database import Tx

from unora_identity.domain.accounts import LockedMember
from unora_identity.domain.events import AccountClosed, AccountHidden, EventHeader, MemberEvent, event_headers
from unora_identity.domain.sessions import Revocation, require_recent_sign_in
from unora_identity.resources import Resources
from unora_identity.store import accounts, sessions
from unora_identity.use_cases.away import card_turned
from unora_identity.use_cases.member_events import emit_member_events
from unora_identity.use_cases.sessions import lock_with_session, revoke_sessions


async def close_account(tx: Tx, resources: Resources, session: UUID) -> datetime:
    """ID-09: closes the caller's account, from `session`. Returns until when it can be reopened (UTC); a closed account
    stays as it is. Raises SignInTooOld, and SessionRevoked if the session has ended.
    """
    locked, current = await lock_with_session(tx, session)
    require_recent_sign_in(current, resources.machine_now(), resources.policy)
    if locked.erase_after is not None:
        return locked.erase_after
    erase_after = tx.now + resources.policy.account_kept
    headers, device = event_headers(locked, tx.now), await sessions.get_device(tx, session)
    events = await leave(tx, resources, locked, headers, AccountClosed, device)
    await accounts.close(tx, locked.id, erase_after)
    await emit_member_events(tx, events)
    return erase_after


async def leave(
    tx: Tx,
    resources: Resources,
    locked: LockedMember,
    headers: Iterator[EventHeader],
    kind: type[AccountClosed | AccountHidden],
    device: bytes | None = None,
) -> list[MemberEvent]:
    """ID-09, ID-13: what closing and hiding an account have in common: all sessions end, and all contexts are told, as
    long as the account still has its number. Returns the events; the caller emits them, and stores that it is closed
    or hidden.
    """
    digest = resources.hasher.trace(await accounts.get_phone_hash(tx, locked.id))
    events: list[MemberEvent] = [kind(**next(headers), phone_digest=digest, device_digest=device)]
    if locked.paused_at is None:  # else Discovery knows already that the member is not shown
        events += await card_turned(tx, headers, locked.id, resources.policy, away=True)
    return events + await revoke_sessions(tx, resources, locked, headers, Revocation.CLOSING)
