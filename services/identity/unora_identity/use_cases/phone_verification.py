"""ID-02: sign-up and sign-in are one flow: a code is sent to a phone, and its use opens a session."""

from __future__ import annotations

import asyncio
from uuid import UUID

from unora_common.database import Tx
from unora_common.errors import DomainError
from unora_common.ids import random_id, uuid7
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.accounts import NewAccount
from unora_identity.domain.events import (
    AccountCreated,
    AdminSignedIn,
    MemberEvent,
    NewDeviceSignedIn,
    SessionOpened,
    event_headers,
)
from unora_identity.domain.phone_codes import (
    Challenge,
    ChallengeClosed,
    IssuedCode,
    StoredChallenge,
    Verdict,
    issue_challenge,
    try_code,
)
from unora_identity.domain.phone_numbers import normalise_phone_number
from unora_identity.domain.sessions import Refused, open_session, reissue
from unora_identity.providers.random_secrets import NewRefreshToken, new_code
from unora_identity.resources import Resources
from unora_identity.store import accounts, challenges, members, sessions
from unora_identity.use_cases.background import run_to_completion
from unora_identity.use_cases.member_events import emit_member_events
from unora_identity.use_cases.second_factors import try_factor
from unora_identity.use_cases.sessions import SignedIn, signed_in


async def start_phone_verification(
    runtime: Runtime[IdentityConfig, Resources], number: str, request_id: UUID, changes_user_id: UUID | None = None
) -> Challenge | IssuedCode:
    """ID-02: a challenge for a number, whose code is sent to it. A repeat gets the existing challenge. With
    `changes_user_id` the code changes the number of this member, and opens no session (ID-14).

    It does not check whether the number has an account: what a new account needs is made each time. A code that could
    not be sent is deleted, so that it does not count and the call can be repeated.

    A client that hangs up does not stop it; otherwise a client could have any number of codes sent without a record.
    Only a process that dies can leave a code without a record of whether it was sent; after twice the sending time, a
    repeat replaces its challenge. If repeats come at the same time, one sends the code, and the others return its
    challenge.
    """
    number = normalise_phone_number(number)
    return await run_to_completion(_start(runtime, number, request_id, changes_user_id))


async def verify_phone(
    runtime: Runtime[IdentityConfig, Resources],
    challenge_id: UUID,
    code: str,
    request_id: UUID,
    fresh: NewRefreshToken,
    device_id: str = "",
    totp_code: str = "",
) -> SignedIn:
    """ID-02: opens a session, and creates the account if it is the number's first sign-in. A repeat gets its session
    again. With an admin's second factor the session carries the role (ID-15); after a wrong one the phone code can be
    used again.
    """
    resources = runtime.resources
    async with runtime.database.transaction() as tx:
        stored = await challenges.lock(tx, challenge_id)
        if stored is None or stored.changes_user_id is not None:
            raise ChallengeClosed
        code_hash = resources.hasher.code(challenge_id, code)
        tried = try_code(stored.challenge, code_hash, request_id, tx.now, resources.policy)
        refusal = tried.refusal
        if tried.verdict is Verdict.ACCEPTED:
            device = resources.hasher.device(device_id) if device_id else None
            done = await _sign_in(tx, resources, tried.challenge, stored.new_account, fresh, device, totp_code)
            if isinstance(done, SignedIn):
                return done
            refusal = done
        if tried.verdict is Verdict.REPEATED:
            return await _sign_in_again(tx, resources, stored, fresh)
        if tried.verdict is Verdict.WRONG:
            await challenges.count_try(tx, tried.challenge)
    assert refusal is not None
    raise refusal


async def _start(
    runtime: Runtime[IdentityConfig, Resources], number: str, request_id: UUID, changes_user_id: UUID | None
) -> Challenge | IssuedCode:
    resources, policy = runtime.resources, runtime.resources.policy
    challenge_id, code = uuid7(), new_code(policy.code_digits)
    new_account = _new_account(resources, number)
    async with runtime.database.transaction() as tx:
        phone_hash = resources.hasher.phone(number)
        earlier = await challenges.lock_phone(tx, phone_hash)
        existing = next((issued for issued in earlier if issued.request_id == request_id), None)
        if existing and existing.counts_as_sent(tx.now, policy):
            return existing
        if existing and not await challenges.delete(tx, existing.id):
            return existing
        challenge = issue_challenge(
            challenge_id=challenge_id,
            phone_hash=phone_hash,
            code_hash=resources.hasher.code(challenge_id, code),
            earlier=earlier,
            now=tx.now,
            policy=policy,
        )
        await challenges.add(tx, challenge, request_id, new_account, changes_user_id)
    try:
        async with asyncio.timeout(policy.code_sending.total_seconds()):
            await resources.sms.send_code(number, code)
    except Exception:
        async with runtime.database.transaction() as tx:
            await challenges.delete(tx, challenge_id)
        raise
    async with runtime.database.transaction() as tx:
        await challenges.mark_sent(tx, challenge_id)
    return challenge


async def _sign_in(
    tx: Tx,
    resources: Resources,
    used: Challenge,
    new: NewAccount,
    fresh: NewRefreshToken,
    device: bytes | None,
    totp_code: str,
) -> SignedIn | DomainError:
    locked, created = await accounts.lock_or_create(tx, used.phone_hash, new)
    headers = event_headers(locked, tx.now)
    as_admin = await try_factor(tx, resources, locked, headers, totp_code) if totp_code else False
    if isinstance(as_admin, DomainError):
        return as_admin
    session, token = open_session(
        session_id=uuid7(),
        user_id=locked.id,
        token_hash=fresh.hash,
        now=resources.machine_now(),
        policy=resources.policy,
        as_admin=as_admin,
    )
    known = created or await sessions.is_known_device(tx, locked.id, device)
    await sessions.open_session(tx, session, token, device)
    await challenges.use(tx, used, session.id, created)
    events: list[MemberEvent] = [AccountCreated(**next(headers))] if created else []
    events.append(SessionOpened(**next(headers), session_id=session.id, device_digest=device))
    if not known:
        events.append(NewDeviceSignedIn(**next(headers), session_id=session.id))
    if as_admin:
        events.append(AdminSignedIn(**next(headers), session_id=session.id))
    await emit_member_events(tx, events)
    return await signed_in(tx, locked, session, token, created)


async def _sign_in_again(tx: Tx, resources: Resources, stored: StoredChallenge, fresh: NewRefreshToken) -> SignedIn:
    assert stored.session_id is not None
    owner = await sessions.get_owner(tx, stored.session_id)
    locked = await members.lock(tx, owner)
    if locked is None or not await accounts.has_phone(tx, owner, stored.challenge.phone_hash):
        raise ChallengeClosed
    session, family = await sessions.get_with_family(tx, stored.session_id)
    reissued = reissue(session, family, fresh_hash=fresh.hash, now=resources.machine_now(), policy=resources.policy)
    if isinstance(reissued, Refused):
        raise ChallengeClosed
    await sessions.save_spent(tx, reissued.voided)
    await sessions.add_token(tx, reissued.fresh)
    return await signed_in(tx, locked, session, reissued.fresh, stored.created_account)


def _new_account(resources: Resources, number: str) -> NewAccount:
    user = random_id()
    key, wrapped = resources.master_key.new_key(user)
    return NewAccount(user_id=user, phone_sealed=key.seal("phone", number), data_key=wrapped)
