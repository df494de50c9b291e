"""ID-15: members with the role `admin`, and their second factors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from unora_common.database import Tx
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.accounts import LockedMember
from unora_identity.domain.events import (
    EventHeader,
    MemberEvent,
    RoleGranted,
    RoleRevoked,
    SecondFactorChanged,
    event_headers,
)
from unora_identity.domain.second_factor import SecondFactor, new_secret
from unora_identity.domain.sessions import ADMIN, Revocation
from unora_identity.resources import Resources
from unora_identity.store import accounts, members, second_factors
from unora_identity.use_cases.member_events import emit_member_events
from unora_identity.use_cases.second_factors import PURPOSE
from unora_identity.use_cases.sessions import revoke_sessions


class NotGranted(Enum):
    """Why a member did not become an admin."""

    HAD_IT = "had it"
    NO_MEMBER = "no member"


class TakenAway(Enum):
    """The result of taking the role away."""

    DONE = "done"
    HAD_NONE = "had none"
    NO_MEMBER = "no member"


@dataclass(frozen=True, slots=True)
class NewFactor:
    """The secret of an admin, which is shown this once. `granted`: the member got the role too."""

    secret: str
    granted: bool


async def grant_admin(
    runtime: Runtime[IdentityConfig, Resources], user: UUID, *, replace_secret: bool = False
) -> NewFactor | NotGranted:
    """Makes a member an admin, with a secret for the second factor. An admin gets another secret only on demand: the
    sessions that carry the role end then.
    """
    async with runtime.database.transaction() as tx:
        locked = await members.lock(tx, user)
        if locked is None:
            return NotGranted.NO_MEMBER
        granted = await accounts.grant(tx, user, ADMIN)
        if not granted and not replace_secret:
            return NotGranted.HAD_IT
        headers = event_headers(locked, tx.now)
        events: list[MemberEvent] = [RoleGranted(**next(headers), role=ADMIN)] if granted else []
        secret = await _put_secret(tx, runtime.resources, user)
        events.append(SecondFactorChanged(**next(headers)))
        events += await _end_sessions(tx, runtime.resources, locked, headers)
        await emit_member_events(tx, events)
        return NewFactor(secret, granted)


async def revoke_admin(runtime: Runtime[IdentityConfig, Resources], user: UUID) -> TakenAway:
    """Takes the role away, deletes the secret, and ends the sessions that carry the role. The member stays a member."""
    async with runtime.database.transaction() as tx:
        locked = await members.lock(tx, user)
        if locked is None:
            return TakenAway.NO_MEMBER
        if not await accounts.revoke_role(tx, user, ADMIN):
            return TakenAway.HAD_NONE
        await second_factors.remove(tx, user)
        headers = event_headers(locked, tx.now)
        events: list[MemberEvent] = [RoleRevoked(**next(headers), role=ADMIN)]
        events += await _end_sessions(tx, runtime.resources, locked, headers)
        await emit_member_events(tx, events)
        return TakenAway.DONE


async def _put_secret(tx: Tx, resources: Resources, user: UUID) -> str:
    secret = new_secret()
    key = resources.master_key.unwrap(user, await accounts.get_data_key(tx, user))
    await second_factors.put(tx, SecondFactor(user_id=user, secret_sealed=key.seal(PURPOSE, secret)))
    return secret


async def _end_sessions(
    tx: Tx, resources: Resources, locked: LockedMember, headers: Iterator[EventHeader]
) -> list[MemberEvent]:
    return [*await revoke_sessions(tx, resources, locked, headers, Revocation.ROLE, admin=True)]
