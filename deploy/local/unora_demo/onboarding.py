"""People become members who may enter Discovery (ID-02, PR-01 to PR-06)."""

from __future__ import annotations

from collections.abc import Sequence

from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER
from unora.discovery.v1.discovery_service_pb2 import JoinServerRequest
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.identity.v1.profile_service_pb2 import (
    GetOnboardingRequest,
    Hobby,
    ListHobbyOptionsRequest,
    ListPhotosRequest,
    OnboardingStep,
)
from unora_local import members
from unora_local.at_once import for_all
from unora_local.cast import PEOPLE
from unora_local.client import refused, request_id
from unora_local.members import SHOTS

from unora_demo import people
from unora_demo.people import Member
from unora_demo.stage import Stage
from unora_demo.timeline import Note, expect

ALL_MISSING = ["PROFILE", "PHOTOS", "FACE_PHOTO", "HOBBIES"]
TRUSTED = 3
"""Phone, photos with a face, photos of quality (ID-04)."""


async def sign_up(stage: Stage, note: Note) -> None:
    """All members ask for a code and send it back."""
    total = stage.size
    stage.sessions = await for_all(
        range(total), lambda _: members.sign_up(stage.gateway, stage.box), lambda ready: note.now(f"{ready} of {total}")
    )
    note.detail = f"{total} accounts by phone and code"


async def missing_before(stage: Stage, note: Note) -> None:
    """PR-06: a new member sees all that is missing, and cannot join a server."""
    session = stage.sessions[0]
    onboarding = await session.call(session.gateway.profiles.GetOnboarding, GetOnboardingRequest())
    missing = [OnboardingStep.Name(step).removeprefix("ONBOARDING_STEP_") for step in onboarding.missing]
    expect("what is missing", ALL_MISSING, missing)
    expect("discovery_ready", False, onboarding.discovery_ready)
    account = (await session.call(session.gateway.accounts.GetAccount, GetAccountRequest())).account
    expect("the trust level", 1, account.trust_level)
    join = JoinServerRequest(request_id=request_id(), server_type=SERVER_TYPE_PARTNER)
    await refused(session.call(session.gateway.discovery.JoinServer, join), "NOT_DISCOVERY_READY")
    note.detail = f"{', '.join(word.lower().replace('_', ' ') for word in missing)}; no server can be joined"


async def complete_profiles(stage: Stage, note: Note) -> None:
    """All members fill in a profile, choose hobbies and upload three photographs."""
    first = stage.sessions[0]
    options = await first.call(stage.gateway.profiles.ListHobbyOptions, ListHobbyOptionsRequest())
    hobbies = people.choose_hobbies(options.hobby_options, stage.size)
    total = stage.size

    async def one(number: int) -> Member:
        return await _complete_profile(stage, number, hobbies[number])

    stage.members = await for_all(range(total), one, lambda ready: note.now(f"{ready} of {total}"))
    note.detail = f"{total} profiles, {sum(map(len, hobbies))} hobbies, {total * SHOTS} photos"


async def _complete_profile(stage: Stage, number: int, hobbies: Sequence[Hobby]) -> Member:
    session, person = stage.sessions[number], PEOPLE[number]
    await members.describe(session, person)
    await members.choose(session, hobbies)
    for picture in await members.photographs(number):
        photo = await members.upload(session, picture)
        expect(f"a face on a photo of member {number + 1}", True, photo.has_face)
        expect(f"the quality of a photo of member {number + 1}", True, photo.quality_passed)
    return Member(person, number, session, hobbies)


async def missing_after(stage: Stage, note: Note) -> None:
    """PR-06: no member misses anything; the owner of photos can see them (PR-04), and has each picture once (PR-08)."""
    for member in stage.members:
        calls, gateway = member.session.call, stage.gateway
        onboarding = await calls(gateway.profiles.GetOnboarding, GetOnboardingRequest())
        expect("what is missing", [], list(onboarding.missing))
        expect("discovery_ready", True, onboarding.discovery_ready)
        account = (await calls(gateway.accounts.GetAccount, GetAccountRequest())).account
        expect("the trust level", TRUSTED, account.trust_level)
    photos = await stage.one.session.call(stage.gateway.profiles.ListPhotos, ListPhotosRequest())
    expect("the positions of the photos", list(range(1, SHOTS + 1)), [photo.position for photo in photos.photos])
    repeated = (await members.photographs(stage.one.number))[0]
    await refused(members.upload(stage.one.session, repeated), "PHOTO_REPEATED")
    await stage.clock.wait_until_idle()
    note.detail = f"all {len(stage.members)} may enter Discovery, at trust level {TRUSTED}"
