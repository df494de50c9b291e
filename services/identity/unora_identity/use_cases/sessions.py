"""ID-03, ID-12: refreshing and revoking sessions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from unora_common.database import Session as DatabaseSession
from unora_common.database import Tx
from unora_common.errors import Unauthenticated
from unora_common.revocations import SessionRevoked
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.accounts import LockedMember
from unora_identity.domain.events import EventHeader, event_headers
from unora_identity.domain.events import SessionRevoked as SessionEnded
from unora_identity.domain.sessions import (
    RefreshToken,
    Refused,
    Revocation,
    Session,
    SessionInvalid,
    SessionNotFound,
    carried_roles,
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
    """Those that the session carries."""
    admin_until: datetime | None
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
            return await signed_in(tx, locked, session, rotated.fresh)
        if rotated.session != session:
            headers = event_headers(locked, tx.now)
            revoked = await revoke_sessions(tx, resources, locked, headers, Revocation.REUSE, only=session.id)
            await emit_member_events(tx, revoked)
    raise rotated.refusal


async def revoke_own_session(tx: Tx, resources: Resources, session: UUID, current: UUID) -> None:
    """ID-03: ends a session of the caller, who calls from `current`. Raises SessionNotFound, and SessionRevoked if the
    current one has ended and another one is named.
    """
    locked = await members.lock(tx, tx.user)
    if locked is None or await sessions.find_own(tx, session) is None:
        raise SessionNotFound
    if session != current:
        await get_current(tx, current)
    cause = Revocation.MEMBER if session == current else Revocation.OTHER_SESSION
    headers = event_headers(locked, tx.now)
    await emit_member_events(tx, await revoke_sessions(tx, resources, locked, headers, cause, only=session))


async def revoke_other_sessions(tx: Tx, resources: Resources, current: UUID) -> None:
    """ID-12: ends all sessions of the caller but the current one. Raises SessionRevoked if that one has ended."""
    locked, _ = await lock_with_session(tx, current)
    headers = event_headers(locked, tx.now)
    revoked = await revoke_sessions(tx, resources, locked, headers, Revocation.OTHER_SESSION, but=current)
    await emit_member_events(tx, revoked)


async def lock_with_session(tx: Tx, current: UUID) -> tuple[LockedMember, Session]:
    """Locks the caller, and reads the session of the call. Raises SessionRevoked if it has ended."""
    locked = await members.lock(tx, tx.user)
    if locked is None:
        raise Unauthenticated
    return locked, await get_current(tx, current)


async def get_current(db: DatabaseSession, current: UUID) -> Session:
    """The session of the call. Raises SessionRevoked if it has ended. Processes learn that some seconds later; until
    then who was thrown out must not throw out the others.
    """
    session = await sessions.find_own(db, current)
    if session is None or session.revoked_at is not None:
        raise SessionRevoked
    return session


async def revoke_sessions(
    tx: Tx,
    resources: Resources,
    locked: LockedMember,
    headers: Iterator[EventHeader],
    cause: Revocation,
    *,
    only: UUID | None = None,
    but: UUID | None = None,
    admin: bool = False,
) -> list[SessionEnded]:
    """ID-03, SA-06: ends the sessions of a member: all, or `only` one, or all `but` one, or those that carry the role
    `admin`. Refresh tokens end at once, access tokens when the processes fetch the revocation. Returns the events; the
    caller emits them.
    """
    now = resources.machine_now()
    revoked = await sessions.revoke(tx, locked.id, now, cause, only=only, but=but, admin=admin)
    return [SessionEnded(**next(headers), session_id=each) for each in revoked]


async def signed_in(
    tx: Tx, locked: LockedMember, session: Session, token: RefreshToken, created_account: bool = False
) -> SignedIn:
    """The result of a sign-in or refresh, with the roles that the session carries at this moment."""
    return SignedIn(
        user=locked.id,
        session=session.id,
        roles=carried_roles(session, await accounts.list_roles(tx, locked.id)),
        admin_until=session.admin_until,
        token=token,
        suspended=locked.suspended,
        created_account=created_account,
    )
