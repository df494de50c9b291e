"""ID-02: sign-up and sign-in are one flow: a code is sent to a phone. `sign_in.py` takes it."""

from __future__ import annotations

from uuid import UUID

from unora_common.ids import random_id, uuid7
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.accounts import NewAccount
from unora_identity.domain.code_budgets import Asker, TooManyCodes
from unora_identity.domain.phone_codes import Challenge, IssuedCode, issue_challenge
from unora_identity.domain.phone_numbers import PhoneInvalid, PhoneNumber, read_phone_number
from unora_identity.providers.code_alarm import CodeAlarm
from unora_identity.providers.random_secrets import new_code
from unora_identity.resources import Resources
from unora_identity.store import challenges, text_messages
from unora_identity.use_cases.background import run_in_background, run_to_completion
from unora_identity.use_cases.code_budgets import find_known_device, spend_code
from unora_identity.use_cases.code_sending import send_code, send_to_account


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
    resources.phone_key.require_same()
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
        run_in_background(send_to_account(runtime, alarm, phone, phone_hashes, code))
        return challenge
    try:
        message_id = await send_code(runtime, alarm, phone, code)
    except Exception:
        async with runtime.database.transaction() as tx:
            await challenges.delete(tx, challenge_id)
        raise
    async with runtime.database.transaction() as tx:
        await challenges.mark_sent(tx, challenge_id)
        if message_id is not None:
            await text_messages.add(tx, message_id, challenge_id)
    return challenge


def _new_account(resources: Resources, number: str) -> NewAccount:
    user = random_id()
    key, wrapped = resources.master_key.new_key(user)
    return NewAccount(user_id=user, phone_sealed=key.seal("phone", number), data_key=wrapped)
