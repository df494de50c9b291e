"""ID-03: refreshing and revoking sessions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from unora_common.database import Tx
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.accounts import LockedMember
from unora_identity.domain.events import EventHeader, SessionRevoked, event_headers
from unora_identity.domain.sessions import (
    RefreshToken,
    Refused,
    Revocation,
    SessionInvalid,
    SessionNotFound,
    rotate,
)
from unora_identity.providers.random_secrets import NewRefreshToken, refresh_hash
from unora_identity.resources import Resources
from unora_identity.store import accounts, members, sessions
from unora_identity.use_cases.member_events import emit_member_events


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session with its fresh refresh token, and what its access token says."""

    user: UUID
    session: UUID
    roles: list[str]
    token: RefreshToken
    suspended: bool
    created_account: bool = False


async def refresh_session(
    runtime: Runtime[IdentityConfig, Resources], presented: str, request_id: UUID, fresh: NewRefreshToken
) -> SignedIn:
    """ID-03: exchanges a refresh token. A token that is used twice ends its session, for all who hold its tokens."""
    resources = runtime.resources
    async with runtime.database.transaction() as tx:
        token_hash = refresh_hash(presented)
        user = await sessions.find_owner(tx, token_hash)
        locked = await members.lock(tx, user) if user else None
        if locked is None:
            raise SessionInvalid
        session, token, successor = await sessions.get_with_token(tx, token_hash)
        rotated = rotate(
            session,
            token,
            successor,
            fresh_hash=fresh.hash,
            request_id=request_id,
            now=resources.machine_now(),
            policy=resources.policy,
        )
        if not isinstance(rotated, Refused):
            await sessions.save_spent(tx, [spent for spent in (rotated.used, rotated.voided) if spent])
            await sessions.add_token(tx, rotated.fresh)
            return await signed_in(tx, locked, session.id, rotated.fresh)
        if rotated.session != session:
            headers = event_headers(locked, tx.now)
            revoked = await revoke_sessions(tx, resources, locked, headers, session.id, Revocation.REUSE)
            await emit_member_events(tx, revoked)
    raise rotated.refusal


async def revoke_own_session(tx: Tx, resources: Resources, session: UUID) -> None:
    """ID-03: ends a session of the caller. Raises SessionNotFound."""
    locked = await members.lock(tx, tx.user)
    if locked is None or not await sessions.is_own(tx, session):
        raise SessionNotFound
    headers = event_headers(locked, tx.now)
    await emit_member_events(tx, await revoke_sessions(tx, resources, locked, headers, session, Revocation.MEMBER))


async def revoke_sessions(
    tx: Tx,
    resources: Resources,
    locked: LockedMember,
    headers: Iterator[EventHeader],
    session: UUID | None,
    cause: Revocation,
) -> list[SessionRevoked]:
    """ID-03, SA-06: ends one session of a member, or all of them if `session` is None. Refresh tokens end at once,
    access tokens when the processes fetch the revocation. Returns the events; the caller emits them.
    """
    revoked = await sessions.revoke(tx, locked.id, session, resources.machine_now(), cause)
    return [SessionRevoked(**next(headers), session_id=each) for each in revoked]


async def signed_in(
    tx: Tx, locked: LockedMember, session: UUID, token: RefreshToken, created_account: bool = False
) -> SignedIn:
    """The result of a sign-in or refresh, with the member's roles at this moment."""
    return SignedIn(
        user=locked.id,
        session=session,
        roles=await accounts.list_roles(tx, locked.id),
        token=token,
        suspended=locked.suspended,
        created_account=created_account,
    )
