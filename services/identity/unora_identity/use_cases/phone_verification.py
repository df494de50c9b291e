"""ID-02: sign-up and sign-in are one flow: a code is sent to a phone, and its use opens a session."""

from __future__ import annotations

import asyncio
from uuid import UUID

from unora_common.database import Tx
from unora_common.errors import DomainError
from unora_common.ids import random_id, uuid7
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.accounts import LockedMember, NewAccount
from unora_identity.domain.code_budgets import Asker, TooManyCodes, TooManyTries
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
    read_code,
    try_code,
)
from unora_identity.domain.phone_numbers import PhoneInvalid, PhoneNumber, read_phone_number
from unora_identity.domain.sessions import Refused, open_session, reissue
from unora_identity.providers.code_alarm import CodeAlarm
from unora_identity.providers.random_secrets import NewRefreshToken, new_code
from unora_identity.resources import Resources
from unora_identity.store import accounts, challenges, devices, members, sessions, wrong_codes
from unora_identity.use_cases.background import run_in_background, run_to_completion
from unora_identity.use_cases.code_budgets import count_wrong_codes, find_known_device, spend_code
from unora_identity.use_cases.member_events import emit_member_events
from unora_identity.use_cases.second_factors import try_factor
from unora_identity.use_cases.sessions import SignedIn, signed_in


async def start_phone_verification(
    runtime: Runtime[IdentityConfig, Resources],
    alarm: CodeAlarm,
    number: str,
    request_id: UUID,
    device_id: str = "",
    network: str | None = None,
    changes_user_id: UUID | None = None,
) -> Challenge | IssuedCode:
    """ID-02: a challenge for a number, whose code is sent to it. A repeat gets the existing challenge. `network` is the
    client's, as the gateway tells it. With `changes_user_id` the code changes the number of this member, and opens no
    session (ID-14).

    It does not check whether the number has an account: what a new account needs is made each time. A code that could
    not be sent is deleted, so that it does not count and the call can be repeated. Raises TooManyCodes, and
    PhoneInvalid with a challenge for a number that may only open an account that it has (ID-11).

    A client that hangs up does not stop it; otherwise a client could have any number of codes sent without a record.
    Only a process that dies can leave a code without a record of whether it was sent; after twice the sending time, a
    repeat replaces its challenge. If repeats come at the same time, one sends the code, and the others return its
    challenge.
    """
    resources = runtime.resources
    phone = read_phone_number(number, resources.policy)
    if changes_user_id and not phone.gets_texts:
        raise PhoneInvalid
    device = resources.hasher.device(device_id) if device_id else None
    asker = Asker(
        device=resources.hasher.member(changes_user_id) if changes_user_id else device,
        address=resources.hasher.address(network) if network else None,
        calling_code=phone.calling_code,
        changes_user_id=changes_user_id,
    )
    try:
        issued = await run_to_completion(_start(runtime, alarm, phone, request_id, asker))
    except TooManyCodes as refused:
        alarm.refused(refused.budget, phone.calling_code)
        raise
    if issued.account_only:
        raise PhoneInvalid(issued.id)
    return issued


async def verify_phone(
    runtime: Runtime[IdentityConfig, Resources],
    alarm: CodeAlarm,
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
    resources, policy = runtime.resources, runtime.resources.policy
    code_hash = resources.hasher.code(challenge_id, read_code(code, policy))
    device = resources.hasher.device(device_id) if device_id else None
    async with runtime.database.transaction() as tx:
        stored = await challenges.lock(tx, challenge_id)
        if stored is None or stored.changes_user_id is not None:
            raise ChallengeClosed
        guesser, wrong_before = await count_wrong_codes(tx, stored.challenge, device, policy)
        tried = try_code(stored.challenge, code_hash, request_id, tx.now, policy, wrong_before=wrong_before)
        refusal = tried.refusal
        if tried.verdict is Verdict.ACCEPTED:
            done = await _sign_in(tx, resources, tried.challenge, stored.new_account, fresh, device, totp_code)
            if isinstance(done, SignedIn):
                return done
            refusal = done
        if tried.verdict is Verdict.REPEATED:
            return await _sign_in_again(tx, resources, stored, fresh)
        if tried.verdict is Verdict.WRONG:
            await challenges.count_try(tx, tried.challenge)
            await wrong_codes.add(tx, tried.challenge, guesser)
    assert refusal is not None
    if isinstance(refusal, TooManyTries):
        alarm.refused(refusal.budget)
    raise refusal


async def _start(
    runtime: Runtime[IdentityConfig, Resources], alarm: CodeAlarm, phone: PhoneNumber, request_id: UUID, asker: Asker
) -> Challenge | IssuedCode:
    resources, policy = runtime.resources, runtime.resources.policy
    challenge_id, code = uuid7(), new_code(policy.code_digits)
    new_account = _new_account(resources, phone.e164)
    phone_hash = resources.hasher.phone(phone.e164)
    phone_hashes = tuple(resources.hasher.phone(form) for form in phone.forms)
    async with runtime.database.transaction() as tx:
        earlier = await challenges.lock_phone(tx, phone_hash)
        existing = next((issued for issued in earlier if issued.request_id == request_id), None)
        if existing and existing.counts_as_sent(tx.now, policy):
            return existing
        if existing and not await challenges.delete(tx, existing.id):
            return existing
        known_device = await find_known_device(tx, phone_hashes, asker.device)
        challenge = issue_challenge(
            challenge_id=challenge_id,
            phone_hash=phone_hash,
            phone_hashes=phone_hashes,
            code_hash=resources.hasher.code(challenge_id, code),
            earlier=earlier,
            known_device=known_device,
            account_only=not phone.gets_texts and known_device is None,
            now=tx.now,
            policy=policy,
        )
        if known_device is None:
            await spend_code(tx, challenge_id, asker, policy)
        await challenges.add(tx, challenge, request_id, new_account, asker.changes_user_id)
    if challenge.account_only:
        run_in_background(_send_to_account(runtime, alarm, phone, phone_hashes, code))
        return challenge
    try:
        await _send(runtime, alarm, phone, code)
    except Exception:
        async with runtime.database.transaction() as tx:
            await challenges.delete(tx, challenge_id)
        raise
    async with runtime.database.transaction() as tx:
        await challenges.mark_sent(tx, challenge_id)
    return challenge


async def _send(runtime: Runtime[IdentityConfig, Resources], alarm: CodeAlarm, phone: PhoneNumber, code: str) -> None:
    async with asyncio.timeout(runtime.resources.policy.code_sending.total_seconds()):
        await runtime.resources.sms.send_code(phone.e164, code)
    alarm.sent(phone.calling_code)


async def _send_to_account(
    runtime: Runtime[IdentityConfig, Resources],
    alarm: CodeAlarm,
    phone: PhoneNumber,
    phone_hashes: tuple[bytes, ...],
    code: str,
) -> None:
    """ID-11: sends a code only if the number has an account. No answer waits for it: its time would tell."""
    try:
        async with runtime.database.transaction() as tx:
            found = await accounts.has_account(tx, phone_hashes)
        if found:
            await _send(runtime, alarm, phone, code)
    except Exception as error:
        runtime.log.warning("code not sent", failure=error)


async def _sign_in(
    tx: Tx,
    resources: Resources,
    used: Challenge,
    new: NewAccount,
    fresh: NewRefreshToken,
    device: bytes | None,
    totp_code: str,
) -> SignedIn | DomainError:
    locked, created = await _lock_account(tx, used, new)
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
    known = created or await devices.is_known_to(tx, locked.id, device)
    await sessions.open_session(tx, session, token, device)
    await challenges.use(tx, used, session.id, created)
    events: list[MemberEvent] = []
    if created:
        trace = resources.hasher.trace(used.phone_hash)
        events.append(AccountCreated(**next(headers), phone_digest=trace, device_digest=device))
    events.append(SessionOpened(**next(headers), session_id=session.id, device_digest=device))
    if not known:
        events.append(NewDeviceSignedIn(**next(headers), session_id=session.id))
    if as_admin:
        events.append(AdminSignedIn(**next(headers), session_id=session.id))
    await emit_member_events(tx, events)
    return await signed_in(tx, locked, session, token, created)


async def _lock_account(tx: Tx, used: Challenge, new: NewAccount) -> tuple[LockedMember, bool]:
    """The account that a code opens, and whether it was created. Raises ChallengeClosed if it may not create one."""
    if not used.account_only:
        return await accounts.lock_or_create(tx, used.forms, used.phone_hash, new)
    locked = await accounts.lock_by_phone(tx, used.forms)
    if locked is None:
        raise ChallengeClosed
    return locked, False


async def _sign_in_again(tx: Tx, resources: Resources, stored: StoredChallenge, fresh: NewRefreshToken) -> SignedIn:
    assert stored.session_id is not None
    owner = await sessions.get_owner(tx, stored.session_id)
    locked = await members.lock(tx, owner)
    if locked is None or not await accounts.has_phone(tx, owner, stored.challenge.forms):
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
