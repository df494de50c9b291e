"""SA-06: safety decides which members are suspended; identity ends their sessions."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Tx

from unora_identity.domain.events import MemberEvent, SuspensionChanged, event_headers
from unora_identity.domain.sessions import Revocation
from unora_identity.resources import Resources
from unora_identity.store import accounts, members
from unora_identity.use_cases.member_events import emit_member_events
from unora_identity.use_cases.sessions import revoke_sessions


async def apply_restriction(tx: Tx, resources: Resources, user: UUID, version: int, suspended: bool) -> None:
    """SA-06: a member who becomes suspended loses all sessions; the tokens of later sessions say `suspended`.

    The newest version of safety's decision counts.
    """
    locked = await members.lock(tx, user)
    if locked is None or not await accounts.project_suspension(tx, user, version, suspended):
        return
    if suspended == locked.suspended:
        return
    headers = event_headers(locked, tx.now)
    events: list[MemberEvent] = [SuspensionChanged(**next(headers), suspended=suspended)]
    if suspended:
        events += await revoke_sessions(tx, resources, locked, headers, Revocation.SUSPENSION)
    await emit_member_events(tx, events)
