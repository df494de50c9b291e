"""ID-13: a hidden account comes back, by a code to the number that it is to have and a proof of its owner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from uuid import UUID, uuid4

from unora_common.database import Tx
from unora_common.errors import DomainError
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.accounts import LockedMember
from unora_identity.domain.events import event_headers
from unora_identity.domain.number_proof import Standing, judge
from unora_identity.domain.phone_codes import ChallengeClosed, PhoneTaken, StoredChallenge
from unora_identity.domain.recovery import NothingToRecover, RecoveryCheck, proven_token, require_recoverable
from unora_identity.domain.signals import SignalType, require_few_checks
from unora_identity.providers.code_alarm import CodeAlarm
from unora_identity.providers.gov_id import Claims
from unora_identity.providers.random_secrets import NewRefreshToken
from unora_identity.resources import Resources
from unora_identity.store import accounts, devices, holders, members, recovery_checks, signals
from unora_identity.use_cases.code_entry import Entry, enter_code
from unora_identity.use_cases.number_moves import free_number, hide, open_again
from unora_identity.use_cases.phone_change import seal_number
from unora_identity.use_cases.sessions import SignedIn
from unora_identity.use_cases.sign_in import device_digest, open_for, sign_in_again
from unora_identity.use_cases.verification import StartedCheck

Proof = Callable[[Tx, StoredChallenge], Awaitable[UUID | None]]
"""Finds the member whom a proof belongs to. Raises a refusal of its own, which changes nothing."""


def by_linked_account(resources: Resources, provider: str, subject: str) -> Proof:
    """ID-05: an account of a provider, whose token was verified already."""
    digest = resources.hasher.oauth(provider, subject).hex()
    return lambda tx, stored: signals.find_verified(tx, SignalType.OAUTH, provider, digest)


def by_gov_id(resources: Resources, reference: UUID) -> Proof:
    """ID-06: a check of a Gov ID that was begun for the same number."""
    provider = resources.gov_id.name

    async def find(tx: Tx, stored: StoredChallenge) -> UUID | None:
        checks = await recovery_checks.list_by_number(tx, stored.challenge.phone_hash, provider)
        token = proven_token(checks, reference, tx.now, resources.policy)
        return await signals.find_verified(tx, SignalType.GOV_ID, provider, token)

    return find


async def recover_account(
    runtime: Runtime[IdentityConfig, Resources],
    alarm: CodeAlarm,
    entry: Entry,
    proof: Proof,
    fresh: NewRefreshToken,
    *,
    replaces: bool = False,
) -> SignedIn:
    """Gives a hidden account the number of the code, and opens a session. With `replaces` the account that has the
    number now gives it up. A repeat gets its session again. Refusals leave the code as it was.
    """
    resources = runtime.resources
    device = device_digest(resources, entry)

    async def recover(tx: Tx, stored: StoredChallenge) -> SignedIn | DomainError:
        user = await proof(tx, stored)
        # All that are locked below, by ascending id as everywhere (store/__init__.py).
        owners = await accounts.list_owners(tx, stored.challenge.forms)
        await members.lock_all(tx, [each for each in (user, *owners) if each])
        await free_number(tx, resources, stored.challenge.forms)
        owner = await accounts.find_owner(tx, stored.challenge.forms)
        both = await members.lock_all(tx, [each for each in (user, owner if replaces else None) if each])
        locked = both.get(user) if user else None
        if locked is None:
            raise NothingToRecover
        require_recoverable(await holders.find_reopening(tx, locked.id), tx.now)
        if owner is not None:
            await _make_way(tx, resources, stored, entry, both.get(owner), device)
        return await _give_number(tx, resources, stored, locked, device, fresh)

    return await enter_code(
        runtime, alarm, entry, device, recover, lambda tx, stored: sign_in_again(tx, resources, stored, fresh)
    )


async def start_recovery_check(
    runtime: Runtime[IdentityConfig, Resources], alarm: CodeAlarm, entry: Entry, name: str, born: date
) -> StartedCheck:
    """Begins a check of a Gov ID for the owner of a number, or finds that of the same request. It does not look for an
    account. The check is stored before the provider is asked; what it is told is not stored.
    """
    resources = runtime.resources
    provider = resources.gov_id

    async def start(tx: Tx, stored: StoredChallenge) -> UUID | DomainError:
        phone_hash = stored.challenge.phone_hash
        checks = await recovery_checks.list_by_number(tx, phone_hash, provider.name)
        check = next((each for each in checks if each.request_id == entry.request_id), None)
        if check is None:
            require_few_checks([each.started_at for each in checks], tx.now, resources.policy)
            check = RecoveryCheck(id=uuid4(), request_id=entry.request_id, started_at=tx.now)
            await recovery_checks.add(tx, phone_hash, provider.name, check)
        return check.id

    async def used(tx: Tx, stored: StoredChallenge) -> UUID:
        raise ChallengeClosed

    reference = await enter_code(runtime, alarm, entry, device_digest(resources, entry), start, used)
    claims = Claims(name=name, date_of_birth=born.isoformat())
    return StartedCheck(reference, await provider.start(reference, claims))


async def _make_way(
    tx: Tx,
    resources: Resources,
    stored: StoredChallenge,
    entry: Entry,
    owner: LockedMember | None,
    device: bytes | None,
) -> None:
    """Takes the number from the account that has it, if that account was locked. The person who sends the code controls
    that account anyway. Raises PhoneTaken for any other account.
    """
    if owner is None or owner.suspended or not await accounts.has_phone(tx, owner.id, stored.challenge.forms):
        raise PhoneTaken
    holder = await holders.get(tx, owner.id, device, resources.machine_now() - resources.policy.unused_after)
    judged = judge(holder, None, entry.request_id, tx.now, resources.policy)
    if holder.closed_at is not None or judged.standing is not Standing.PROVEN:
        raise PhoneTaken
    await hide(tx, resources, owner, event_headers(owner, tx.now), holder)


async def _give_number(
    tx: Tx,
    resources: Resources,
    stored: StoredChallenge,
    locked: LockedMember,
    device: bytes | None,
    fresh: NewRefreshToken,
) -> SignedIn:
    # The index of numbers holds it for two at once. A code that may not create an account was sent only to a number
    # that has one (ID-11).
    if stored.challenge.account_only or await accounts.find_owner(tx, stored.challenge.forms) is not None:
        raise PhoneTaken
    known = await devices.is_known_to(tx, locked.id, device)
    sealed = await seal_number(tx, resources, locked.id, stored.new_account)
    headers = event_headers(locked, tx.now)
    events = await open_again(tx, resources, locked, headers, (stored.challenge.phone_hash, sealed))
    return await open_for(tx, resources, stored, locked, headers, device, fresh, events, known=known)
