"""ID-14: a member changes their phone number, by a code to the new one."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Tx
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.accounts import LockedMember, NewAccount
from unora_identity.domain.code_budgets import TooManyTries
from unora_identity.domain.events import MemberEvent, PhoneChanged, event_headers
from unora_identity.domain.phone_codes import (
    Challenge,
    ChallengeClosed,
    IssuedCode,
    PhoneTaken,
    StoredChallenge,
    Verdict,
    read_code,
    try_code,
)
from unora_identity.domain.sessions import Revocation, require_recent_sign_in
from unora_identity.providers.code_alarm import CodeAlarm
from unora_identity.resources import Resources
from unora_identity.store import accounts, challenges, holders, members, wrong_codes
from unora_identity.use_cases.code_budgets import count_wrong_codes
from unora_identity.use_cases.member_events import emit_member_events
from unora_identity.use_cases.number_moves import free_number
from unora_identity.use_cases.phone_verification import start_phone_verification
from unora_identity.use_cases.sessions import get_current, lock_with_session, revoke_sessions


async def start_phone_change(
    runtime: Runtime[IdentityConfig, Resources],
    alarm: CodeAlarm,
    user: UUID,
    session: UUID,
    number: str,
    request_id: UUID,
    network: str | None,
) -> Challenge | IssuedCode:
    """ID-14: sends a code to the new number, by the same rules and limits as for a sign-in (ID-02). It does not look
    whether the number has an account (XX-04). Raises SignInTooOld.
    """
    resources = runtime.resources
    async with runtime.database.session(user) as db:
        require_recent_sign_in(await get_current(db, session), resources.machine_now(), resources.policy)
    return await start_phone_verification(runtime, alarm, number, request_id, network=network, changes_user_id=user)


async def change_phone(
    runtime: Runtime[IdentityConfig, Resources],
    alarm: CodeAlarm,
    user: UUID,
    session: UUID,
    challenge_id: UUID,
    code: str,
    request_id: UUID,
) -> None:
    """ID-14: takes the code; from the commit on the account has the new number, and the old one is free. All other
    sessions end: whoever holds the old number may have opened them. A repeat changes nothing.

    Raises PhoneTaken for a number of another account; a constraint holds it for two at once. The caller has proved to
    have the number, so they may know. Nothing of the call is kept then.
    """
    resources, policy = runtime.resources, runtime.resources.policy
    code_hash = resources.hasher.code(challenge_id, read_code(code, policy))
    async with runtime.database.transaction(user) as tx:
        stored = await challenges.lock(tx, challenge_id)
        if stored is None or stored.changes_user_id != user:
            raise ChallengeClosed
        # Together with the accounts that give way, by ascending id as everywhere (store/__init__.py).
        await members.lock_all(tx, [user, *await accounts.list_over(tx, stored.challenge.forms)])
        locked, current = await lock_with_session(tx, session)
        guesser, wrong_before = await count_wrong_codes(tx, stored.challenge, None, policy)
        tried = try_code(stored.challenge, code_hash, request_id, tx.now, policy, wrong_before=wrong_before)
        if tried.verdict is Verdict.REPEATED:
            return
        require_recent_sign_in(current, resources.machine_now(), resources.policy)
        if tried.verdict is Verdict.ACCEPTED:
            await challenges.use(tx, tried.challenge, session, created_account=False)
            await _change(tx, resources, locked, session, stored)
            return
        if tried.verdict is Verdict.WRONG:
            await challenges.count_try(tx, tried.challenge)
            await wrong_codes.add(tx, tried.challenge, guesser)
    assert tried.refusal is not None
    if isinstance(tried.refusal, TooManyTries):
        alarm.refused(tried.refusal.budget)
    raise tried.refusal


async def seal_number(tx: Tx, resources: Resources, user: UUID, sealed: NewAccount) -> bytes:
    """The number of a challenge, sealed with the key of a member who is to have it."""
    number = resources.master_key.unwrap(sealed.user_id, sealed.data_key).open("phone", sealed.phone_sealed)
    key = resources.master_key.unwrap(user, await accounts.get_data_key(tx, user))
    return key.seal("phone", number)


async def _change(tx: Tx, resources: Resources, locked: LockedMember, session: UUID, stored: StoredChallenge) -> None:
    await free_number(tx, resources, stored.challenge.forms)
    owner = await accounts.find_owner(tx, stored.challenge.forms)
    if owner == locked.id:
        return
    if owner is not None:  # looked up first, so that two who swap their numbers do not wait for each other
        raise PhoneTaken
    sealed = await seal_number(tx, resources, locked.id, stored.new_account)
    await accounts.change_phone(tx, locked.id, stored.challenge.phone_hash, sealed)
    await holders.delete_wrong_birth_dates(tx, locked.id)  # those were of whoever has the old number (ID-13)
    headers = event_headers(locked, tx.now)
    events: list[MemberEvent] = [PhoneChanged(**next(headers))]
    events += await revoke_sessions(tx, resources, locked, headers, Revocation.PHONE_CHANGE, but=session)
    await emit_member_events(tx, events)
