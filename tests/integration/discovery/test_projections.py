"""Discovery stores the newest state of each member, in any order of the events."""

from __future__ import annotations

import pytest
from unora.identity.v1.events_pb2 import DiscoveryProfileChanged
from unora_discovery.domain.pool import AgeBand, Gender, Hobby, Profile
from unora_discovery.store.pool import project_profiles
from unora_testing.places import PORTO
from unora_testing.world import World

from tests.integration.discovery.pool import Pool
from tests.integration.identity.people import People


@pytest.mark.rule("PR-06", "XX-02")
async def test_identity_publishes_and_is_asked_until_the_member_is_in_the_pool(
    world: World, pool: Pool, people: People
) -> None:
    signed = await people.sign_in()
    await people.update_profile(signed)
    await people.set_hobbies(signed)
    await world.drain()
    assert [row["discovery_ready"] for row in await pool.rows("candidates", signed.member.user)] in ([], [False])
    for shot in range(3):
        await people.add_photo(signed, shot)
    await world.drain()
    (known,) = await pool.rows("candidates", signed.member.user)
    events = await world.events(DiscoveryProfileChanged, signed.member.user)
    assert (known["discovery_ready"], known["trust_level"]) == (True, events[-1].trust_level)
    assert known["profile_version"] >= events[-1].version


def profile(user: object, version: int, city: str) -> Profile:
    return Profile(
        user_id=user,  # type: ignore[arg-type]
        version=version,
        discovery_ready=True,
        gender=Gender.MAN,
        age_band=AgeBand.FROM_60,
        city=city,
        place_id=PORTO,
        trust_level=1,
        hobbies=(Hobby("chess", "Chess", "slow"), Hobby("yoga", "Yoga", "slow too")),
    )


@pytest.mark.rule("XX-02")
async def test_a_profile_that_is_not_newer_is_ignored(world: World, pool: Pool) -> None:
    member = world.caller()
    database = world.apps["discovery"].database
    for version, city in ((4, "Porto"), (3, "Faro"), (4, "Braga"), (7, "Evora"), (5, "Beja")):
        async with database.transaction() as tx:
            await project_profiles(tx, [profile(member.user, version, city)])
    (known,) = await pool.rows("candidates", member.user)
    assert (known["profile_version"], known["city"]) == (7, "Evora")


@pytest.mark.rule("XX-02", "DI-06")
async def test_an_inventory_that_is_not_newer_is_ignored_and_the_profile_stays(pool: Pool) -> None:
    member = await pool.member()
    await pool.inventory(member, 5, count=2, limit=4)
    await pool.inventory(member, 3, count=1, limit=2)
    (known,) = await pool.rows("candidates", member.user)
    assert (known["active_connection_count"], known["connection_limit"]) == (2, 4)
    assert (known["discovery_ready"], known["profile_version"]) == (True, 1)


@pytest.mark.rule("XX-02", "DI-06")
async def test_slots_may_come_before_the_profile(world: World, pool: Pool) -> None:
    member = world.caller()
    await pool.inventory(member, 1, count=1)
    (known,) = await pool.rows("candidates", member.user)
    assert (known["discovery_ready"], known["active_connection_count"]) == (False, 1)
    async with world.apps["discovery"].database.transaction() as tx:
        await project_profiles(tx, [profile(member.user, 1, "Porto")])
    (known,) = await pool.rows("candidates", member.user)
    assert (known["discovery_ready"], known["active_connection_count"]) == (True, 1)
