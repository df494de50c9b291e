"""PR-01, PR-05, PR-06, ID-08: the profile and hobbies of a member, and the missing steps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.identity.v1.events_pb2 import DiscoveryProfileChanged
from unora.identity.v1.profile_service_pb2 import (
    GENDER_MAN,
    ONBOARDING_STEP_FACE_PHOTO,
    ONBOARDING_STEP_HOBBIES,
    ONBOARDING_STEP_PHOTOS,
    ONBOARDING_STEP_PROFILE,
    GetOnboardingRequest,
    GetProfileRequest,
    Hobby,
    ListHobbyOptionsRequest,
    Profile,
    SetHobbiesRequest,
    UpdateProfileRequest,
)
from unora_testing.places import PARIS
from unora_testing.world import World

from tests.integration.identity.people import ADA, HOBBIES, People, Signed, born
from tests.roles import role_of
from tests.support import refusal, request_id


async def profile_of(people: People, signed: Signed) -> Profile:
    return (await people.profiles.GetProfile(GetProfileRequest(), metadata=signed.metadata)).profile


async def missing(people: People, signed: Signed) -> list[int]:
    answer = await people.profiles.GetOnboarding(GetOnboardingRequest(), metadata=signed.metadata)
    assert answer.discovery_ready == (not answer.missing)
    return list(answer.missing)


@pytest.mark.rule("PR-01")
async def test_a_profile_is_filled_field_by_field(people: People) -> None:
    signed = await people.sign_in()
    assert await profile_of(people, signed) == Profile()
    await people.update_profile(signed, Profile(name="  Ada ", place_id=PARIS, gender=GENDER_MAN), "name", "gender")
    assert await profile_of(people, signed) == Profile(name="Ada", gender=GENDER_MAN)
    await people.update_profile(signed, ADA)
    assert await profile_of(people, signed) == ADA
    await people.update_profile(signed, Profile(), "bio", "date_of_birth")
    assert (await profile_of(people, signed)).bio == ""
    assert not (await profile_of(people, signed)).HasField("date_of_birth")


@pytest.mark.rule("PR-01")
@pytest.mark.parametrize(
    ("profile", "paths", "field"),
    [
        (ADA, [], "update_mask"),
        (ADA, ["name", "phone_number"], "update_mask"),
        (ADA, ["*", "name"], "update_mask"),
        (Profile(date_of_birth=Date(year=1990)), ["date_of_birth"], "profile.date_of_birth"),
        (Profile(date_of_birth=Date(year=1990, month=2, day=30)), ["date_of_birth"], "profile.date_of_birth"),
        (Profile(date_of_birth=Date(year=1850, month=2, day=3)), ["date_of_birth"], "profile.date_of_birth"),
        (Profile(time_zone="Mars/Olympus"), ["time_zone"], "profile.time_zone"),
        (Profile(time_zone="localtime"), ["time_zone"], "profile.time_zone"),
        (Profile(name="\u200b"), ["name"], "profile.name"),
        (Profile(name="x" * 61), ["name"], "profile.name"),
    ],
)
async def test_invalid_fields_are_refused_by_name(
    people: People, profile: Profile, paths: list[str], field: str
) -> None:
    signed = await people.sign_in()
    request = UpdateProfileRequest(request_id=request_id(), profile=profile, update_mask=FieldMask(paths=paths))
    refused = await refusal(people.profiles.UpdateProfile(request, metadata=signed.metadata))
    assert refused.code == "INVALID_ARGUMENT"
    assert list(refused.violations) == [field]
    assert await profile_of(people, signed) == Profile()


@pytest.mark.rule("ID-08", "PR-06")
async def test_eighteen_is_reached_at_midnight_where_the_member_lives(world: World, people: People) -> None:
    signed, zone = await people.sign_in(), ZoneInfo("Pacific/Kiritimati")
    today = (await world.now()).astimezone(zone).date().replace(day=15)
    child = born(today.replace(year=today.year - 18) + timedelta(days=40))
    child.time_zone = zone.key
    refused = await refusal(people.update_profile(signed, child))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "UNDER_AGE")
    # Nor field by field.
    await people.update_profile(signed, child, "name", "place_id", "gender", "time_zone")
    assert (await refusal(people.update_profile(signed, child, "date_of_birth"))).reason == "UNDER_AGE"
    assert ONBOARDING_STEP_PROFILE in await missing(people, signed)

    birthday = child.date_of_birth
    midnight = (
        (await world.now())
        .astimezone(zone)
        .replace(
            year=birthday.year + 18, month=birthday.month, day=birthday.day, hour=0, minute=0, second=0, microsecond=0
        )
    )
    await world.move_clock(midnight - timedelta(minutes=10))
    assert (await refusal(people.update_profile(signed, child, "date_of_birth"))).reason == "UNDER_AGE"
    await world.move_clock(midnight)
    await people.update_profile(signed, child, "date_of_birth")
    assert ONBOARDING_STEP_PROFILE not in await missing(people, signed)


@pytest.mark.rule("BI-08")
async def test_a_repeat_changes_nothing_and_another_request_is_refused(people: People) -> None:
    signed, call = await people.sign_in(), request_id()
    mask = FieldMask(paths=["name"])
    first = UpdateProfileRequest(request_id=call, profile=Profile(name="Ada"), update_mask=mask)
    other = UpdateProfileRequest(request_id=call, profile=Profile(name="Eve"), update_mask=mask)
    answer = await people.profiles.UpdateProfile(first, metadata=signed.metadata)
    await people.update_profile(signed, Profile(name="Grace"), "name")
    assert await people.profiles.UpdateProfile(first, metadata=signed.metadata) == answer
    refused = await refusal(people.profiles.UpdateProfile(other, metadata=signed.metadata))
    assert refused.reason == "REQUEST_ID_REUSED"
    assert (await profile_of(people, signed)).name == "Grace"


@pytest.mark.rule("PR-05")
async def test_hobbies_are_chosen_from_the_options_with_own_words(people: People) -> None:
    signed = await people.sign_in()
    answer = await people.profiles.ListHobbyOptions(ListHobbyOptionsRequest(), metadata=signed.metadata)
    names = [option.name for option in answer.hobby_options]
    assert names == sorted(names)
    assert len(names) >= 40
    assert len({option.category for option in answer.hobby_options}) == 8

    async def set_hobbies(*hobbies: Hobby) -> Any:
        request = SetHobbiesRequest(request_id=request_id(), hobbies=hobbies)
        return await people.profiles.SetHobbies(request, metadata=signed.metadata)

    assert list((await set_hobbies(*HOBBIES)).hobbies) == list(HOBBIES)
    assert list((await set_hobbies(HOBBIES[1])).hobbies) == [HOBBIES[1]]
    unknown = await refusal(set_hobbies(Hobby(hobby_option_id="alchemy", micro_description="on sundays")))
    assert (unknown.code, unknown.reason) == ("INVALID_ARGUMENT", "HOBBY_UNKNOWN")
    assert (await refusal(set_hobbies(HOBBIES[0], HOBBIES[0]))).reason == "HOBBY_TWICE"
    (row,) = await people.rows("hobbies", user_id=signed.member.user)
    assert (row["hobby_option_id"], row["position"]) == ("hiking", 1)


@pytest.mark.rule("PR-05")
async def test_the_database_holds_the_options_and_that_each_is_chosen_once(world: World, people: People) -> None:
    signed = await people.sign_in()
    await people.set_hobbies(signed)
    async with role_of(world, "identity") as connection:
        insert = """
            INSERT INTO identity.hobbies (user_id, hobby_option_id, position, micro_description)
            VALUES ($1, $2, $3, $4)"""
        for option, position, words, kind in (
            ("alchemy", 3, "on sundays", asyncpg.ForeignKeyViolationError),
            ("chess", 3, "on sundays", asyncpg.UniqueViolationError),
            ("coffee", 1, "on sundays", asyncpg.UniqueViolationError),
            ("coffee", 11, "on sundays", asyncpg.CheckViolationError),
            ("coffee", 3, "no", asyncpg.CheckViolationError),
        ):
            with pytest.raises(kind):
                await connection.execute(insert, signed.member.user, option, position, words)


@pytest.mark.rule("PR-06")
async def test_missing_steps_are_returned_until_none_is_left(world: World, people: People) -> None:
    signed = await people.sign_in()
    steps = [ONBOARDING_STEP_PROFILE, ONBOARDING_STEP_PHOTOS, ONBOARDING_STEP_FACE_PHOTO, ONBOARDING_STEP_HOBBIES]
    assert await missing(people, signed) == steps
    await people.update_profile(signed)
    assert await missing(people, signed) == steps[1:]
    await people.add_photo(signed)
    assert await missing(people, signed) == [ONBOARDING_STEP_PHOTOS, ONBOARDING_STEP_HOBBIES]
    await people.set_hobbies(signed)
    for shot in (1, 2):
        assert await missing(people, signed) == [ONBOARDING_STEP_PHOTOS]
        await people.add_photo(signed, shot)
    assert await missing(people, signed) == []
    account = (await people.accounts.GetAccount(GetAccountRequest(), metadata=signed.metadata)).account
    assert (account.discovery_ready, account.trust_level) == (True, 3)
    # Published once, when the card changed; it was empty before.
    (changed,) = await world.events(DiscoveryProfileChanged, signed.member.id)
    assert (changed.discovery_ready, changed.trust_level) == (True, 3)


@pytest.mark.rule("PR-02", "PR-06")
async def test_a_ready_member_stays_ready(world: World, people: People) -> None:
    signed = await people.ready()
    request = SetHobbiesRequest(request_id=request_id(), hobbies=HOBBIES[:1])
    refused = await refusal(people.profiles.SetHobbies(request, metadata=signed.metadata))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "TOO_FEW_HOBBIES")
    assert (await refusal(people.update_profile(signed, Profile(), "place_id"))).reason == "PROFILE_INCOMPLETE"
    assert await missing(people, signed) == []

    before = len(await world.events(DiscoveryProfileChanged, signed.member.id))
    await people.update_profile(signed, Profile(bio="not on the card", occupation="neither"), "bio", "occupation")
    await people.update_profile(signed, Profile(name="Grace"), "name")
    assert len(await world.events(DiscoveryProfileChanged, signed.member.id)) == before
    await people.update_profile(signed, Profile(place_id=PARIS), "place_id")
    await people.set_hobbies(signed, HOBBIES[1], HOBBIES[0])
    assert len(await world.events(DiscoveryProfileChanged, signed.member.id)) == before + 2
