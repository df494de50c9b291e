"""Sign-up and sign-in, one flow: ask for a code, give the code, keep the session alive (ID-02, ID-03).

A refusal that must be remembered (a counted try, a revoked family) is a result of the transaction: it is raised after
the commit, which an exception inside would undo.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import UUID

from unora.identity.v1.events_pb2 import AccountCreated, SessionOpened, SessionRevoked
from unora_common.database import Database, Tx
from unora_common.errors import DomainError
from unora_common.ids import uuid7

from unora_identity.domain.phone_codes import Challenge, ChallengeClosed, Issued, Verdict, attempt, issue
from unora_identity.domain.sessions import (
    RefreshToken,
    Refused,
    Revocation,
    Session,
    SessionInvalid,
    open_session,
    reissue,
    rotate,
)
from unora_identity.providers.access_tokens import NewRefreshToken, refresh_hash
from unora_identity.providers.keyed_hasher import new_code, normalise
from unora_identity.resources import Resources
from unora_identity.store import accounts, challenges, members, sessions
from unora_identity.store.challenges import Newcomer, Opened
from unora_identity.store.members import Locked


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session that goes on, with the token that keeps it going."""

    user: UUID
    session: UUID
    roles: list[str]
    token: RefreshToken
    suspended: bool
    created: bool = False


async def start_phone_verification(
    database: Database, resources: Resources, number: str, request_id: UUID
) -> Challenge | Issued:
    """ID-02: a challenge for a number, and its code on the way to it; for a repeat the challenge there is.

    Nobody looks here whether the number has an account: what a new one needs is made each time. A code that could not
    be sent is forgotten, so that it does not count and the call can be repeated. A client that hangs up stops nothing:
    else it could be sent any number of codes, none of which is noted. Only when the process dies may a code be left of
    which nobody knows whether it was sent: once its time is over, a repeat puts another challenge in its place. So of
    repeats at once one sends, and the others answer for it.
    """
    number = normalise(number)
    return await resources.finishing.run(_send_code(database, resources, number, request_id))


async def _send_code(database: Database, resources: Resources, number: str, request_id: UUID) -> Challenge | Issued:
    challenge_id, code, policy = uuid7(), new_code(resources.policy.code_digits), resources.policy
    newcomer = _newcomer(resources, number)
    async with database.transaction() as tx:
        phone_hash = resources.hasher.phone(number)
        earlier = await challenges.lock_phone(tx, phone_hash)
        before = next((issued for issued in earlier if issued.request_id == request_id), None)
        if before and before.out(tx.now, policy):
            return before
        if before and not await challenges.forget(tx, before.id):
            return before
        challenge = issue(
            challenge_id=challenge_id,
            phone_hash=phone_hash,
            code_hash=resources.hasher.code(challenge_id, code),
            earlier=earlier,
            now=tx.now,
            policy=policy,
        )
        await challenges.add(tx, challenge, request_id, newcomer)
    try:
        async with asyncio.timeout(policy.code_sending.total_seconds()):
            await resources.sms.send_code(number, code)
    except Exception:
        async with database.transaction() as tx:
            await challenges.forget(tx, challenge_id)
        raise
    async with database.transaction() as tx:
        await challenges.note_sent(tx, challenge_id)
    return challenge


async def verify_phone(
    database: Database,
    resources: Resources,
    challenge_id: UUID,
    code: str,
    request_id: UUID,
    fresh: NewRefreshToken,
    device_id: str = "",
) -> SignedIn:
    """ID-02: opens a session, and the account with it if it is the number's first. A repeat gets its session again."""
    async with database.transaction() as tx:
        opened = await challenges.lock(tx, challenge_id)
        if opened is None:
            raise ChallengeClosed
        code_hash = resources.hasher.code(challenge_id, code)
        tried = attempt(opened.challenge, code_hash, request_id, tx.now, resources.policy)
        if tried.verdict is Verdict.ACCEPTED:
            device = resources.hasher.device(device_id) if device_id else None
            return await _sign_in(tx, resources, tried.challenge, opened.newcomer, fresh, device)
        if tried.verdict is Verdict.REPEATED:
            return await _sign_in_again(tx, resources, opened, fresh)
        if tried.verdict is Verdict.WRONG:
            await challenges.count_try(tx, tried.challenge)
    assert tried.refusal is not None
    raise tried.refusal


async def refresh(
    database: Database, resources: Resources, presented: str, request_id: UUID, fresh: NewRefreshToken
) -> SignedIn:
    """ID-03: exchanges a refresh token. One that comes twice ends its session, for whoever holds its tokens."""
    refusal: DomainError = SessionInvalid()
    async with database.transaction() as tx:
        token_hash = refresh_hash(presented)
        user = await sessions.owner_by_hash(tx, token_hash)
        locked = (await members.lock(tx, user)).get(user) if user else None
        if locked is None:
            raise refusal
        session, token, successor = await sessions.by_hash(tx, token_hash)
        done = rotate(
            session,
            token,
            successor,
            fresh_hash=fresh.hash,
            request_id=request_id,
            now=resources.machine_now(),
            policy=resources.policy,
        )
        if not isinstance(done, Refused):
            await sessions.spend(tx, [spent for spent in (done.used, done.voided) if spent])
            await sessions.add(tx, done.fresh)
            roles = await accounts.roles(tx, session.user_id)
            return SignedIn(
                user=session.user_id, session=session.id, roles=roles, token=done.fresh, suspended=locked.suspended
            )
        if done.session != session:
            await revoke(tx, resources, locked, session.id, Revocation.REUSE)
    raise refusal


async def revoke(tx: Tx, resources: Resources, locked: Locked, session: UUID | None, cause: Revocation) -> None:
    """ID-03, SA-06: ends one session of a member, or all: their refresh tokens at once, their access tokens as soon as
    the processes hear of it.
    """
    for ended in await sessions.revoke(tx, locked.id, session, resources.machine_now(), cause):
        locked.tell(tx, SessionRevoked, session_id=str(ended))
    await members.save_versions(tx, [locked])


async def _sign_in(
    tx: Tx, resources: Resources, used: Challenge, newcomer: Newcomer, fresh: NewRefreshToken, device: bytes | None
) -> SignedIn:
    locked, created = await accounts.claim(tx, used.phone_hash, newcomer)
    session, token = open_session(
        session_id=uuid7(),
        user_id=locked.id,
        token_hash=fresh.hash,
        now=resources.machine_now(),
        policy=resources.policy,
    )
    await sessions.open_session(tx, session, token, device)
    await challenges.use(tx, used, session.id, created)
    if created:
        locked.tell(tx, AccountCreated)
    locked.tell(tx, SessionOpened, session_id=str(session.id), device_digest=device)
    await members.save_versions(tx, [locked])
    return await _signed_in(tx, locked, session, token, created)


async def _sign_in_again(tx: Tx, resources: Resources, opened: Opened, fresh: NewRefreshToken) -> SignedIn:
    assert opened.session_id is not None
    owner = await sessions.owner_by_id(tx, opened.session_id)
    locked = (await members.lock(tx, owner)).get(owner)
    if locked is None:
        raise ChallengeClosed
    session, family = await sessions.family(tx, opened.session_id)
    done = reissue(session, family, fresh_hash=fresh.hash, now=resources.machine_now(), policy=resources.policy)
    if isinstance(done, Refused):
        raise ChallengeClosed
    await sessions.spend(tx, done.voided)
    await sessions.add(tx, done.fresh)
    return await _signed_in(tx, locked, session, done.fresh, opened.created_account)


async def _signed_in(tx: Tx, locked: Locked, session: Session, token: RefreshToken, created: bool) -> SignedIn:
    roles = await accounts.roles(tx, locked.id)
    return SignedIn(
        user=locked.id, session=session.id, roles=roles, token=token, suspended=locked.suspended, created=created
    )


def _newcomer(resources: Resources, number: str) -> Newcomer:
    user = uuid7()
    key, wrapped = resources.master_key.new_key(user)
    return Newcomer(user_id=user, phone_sealed=key.seal("phone", number), data_key=wrapped)
