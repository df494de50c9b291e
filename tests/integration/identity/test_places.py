"""PR-11: members choose a city from a list of places, and write none."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from unora.identity.v1.directory_service_pb2 import (
    DiscoveryProfile,
    GetDiscoveryProfileRequest,
    GetRevealFactsRequest,
)
from unora.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from unora.identity.v1.events_pb2 import DiscoveryProfileChanged
from unora.identity.v1.place_service_pb2 import Place, SearchPlacesRequest
from unora.identity.v1.profile_service_pb2 import (
    GetOnboardingRequest,
    GetOnboardingResponse,
    GetProfileRequest,
    Profile,
)
from unora_identity.domain.places import place_meant
from unora_identity.jobs import profiles
from unora_identity.jobs.profiles import PlaceJobs
from unora_identity.providers.places import Places
from unora_identity.use_cases import written_cities
from unora_testing.places import BERLIN, FRANKFURT_MAIN, FRANKFURT_ODER, LONDON, PARIS
from unora_testing.world import World

from tests.integration.identity.people import ADA, People, Signed
from tests.roles import refused as refused_by_the_database
from tests.roles import undone
from tests.support import refusal

pytestmark = pytest.mark.rule("PR-11")


async def search(people: People, signed: Signed, query: str, country: str = "", limit: int = 0) -> list[Place]:
    asked = SearchPlacesRequest(query=query, country=country or None, limit=limit)
    return list((await people.places.SearchPlaces(asked, metadata=signed.metadata)).places)


async def profile_of(people: People, signed: Signed) -> Profile:
    return (await people.profiles.GetProfile(GetProfileRequest(), metadata=signed.metadata)).profile


async def onboarding(people: People, signed: Signed) -> GetOnboardingResponse:
    return await people.profiles.GetOnboarding(GetOnboardingRequest(), metadata=signed.metadata)


async def card_of(world: World, signed: Signed) -> DiscoveryProfile:
    """What discovery is told of the member."""
    directory = world.stub(DirectoryServiceStub, "identity", "discovery")
    return (await directory.GetDiscoveryProfile(GetDiscoveryProfileRequest(user_id=signed.member.id))).profile


async def write_city(world: World, signed: Signed, city: str, zone: str = "Europe/Berlin") -> None:
    """As the version before wrote it: it does not know the columns of a place."""
    await world.superuser.execute(
        "UPDATE identity.profiles SET city = $2, time_zone = $3 WHERE user_id = $1", signed.member.user, city, zone
    )


async def run_jobs(world: World) -> int:
    places, done = PlaceJobs(world.apps["identity"].runtime), 0
    while step := await places.place_written_cities():
        done += step
    return done


async def test_places_are_searched_by_the_beginning_of_a_name(people: People) -> None:
    signed = await people.sign_in()
    assert (await search(people, signed, "Мюнх"))[0] == Place(
        place_id="2867714", name="Munich", country="DE", time_zone="Europe/Berlin"
    )
    assert (await search(people, signed, "london", "CA"))[0].country == "CA"
    assert len(await search(people, signed, "s")) == 10
    assert len(await search(people, signed, "s", limit=20)) == 20
    springfields = await search(people, signed, "Springfield", "US", 3)
    assert len({place.region for place in springfields}) == 3
    assert await search(people, signed, "xqzw") == []


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (SearchPlacesRequest(), "query"),
        (SearchPlacesRequest(query="x" * 81), "query"),
        (SearchPlacesRequest(query="x", country="de"), "country"),
        (SearchPlacesRequest(query="x", country="DEU"), "country"),
        (SearchPlacesRequest(query="x", country=""), "country"),
        (SearchPlacesRequest(query="x", limit=21), "limit"),
        (SearchPlacesRequest(query="x", limit=-1), "limit"),
        (SearchPlacesRequest(query="\u200b-"), "query"),
    ],
)
async def test_a_search_out_of_bounds_is_refused(people: People, asked: SearchPlacesRequest, field: str) -> None:
    signed = await people.sign_in()
    refused = await refusal(people.places.SearchPlaces(asked, metadata=signed.metadata))
    assert (refused.code, list(refused.violations)) == ("INVALID_ARGUMENT", [field])


async def test_a_place_gives_the_profile_its_city_and_country(world: World, people: People) -> None:
    signed = await people.ready()
    changed = await people.update_profile(signed, Profile(place_id=PARIS), "place_id")
    assert (changed.place_id, changed.city, changed.country) == (PARIS, "Paris", "FR")
    card = await card_of(world, signed)
    assert (card.city, card.place_id) == ("Paris", PARIS)
    # All fields at once: city and country of the request are answers, and ignored.
    told = Profile()
    told.CopyFrom(changed)
    told.city, told.country, told.bio = "call 0151 2345678", "XX", "new"
    again = await people.update_profile(signed, told)
    assert (again.city, again.country, again.bio) == ("Paris", "FR", "new")


@pytest.mark.parametrize(
    ("profile", "mask", "reason", "field"),
    [
        (Profile(city="call 0151 2345678"), ["city"], "CITY_NOT_CHOSEN", "update_mask"),
        (Profile(city="Paris", place_id=PARIS), ["place_id", "city"], "CITY_NOT_CHOSEN", "update_mask"),
        (Profile(), ["city"], "CITY_NOT_CHOSEN", "update_mask"),
        (Profile(country="FR"), ["country"], "CITY_NOT_CHOSEN", "update_mask"),
        (Profile(place_id="1"), ["place_id"], "PLACE_UNKNOWN", "profile.place_id"),
        (Profile(place_id="Paris"), ["place_id"], "PLACE_UNKNOWN", "profile.place_id"),
    ],
)
async def test_a_city_cannot_be_written(
    people: People, profile: Profile, mask: list[str], reason: str, field: str
) -> None:
    signed = await people.sign_in()
    await people.update_profile(signed)
    refused = await refusal(people.update_profile(signed, profile, *mask))
    assert (refused.code, refused.reason, list(refused.violations)) == ("INVALID_ARGUMENT", reason, [field])
    assert await profile_of(people, signed) == ADA


async def test_a_written_city_that_is_certain_becomes_its_place(world: World, people: People) -> None:
    signed = await people.ready()
    await write_city(world, signed, "berlin ")
    assert (await card_of(world, signed)).city == ""
    before = await world.events(DiscoveryProfileChanged, signed.member.id)
    await run_jobs(world)
    told = await profile_of(people, signed)
    assert (told.place_id, told.city, told.country) == (BERLIN, "Berlin", "DE")
    assert not (await onboarding(people, signed)).city_to_choose
    card, events = await card_of(world, signed), await world.events(DiscoveryProfileChanged, signed.member.id)
    assert (card.city, card.place_id, card.discovery_ready) == ("Berlin", BERLIN, True)
    assert [event.version for event in events[len(before) :]] == [card.version]
    assert await people.rows("written_cities", user_id=signed.member.user) == []
    await world.drain()
    sql = "SELECT city || ' ' || place_id FROM discovery.candidates WHERE user_id = $1"
    assert await world.superuser.fetchval(sql, signed.member.user) == f"Berlin {BERLIN}"


@pytest.mark.rule("PR-06")
async def test_one_that_is_not_certain_is_asked_again_shown_to_nobody_and_costs_no_readiness(
    world: World, people: People
) -> None:
    signed = await people.ready()
    await write_city(world, signed, "Frankfurt")
    await run_jobs(world)
    asked = await onboarding(people, signed)
    assert (asked.discovery_ready, list(asked.missing), asked.city_to_choose) == (True, [], True)
    told, card = await profile_of(people, signed), await card_of(world, signed)
    assert (told.city, told.place_id, told.country) == ("", "", "")
    assert (card.discovery_ready, card.city, card.place_id) == (True, "", "")
    directory = world.stub(DirectoryServiceStub, "identity", "reveal")
    assert (await directory.GetRevealFacts(GetRevealFactsRequest(user_id=signed.member.id))).city == ""

    # Other changes, all fields at once among them, leave the member ready and the question open.
    told.bio = "new words"
    await people.update_profile(signed, told)
    asked = await onboarding(people, signed)
    assert (asked.discovery_ready, asked.city_to_choose) == (True, True)

    await people.update_profile(signed, Profile(place_id=FRANKFURT_MAIN), "place_id")
    assert not (await onboarding(people, signed)).city_to_choose
    assert (await card_of(world, signed)).place_id == FRANKFURT_MAIN
    refused = await refusal(people.update_profile(signed, Profile(), "place_id"))
    assert (refused.reason, list(refused.violations)) == ("PROFILE_INCOMPLETE", ["profile.place_id"])


async def test_what_the_version_before_writes_over_a_place_is_shown_to_nobody(world: World, people: People) -> None:
    signed = await people.ready()
    await write_city(world, signed, "call 0151 2345678")
    told = await profile_of(people, signed)
    assert (told.city, told.place_id) == ("", "")
    await run_jobs(world)
    assert (await onboarding(people, signed)).city_to_choose
    await write_city(world, signed, "Berlin")  # sought again, since it is another city
    await run_jobs(world)
    assert (await profile_of(people, signed)).place_id == BERLIN


async def test_the_search_for_written_cities_goes_in_batches_and_a_run_that_dies_leaves_its_members_to_the_next(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run_jobs(world)
    several = [await people.sign_in() for _ in range(5)]
    for signed, city in zip(several, ("Berlin", "Frankfurt", "Hamburg", "nowhere at all", "Berlin"), strict=True):
        await write_city(world, signed, city)
    runtime = world.apps["identity"].runtime
    monkeypatch.setattr(profiles, "CITY_BATCH", 2)

    async def step() -> int:
        return await PlaceJobs(runtime).place_written_cities()

    async def left() -> int:
        users, version = [signed.member.user for signed in several], runtime.resources.places.version
        sql = "SELECT count(*) FROM identity.written_cities WHERE user_id = ANY ($1) AND sought_in <> $2"
        return int(await world.superuser.fetchval(sql, users, version))

    async def die(*_: object) -> None:
        raise ConnectionResetError("killed")

    assert (await step(), await left()) == (2, 3)
    with monkeypatch.context() as patch:
        patch.setattr(written_cities, "emit_member_events", die)
        with pytest.raises(ConnectionResetError):
            await step()
    assert await left() == 3
    assert [await step(), await step(), await step()] == [2, 1, 0]
    assert [(await profile_of(people, signed)).city for signed in several] == ["Berlin", "", "Hamburg", "", "Berlin"]


async def test_a_city_that_cannot_be_sought_holds_up_no_other(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run_jobs(world)
    several = [await people.sign_in() for _ in range(4)]
    for signed, city in zip(several, ("Berlin", "Hamburg", "Berlin", "Berlin"), strict=True):
        await write_city(world, signed, city)

    def fails_for_one(city: str, *rest: Any) -> Any:
        if city == "Hamburg":
            raise ValueError("this city cannot be sought")
        return place_meant(city, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(written_cities, "place_meant", fails_for_one)
        await run_jobs(world)
    places = [(await profile_of(people, signed)).place_id for signed in several]
    assert places == [BERLIN, "", BERLIN, BERLIN]
    assert await run_jobs(world) == 1


async def test_several_replicas_give_each_city_its_place_once(world: World, people: People) -> None:
    signed = await people.ready()
    await write_city(world, signed, "Berlin")
    before = len(await world.events(DiscoveryProfileChanged, signed.member.id))
    await asyncio.gather(*(run_jobs(world) for _ in range(6)))
    assert len(await world.events(DiscoveryProfileChanged, signed.member.id)) == before + 1
    assert (await profile_of(people, signed)).place_id == BERLIN


async def test_with_another_list_those_who_have_not_chosen_are_sought_once_more(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = await people.sign_in()
    await write_city(world, signed, "Frankfurt")
    await run_jobs(world)
    monkeypatch.setattr(Places, "version", property(lambda _: "another"))
    assert await run_jobs(world) >= 1
    (row,) = await people.rows("written_cities", user_id=signed.member.user)
    assert row["sought_in"] == "another"


async def test_a_place_that_a_later_list_lacks_stays_as_it_was_stored(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = await people.ready()
    monkeypatch.setattr(Places, "find", lambda *_: None)
    told = await people.update_profile(signed, Profile(place_id=LONDON, bio="new"), "place_id", "bio")
    assert (told.city, told.place_id, told.bio) == ("London", LONDON, "new")
    assert (await card_of(world, signed)).city == "London"


async def test_the_database_holds_that_a_place_is_whole(world: World, people: People) -> None:
    signed = await people.ready()
    async with undone(world, "identity") as role:
        for change in (
            "country = ''",
            "place_id = ''",
            "place_id = 'x'",
            "country = 'gb'",
            "city = '', place_id = '1'",
        ):
            sql = f"UPDATE identity.profiles SET {change} WHERE user_id = $1"
            assert await refused_by_the_database(role, sql, signed.member.user) == "ck_profiles_place"


async def test_two_cities_of_one_name_are_two_places(world: World, people: People) -> None:
    signed = await people.sign_in()
    named = {place.place_id: place.name for place in await search(people, signed, "Frankfurt", "DE")}
    assert {FRANKFURT_MAIN, FRANKFURT_ODER} <= named.keys()
