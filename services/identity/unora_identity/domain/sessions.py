"""ID-03: a session and its family of refresh tokens.

Times are UTC and come from the machine's clock, not the rule clock: tokens are security, and moving the rule clock in a
test must not sign members out. A reused token is a result and not an exception: the revocation must be saved although
the call fails.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from unora_common.errors import DomainError, Unauthenticated

from unora_identity.domain.policy import Policy

ADMIN: Final = "admin"
"""The role of moderators."""


class SessionInvalid(Unauthenticated):
    """The refresh token is unknown, expired, revoked or reused. All cases get this answer, so that a thief does
    not learn which it is.
    """

    reason = "SESSION_INVALID"
    sentence = "Your session has ended. Sign in again."


class SessionNotFound(DomainError):
    """The caller has no such session; another member's session gives the same answer (XX-04)."""

    code = "NOT_FOUND"
    reason = "SESSION_NOT_FOUND"
    sentence = "This session does not exist."


class SignInTooOld(DomainError):
    """ID-09, ID-10, ID-13, ID-14: the session signed in too long ago for this. The member signs in again, and repeats
    it.
    """

    reason = "SIGN_IN_TOO_OLD"
    sentence = "Sign in again to do this."


class Revocation(StrEnum):
    """Why a session was revoked."""

    REUSE = "reuse"
    MEMBER = "member"
    """The member signed out. Before there was OTHER_SESSION, also what that means."""
    OTHER_SESSION = "other_session"
    """The member ended it from another session."""
    PHONE_CHANGE = "phone_change"
    SUSPENSION = "suspension"
    ROLE = "role"
    """The role that it carried was taken away, or its second factor was replaced."""
    CLOSING = "closing"
    """The account was closed or hidden (ID-09, ID-13)."""


THROWN_OUT: Final = (Revocation.REUSE, Revocation.OTHER_SESSION, Revocation.PHONE_CHANGE)
"""ID-12: a device whose latest session ended so may be a thief's. The account does not know it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One sign-in on one device. Its id is the `sid` of access tokens and identifies the family."""

    id: UUID
    user_id: UUID
    started_at: datetime
    admin_until: datetime | None = None
    """ID-15: the end of a session that carries the role admin; None for all others."""
    revoked_at: datetime | None = None
    revocation: Revocation | None = None

    def is_over(self, now: datetime) -> bool:
        """ID-15: whether it was an admin's session, whose hour has passed."""
        return self.admin_until is not None and now >= self.admin_until


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveSession:
    """A session that can still be refreshed, as its member sees it."""

    id: UUID
    started_at: datetime
    refreshed_at: datetime


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token and its expiry. The text is a secret: it never appears in a log."""

    text: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """One token of a family, stored as its hash. It is used at most once.

    `used_by` is the request id of the call that used it, `successor` the hash of the token that this call returned.
    """

    hash: bytes
    session_id: UUID
    issued_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    used_by: UUID | None = None
    successor: bytes | None = None


@dataclass(frozen=True, slots=True)
class Rotated:
    """The token was accepted: `used` is spent, `fresh` takes its place. Save `voided` too, if there is one."""

    used: RefreshToken
    fresh: RefreshToken
    voided: RefreshToken | None = None


@dataclass(frozen=True, slots=True)
class Reissued:
    """The sign-in was repeated: save all of these tokens."""

    voided: tuple[RefreshToken, ...]
    fresh: RefreshToken


@dataclass(frozen=True, slots=True)
class Refused:
    """The token was refused. Save `session`: it is revoked if the token had been used before."""

    session: Session
    refusal: SessionInvalid


def open_session(
    *,
    session_id: UUID,
    user_id: UUID,
    token_hash: bytes,
    now: datetime,
    policy: Policy,
    as_admin: bool = False,
) -> tuple[Session, RefreshToken]:
    """A session with the first token of its family. `as_admin`: it carries the role, and ends an hour later (ID-15)."""
    admin_until = now + policy.admin_session if as_admin else None
    session = Session(id=session_id, user_id=user_id, started_at=now, admin_until=admin_until)
    return session, _token(token_hash, session, now, policy)


def carried_roles(session: Session, granted: Sequence[str]) -> list[str]:
    """ID-15: the roles of the member that this session carries: `admin` only with the second factor."""
    return [role for role in granted if role != ADMIN or session.admin_until is not None]


def require_recent_sign_in(session: Session, now: datetime, policy: Policy) -> None:
    """ID-09, ID-10, ID-13, ID-14: raises SignInTooOld for a session that did not sign in within 15 minutes."""
    if not signed_in_lately(session, now, policy):
        raise SignInTooOld


def signed_in_lately(session: Session, now: datetime, policy: Policy) -> bool:
    """Whether the session signed in within 15 minutes."""
    return now < session.started_at + policy.recent_sign_in


def rotate(
    session: Session,
    token: RefreshToken,
    successor: RefreshToken | None,
    *,
    fresh_hash: bytes,
    request_id: UUID,
    now: datetime,
    policy: Policy,
) -> Rotated | Refused:
    """Spends `token` and makes the next one. Each token lives 30 days, so a session lasts as long as it is used.

    A second use means that two clients hold the token, and that it is unknown which of them is the thief: both lose it,
    the family is revoked. The same call sent again, because its answer was lost, gets a fresh token as long as
    `successor`, the lost one, is unused. The lost one is voided: the family never forks, and a thief who uses it is
    detected. The first revocation stands: a later use changes neither its time nor its cause.
    """
    if session.revoked_at is not None or session.is_over(now):
        return Refused(session, SessionInvalid())
    repeated = token.used_by == request_id and successor is not None and successor.used_at is None
    if token.used_at is not None and not repeated:
        return Refused(replace(session, revoked_at=now, revocation=Revocation.REUSE), SessionInvalid())
    if now >= token.expires_at:
        return Refused(session, SessionInvalid())
    return Rotated(
        used=replace(token, used_at=token.used_at or now, used_by=request_id, successor=fresh_hash),
        fresh=_token(fresh_hash, session, now, policy),
        voided=replace(successor, used_at=now) if repeated and successor is not None else None,
    )


def reissue(
    session: Session, family: Sequence[RefreshToken], *, fresh_hash: bytes, now: datetime, policy: Policy
) -> Reissued | Refused:
    """Fresh tokens for a sign-in that was sent again because its answer was lost; the lost tokens are voided.

    Only until a token of the session was exchanged: after that, the repeat may come from another client.
    """
    exchanged = any(token.used_by is not None for token in family)
    if session.revoked_at is not None or session.is_over(now) or exchanged:
        return Refused(session, SessionInvalid())
    return Reissued(
        voided=tuple(replace(token, used_at=now) for token in family if token.used_at is None),
        fresh=_token(fresh_hash, session, now, policy),
    )


def _token(token_hash: bytes, session: Session, now: datetime, policy: Policy) -> RefreshToken:
    expires_at = now + policy.refresh_token_life
    if session.admin_until is not None:
        expires_at = min(expires_at, session.admin_until)
    return RefreshToken(hash=token_hash, session_id=session.id, issued_at=now, expires_at=expires_at)
