"""Servers, and joining them."""

from __future__ import annotations

import asyncio

import pytest
from unora.discovery.v1.discovery_service_pb2 import ListServersRequest
from unora.discovery.v1.events_pb2 import ServerJoined
from unora_testing.places import LONDON
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import FRIEND, GROWTH, PARTNER, Pool
from tests.integration.identity.people import People
from tests.support import refusal, request_id


async def joined(pool: Pool, member: Caller) -> dict[int, bool]:
    answer = await pool.discovery.ListServers(ListServersRequest(), metadata=member.metadata)
    assert all(server.name and server.description for server in answer.servers)
    return {server.server_type: server.joined for server in answer.servers}


@pytest.mark.rule("DI-01")
async def test_there_are_three_servers_and_a_member_joins_each(world: World, pool: Pool) -> None:
    member = await pool.member(servers=())
    assert await joined(pool, member) == {PARTNER: False, FRIEND: False, GROWTH: False}
    answer = await pool.join(member, GROWTH)
    assert answer.server.joined
    assert answer.server.server_type == GROWTH
    assert await joined(pool, member) == {PARTNER: False, FRIEND: False, GROWTH: True}
    (event,) = await world.events(ServerJoined, member.user)
    assert (event.version, event.server_type) == (1, GROWTH)


@pytest.mark.rule("DI-01")
async def test_joining_again_changes_nothing(world: World, pool: Pool) -> None:
    member = await pool.member(servers=())
    first = await pool.join(member)
    before = await pool.stored_rows(member)
    assert await pool.join(member) == first
    assert await pool.stored_rows(member) == before
    assert len(await world.events(ServerJoined, member.user)) == 1


@pytest.mark.rule("DI-01", "BI-08")
async def test_many_joins_at_once_are_one(world: World, pool: Pool) -> None:
    member = await pool.member(servers=())
    repeated = request_id()
    answers = await asyncio.gather(
        *(pool.join(member) for _ in range(8)), *(pool.join(member, request=repeated) for _ in range(8))
    )
    assert all(answer.server.joined for answer in answers)
    assert [event.version for event in await world.events(ServerJoined, member.user)] == [1]


@pytest.mark.rule("DI-01")
async def test_joins_of_three_servers_at_once_count_their_versions(world: World, pool: Pool) -> None:
    member = await pool.member(servers=())
    await asyncio.gather(*(pool.join(member, server) for server in (PARTNER, FRIEND, GROWTH)))
    assert sorted(event.version for event in await world.events(ServerJoined, member.user)) == [1, 2, 3]


@pytest.mark.rule("PR-06")
async def test_a_member_who_is_not_ready_cannot_join_and_leaves_no_rows(pool: Pool, people: People) -> None:
    stranger = (await people.sign_in()).member
    refused = await refusal(pool.join(stranger))
    assert (refused.code, refused.reason, refused.domain) == (
        "FAILED_PRECONDITION",
        "NOT_DISCOVERY_READY",
        "unora.discovery",
    )
    fields = ["profile.name", "profile.date_of_birth", "profile.gender", "profile.place_id", "profile.time_zone"]
    assert refused.metadata == {"missing": ",".join([*fields, "photos", "face_photo", "hobbies"])}
    assert not any((await pool.stored_rows(stranger)).values())


@pytest.mark.rule("PR-06", "PR-05")
async def test_a_member_who_has_just_become_ready_can_join_before_the_event_arrives(
    world: World, pool: Pool, people: People
) -> None:
    """Nothing steps the relays here, so only identity itself can know."""
    member = (await people.ready()).member
    assert await pool.rows("candidates", member.user) == []
    assert (await pool.join(member)).server.joined
    (known,) = await pool.rows("candidates", member.user)
    assert (known["discovery_ready"], known["city"], known["gender"]) == (True, "London", "woman")
    assert known["place_id"] == LONDON
    assert known["hobby_option_ids"] == ["chess", "hiking"]
    await world.drain()
    assert await pool.rows("candidates", member.user) == [known]


@pytest.mark.rule("PR-06")
async def test_a_member_known_as_not_ready_can_join_as_soon_as_they_are_ready(
    world: World, pool: Pool, people: People
) -> None:
    signed = await people.sign_in()
    await people.update_profile(signed)
    await people.set_hobbies(signed)
    await world.drain()
    refused = await refusal(pool.join(signed.member))
    assert (refused.reason, refused.metadata) == ("NOT_DISCOVERY_READY", {"missing": "photos,face_photo"})
    for shot in range(3):
        await people.add_photo(signed, shot)
    assert (await pool.join(signed.member)).server.joined


@pytest.mark.rule("DI-01")
@pytest.mark.parametrize("server", [0, 4, -1])
async def test_there_is_no_other_server(pool: Pool, server: int) -> None:
    member = await pool.member(servers=())
    calls = (pool.join, pool.refresh, pool.screen)
    for call in calls:
        refused = await refusal(call(member, server))  # type: ignore[arg-type]
        assert refused.code == "INVALID_ARGUMENT"
        assert list(refused.violations) == ["server_type"]
