"""What a member proves beyond the phone: accounts elsewhere, a Gov ID, a completed streak (ID-04 to ID-07)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import asyncpg
from unora.identity.v1.events_pb2 import VerificationSignalRecorded
from unora_common.database import Database, Tx
from unora_common.errors import Unauthenticated

from unora_identity.domain.onboarding import ProfileIncomplete
from unora_identity.domain.profiles import Profile
from unora_identity.domain.signals import (
    CheckNotFound,
    GovIdVerified,
    OAuthAlreadyLinked,
    Outcome,
    Signal,
    SignalType,
    after_result,
    check_limit,
)
from unora_identity.providers.gov_id import Claims, Result
from unora_identity.resources import Resources
from unora_identity.store import members, signals
from unora_identity.store.members import Locked
from unora_identity.store.signals import Check
from unora_identity.use_cases.member_update import update_member

ONE_ACCOUNT = "uq_verification_signals_one_account"


@dataclass(frozen=True, slots=True)
class Started:
    """A check that was begun, and the provider's page for it."""

    reference: UUID
    url: str


async def link(tx: Tx, resources: Resources, provider: str, subject: str) -> Signal:
    """ID-05: an account of a provider belongs to one member, and a member has one of each provider."""
    locked = (await members.lock(tx, tx.user)).get(tx.user)
    if locked is None:
        raise Unauthenticated
    digest = resources.hasher.oauth(provider, subject).hex()
    found = await signals.find(tx, tx.user, SignalType.OAUTH, provider)
    if found:
        signal, kept = found
        if kept != digest:
            raise OAuthAlreadyLinked
        return signal
    signal = await signals.add(tx, tx.user, SignalType.OAUTH, provider, digest)
    locked.tell(tx, VerificationSignalRecorded, signal_id=str(signal.id))
    await members.save_versions(tx, [locked])
    return signal


async def start(database: Database, resources: Resources, user: UUID, request_id: UUID) -> Started:
    """ID-06: begins a check, or finds that of the same request; the provider is asked when it is noted."""
    async with database.transaction(user) as tx, update_member(tx, user, resources.policy) as change:
        profile, provider = change.before.profile, resources.gov_id.name
        if not (profile.name and profile.date_of_birth and profile.gender):
            raise ProfileIncomplete
        known = await signals.checks(tx, user)
        check = next((each for each in known if each.request_id == request_id), None)
        if check is None:
            if change.before.gov_id_verified:
                raise GovIdVerified
            check_limit([each.started_at for each in known], tx.now, resources.policy)
            digest = _digest(resources, user, profile)
            check = Check(id=uuid4(), request_id=request_id, profile_digest=digest, started_at=tx.now, outcome=None)
            await signals.begin(tx, check, user, provider)
            await _open(tx, user, provider)
    claims = Claims(name=profile.name, date_of_birth=profile.date_of_birth.isoformat())
    return Started(check.id, await resources.gov_id.start(check.id, claims))


async def receive(database: Database, resources: Resources, result: Result) -> None:
    """ID-06, ID-07: a result, however often it comes. Of two members whom one token would verify, one is refused: who
    looked at the same time is seen by the database, and looks again.
    """
    try:
        await _receive(database, resources, result)
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != ONE_ACCOUNT:
            raise
        await _receive(database, resources, result)


async def boost(tx: Tx, locked: dict[UUID, Locked], what: str) -> None:
    """ID-04: what these members did is a signal of theirs, once."""
    for user, signal in (await signals.boost(tx, list(locked), what)).items():
        locked[user].tell(tx, VerificationSignalRecorded, signal_id=str(signal))


async def _receive(database: Database, resources: Resources, result: Result) -> None:
    provider = resources.gov_id.name
    async with database.transaction() as tx:
        user = await signals.owner(tx, result.reference, provider)
        if user is None:
            raise CheckNotFound
        async with update_member(tx, user, resources.policy) as change:
            known = await signals.checks(tx, user)
            check = next(each for each in known if each.id == result.reference)
            outcome = result.outcome
            if outcome is Outcome.VERIFIED and await _refutable(
                tx, resources, user, change.before.profile, check, result
            ):
                outcome = Outcome.REFUSED
            if check.outcome in (Outcome.VERIFIED, outcome):
                return
            await signals.finish(tx, check.id, outcome)
            found = await signals.find(tx, user, SignalType.GOV_ID, provider)
            assert found is not None  # it was begun with the check
            signal, token = found
            newest = check.id == max(known, key=lambda each: (each.started_at, each.id)).id
            after = after_result(signal.outcome, outcome, newest)
            if after is signal.outcome:
                return
            await signals.decide(tx, signal, after, result.token if after is Outcome.VERIFIED else token)
            change.locked.tell(tx, VerificationSignalRecorded, signal_id=str(signal.id))
            change.to(replace(change.before, gov_id_verified=after is Outcome.VERIFIED))


async def _refutable(tx: Tx, resources: Resources, user: UUID, profile: Profile, check: Check, result: Result) -> bool:
    """Whether what the provider verified is not what the member says by now, or is somebody else."""
    if check.profile_digest != _digest(resources, user, profile):
        return True
    return await signals.taken(tx, SignalType.GOV_ID, resources.gov_id.name, result.token, user)


async def _open(tx: Tx, user: UUID, provider: str) -> None:
    """The member's signal of this provider is pending, also if it was refused before."""
    found = await signals.find(tx, user, SignalType.GOV_ID, provider)
    if found is None:
        await signals.add(tx, user, SignalType.GOV_ID, provider, "", Outcome.PENDING)
    else:
        await signals.decide(tx, found[0], Outcome.PENDING, "")


def _digest(resources: Resources, user: UUID, profile: Profile) -> bytes:
    """Of what the check is about, and of what it will lock."""
    born = profile.date_of_birth.isoformat() if profile.date_of_birth else ""
    return resources.hasher.profile(user, "\0".join((profile.name, born, profile.gender or "")))
