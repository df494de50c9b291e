"""ID-05 to ID-07: what a member proves besides the phone: accounts of OpenID providers, and a Gov ID."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID, uuid4

import asyncpg
from unora_common.database import Tx
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.events import VerificationSignalRecorded, event_headers
from unora_identity.domain.onboarding import ProfileIncomplete
from unora_identity.domain.profiles import LOCKED_FIELDS, Profile, require_adult
from unora_identity.domain.sessions import require_recent_sign_in
from unora_identity.domain.signals import (
    CheckNotFound,
    GovIdCheck,
    GovIdVerified,
    OAuthAlreadyLinked,
    Outcome,
    Signal,
    SignalType,
    after_result,
    require_few_checks,
)
from unora_identity.providers.gov_id import Claims, Result
from unora_identity.resources import Resources
from unora_identity.store import members, recovery_checks, signals
from unora_identity.use_cases.member_events import emit_member_events
from unora_identity.use_cases.member_update import update_member
from unora_identity.use_cases.sessions import get_current, lock_with_session

ONE_ACCOUNT: Final = "uq_verification_signals_one_account"
"""The index by which the token of a provider verifies one member only."""


@dataclass(frozen=True, slots=True)
class StartedCheck:
    """A check that was begun, and the provider's page for it."""

    reference: UUID
    url: str


async def link_oauth(tx: Tx, resources: Resources, provider: str, subject: str, session: UUID) -> Signal:
    """ID-05: links an account of a provider to the caller. An account belongs to one member, and a member has one of
    each provider. It can bring an account back that lost its number (ID-13), so a session that has ended or signed in
    long ago links nothing. Raises SessionRevoked, SignInTooOld, OAuthAlreadyLinked.
    """
    locked, current = await lock_with_session(tx, session)
    digest = resources.hasher.oauth(provider, subject).hex()
    found = await signals.find(tx, tx.user, SignalType.OAUTH, provider)
    if found:
        signal, stored_digest = found
        if stored_digest != digest:
            raise OAuthAlreadyLinked
        return signal
    require_recent_sign_in(current, resources.machine_now(), resources.policy)
    signal = await signals.add(tx, tx.user, SignalType.OAUTH, provider, digest)
    headers = event_headers(locked, tx.now)
    await emit_member_events(tx, [VerificationSignalRecorded(**next(headers), signal_id=signal.id)])
    return signal


async def start_gov_id_check(
    runtime: Runtime[IdentityConfig, Resources], user: UUID, session: UUID, request_id: UUID
) -> StartedCheck:
    """ID-06: begins a check, or finds that of the same request. The check is stored before the provider is asked. A Gov
    ID can bring an account back that lost its number (ID-13), so a session that has ended or signed in long ago begins
    none. Raises SessionRevoked, SignInTooOld, ProfileIncomplete, GovIdVerified, UnderAge, TooManyChecks.
    """
    resources = runtime.resources
    async with runtime.database.transaction(user) as tx, update_member(tx, user, resources.policy) as update:
        current = await get_current(tx, session)
        profile, provider = update.before.profile, resources.gov_id.name
        if not (profile.name and profile.date_of_birth and profile.gender):
            raise ProfileIncomplete([field for field in LOCKED_FIELDS if not getattr(profile, field)])
        checks = await signals.list_checks(tx, user)
        check = next((each for each in checks if each.request_id == request_id), None)
        if check is None:
            if update.before.gov_id_verified:
                raise GovIdVerified
            require_recent_sign_in(current, resources.machine_now(), resources.policy)
            require_adult(profile, tx.now, resources.policy)
            require_few_checks([each.started_at for each in checks], tx.now, resources.policy)
            digest = _digest(resources, user, profile)
            check = GovIdCheck(
                id=uuid4(), request_id=request_id, profile_digest=digest, started_at=tx.now, outcome=None
            )
            await signals.add_check(tx, check, user, provider)
            await _set_pending(tx, user, provider)
    claims = Claims(name=profile.name, date_of_birth=profile.date_of_birth.isoformat())
    return StartedCheck(check.id, await resources.gov_id.start(check.id, claims))


async def receive_gov_id_result(runtime: Runtime[IdentityConfig, Resources], result: Result) -> None:
    """ID-06, ID-07: applies a result; a repeat changes nothing. If one token would verify two members, the second is
    refused. If both results are applied at the same time, an index stops one of them, and it is applied again. Raises
    CheckNotFound, also for a check of an account that is being erased.
    """
    try:
        await _receive(runtime, result)
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != ONE_ACCOUNT:
            raise
        await _receive(runtime, result)


async def _receive(runtime: Runtime[IdentityConfig, Resources], result: Result) -> None:
    resources = runtime.resources
    provider = resources.gov_id.name
    async with runtime.database.transaction() as tx:
        user = await signals.find_check_owner(tx, result.reference, provider)
        # A check of an account that is being erased is unknown already (ID-09).
        if user is None or await members.lock(tx, user) is None:
            await _receive_for_recovery(tx, provider, result)
            return
        async with update_member(tx, user, resources.policy) as update:
            checks = await signals.list_checks(tx, user)
            check = next(each for each in checks if each.id == result.reference)
            outcome = result.outcome
            if outcome is Outcome.VERIFIED and await _must_refuse(
                tx, resources, user, update.before.profile, check, result
            ):
                outcome = Outcome.REFUSED
            if check.outcome in (Outcome.VERIFIED, outcome):
                return
            await signals.decide_check(tx, check.id, outcome)
            found = await signals.find(tx, user, SignalType.GOV_ID, provider)
            assert found is not None  # it is stored with the first check
            signal, stored_token = found
            newest = check.id == max(checks, key=lambda each: (each.started_at, each.id)).id
            after = after_result(signal.outcome, outcome, newest)
            if after is signal.outcome:
                return
            verified = after is Outcome.VERIFIED
            await signals.decide(tx, signal, after, result.token if verified else stored_token)
            update.events.append(VerificationSignalRecorded(**next(update.headers), signal_id=signal.id))
            update.change_to(replace(update.before, gov_id_verified=verified))


async def _receive_for_recovery(tx: Tx, provider: str, result: Result) -> None:
    """ID-13: the result of a check by which somebody wants an account back."""
    if not await recovery_checks.decide(tx, result.reference, provider, result.outcome, result.token):
        raise CheckNotFound


async def _must_refuse(
    tx: Tx, resources: Resources, user: UUID, profile: Profile, check: GovIdCheck, result: Result
) -> bool:
    """Whether the profile has changed since the check began, or the same token verifies another member."""
    if check.profile_digest != _digest(resources, user, profile):
        return True
    return await signals.verifies_other(tx, SignalType.GOV_ID, resources.gov_id.name, result.token, user)


async def _set_pending(tx: Tx, user: UUID, provider: str) -> None:
    """Makes the member's signal of this provider pending, even if it was refused before."""
    found = await signals.find(tx, user, SignalType.GOV_ID, provider)
    if found is None:
        await signals.add(tx, user, SignalType.GOV_ID, provider, "", Outcome.PENDING)
    else:
        await signals.decide(tx, found[0], Outcome.PENDING, "")


def _digest(resources: Resources, user: UUID, profile: Profile) -> bytes:
    """Of the fields that the check compares, and that its verification will lock."""
    born = profile.date_of_birth.isoformat() if profile.date_of_birth else ""
    return resources.hasher.profile(user, "\0".join((profile.name, born, profile.gender or "")))
