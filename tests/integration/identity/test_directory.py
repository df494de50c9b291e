"""DI-08, RE-06, ST-03, XX-01: other contexts learn of a member only what each of them needs."""

from __future__ import annotations

import hashlib

import pytest
from google.type.date_pb2 import Date
from unora.common.v1.types_pb2 import AGE_BAND_30_34, AGE_BAND_35_39
from unora.identity.v1.directory_service_pb2 import (
    DirectoryHobby,
    DiscoveryProfile,
    GetDiscoveryProfileRequest,
    GetRevealFactsRequest,
    GetTimeZonesRequest,
)
from unora.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from unora.identity.v1.events_pb2 import DiscoveryProfileChanged
from unora.identity.v1.profile_service_pb2 import GENDER_WOMAN, Profile
from unora_common.ids import uuid7
from unora_testing.places import LONDON, PARIS
from unora_testing.world import World

from tests.integration.identity.people import ADA, HOBBIES, People
from tests.support import refusal

ON_CARDS = [
    DirectoryHobby(hobby_option_id="chess", name="Chess", micro_description=HOBBIES[0].micro_description),
    DirectoryHobby(hobby_option_id="hiking", name="Hiking", micro_description=HOBBIES[1].micro_description),
]


async def profile_of(world: World, user: str) -> DiscoveryProfile:
    directory = world.stub(DirectoryServiceStub, "identity", "discovery")
    return (await directory.GetDiscoveryProfile(GetDiscoveryProfileRequest(user_id=user))).profile


@pytest.mark.rule("DI-08", "PR-06")
async def test_discovery_learns_what_a_card_may_show(world: World, people: People) -> None:
    signed = await people.ready()
    profile = await profile_of(world, signed.member.id)
    (changed,) = await world.events(DiscoveryProfileChanged, signed.member.id)
    year = (await world.now()).year
    assert profile == DiscoveryProfile(
        user_id=signed.member.id,
        version=changed.version,
        discovery_ready=True,
        gender=GENDER_WOMAN,
        age_band=AGE_BAND_35_39 if year < 2030 else profile.age_band,
        city="London",
        place_id=LONDON,
        trust_level=3,
        hobbies=ON_CARDS,
        texts_version=profile.texts_version,
    )
    assert ADA.name not in str(profile)

    young = Profile(date_of_birth=Date(year=year - 32, month=1, day=1))
    await people.update_profile(signed, young, "date_of_birth")
    later = await profile_of(world, signed.member.id)
    # Its texts were judged anew too, which is an event of its own.
    assert (later.age_band, later.version) == (AGE_BAND_30_34, profile.version + 2)
    assert profile.texts_version < later.texts_version <= later.version


@pytest.mark.rule("DI-08")
async def test_discovery_learns_nothing_of_a_member_who_is_not_ready_or_unknown(world: World, people: People) -> None:
    signed, unknown = await people.sign_in(), str(uuid7())
    await people.update_profile(signed)
    assert await profile_of(world, signed.member.id) == DiscoveryProfile(
        user_id=signed.member.id,
        version=2,
        trust_level=1,
        texts_version=0,
        missing=["photos", "face_photo", "hobbies"],  # for the member alone
    )
    assert await profile_of(world, unknown) == DiscoveryProfile(user_id=unknown)


@pytest.mark.rule("ST-03")
async def test_streak_learns_the_time_zones_in_profiles(world: World, people: People) -> None:
    named, unnamed = await people.sign_in(), await people.sign_in()
    await people.update_profile(named)
    asked = GetTimeZonesRequest(user_ids=[named.member.id, unnamed.member.id, str(uuid7())])
    zones = (await world.stub(DirectoryServiceStub, "identity", "streak").GetTimeZones(asked)).time_zones
    assert dict(zones) == {named.member.id: "Europe/London"}


@pytest.mark.rule("RE-04", "RE-06")
async def test_reveal_learns_texts_and_can_recognise_a_name_without_knowing_it(world: World, people: People) -> None:
    directory = world.stub(DirectoryServiceStub, "identity", "reveal")
    signed = await people.ready()
    asked = GetRevealFactsRequest(user_id=signed.member.id)
    facts, again = await directory.GetRevealFacts(asked), await directory.GetRevealFacts(asked)
    assert (facts.bio, facts.city, list(facts.hobbies)) == (ADA.bio, ADA.city, ON_CARDS)
    expected = {hashlib.sha256(facts.name_salt + word).digest() for word in (b"ada", b"quixley")}
    assert set(facts.name_digests) == expected
    assert facts.name_salt != again.name_salt
    for answer in (facts, again):
        assert b"quixley" not in answer.SerializeToString().lower()
        assert b"photos/" not in answer.SerializeToString()
    refused = await refusal(directory.GetRevealFacts(GetRevealFactsRequest(user_id=str(uuid7()))))
    assert (refused.code, refused.reason) == ("NOT_FOUND", "USER_NOT_FOUND")


@pytest.mark.rule("XX-01")
async def test_no_event_contains_what_a_member_wrote(world: World, people: People) -> None:
    number = people.number()
    signed = await people.sign_in(number)
    await people.update_profile(
        signed, Profile(name="Zephyrine", bio="canary bio", place_id=PARIS), "name", "bio", "place_id"
    )
    await people.set_hobbies(signed)
    await people.add_photo(signed)
    payloads = b"".join(
        row["payload"]
        for row in await world.superuser.fetch(
            "SELECT payload FROM identity.outbox WHERE aggregate_id = $1", signed.member.user
        )
    )
    for canary in (number, number[3:], "Zephyrine", "canary", "Paris", PARIS, "slow kind", "photos/"):
        assert canary.encode() not in payloads
