"""Servers, and joining them."""

from __future__ import annotations

import asyncio

import pytest
from unora.discovery.v1.discovery_service_pb2 import ListServersRequest
from unora.discovery.v1.events_pb2 import ServerJoined
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import FRIEND, GROWTH, PARTNER, Pool
from tests.integration.identity.people import People
from tests.support import refusal, request_id


async def joined(pool: Pool, who: Caller) -> dict[int, bool]:
    answer = await pool.discovery.ListServers(ListServersRequest(), metadata=who.metadata)
    assert all(server.name and server.description for server in answer.servers)
    return {server.server_type: server.joined for server in answer.servers}


@pytest.mark.rule("DI-01")
async def test_there_are_three_servers_and_a_member_joins_each(world: World, pool: Pool) -> None:
    who = await pool.member(servers=())
    assert await joined(pool, who) == {PARTNER: False, FRIEND: False, GROWTH: False}
    answer = await pool.join(who, GROWTH)
    assert answer.server.joined
    assert answer.server.server_type == GROWTH
    assert await joined(pool, who) == {PARTNER: False, FRIEND: False, GROWTH: True}
    (event,) = await world.events(ServerJoined, who.user)
    assert (event.version, event.server_type) == (1, GROWTH)


@pytest.mark.rule("DI-01")
async def test_joining_again_changes_nothing(world: World, pool: Pool) -> None:
    who = await pool.member(servers=())
    first = await pool.join(who)
    before = await pool.kept(who)
    assert await pool.join(who) == first
    assert await pool.kept(who) == before
    assert len(await world.events(ServerJoined, who.user)) == 1


@pytest.mark.rule("DI-01", "BI-08")
async def test_many_joins_at_once_are_one(world: World, pool: Pool) -> None:
    who = await pool.member(servers=())
    repeated = request_id()
    answers = await asyncio.gather(
        *(pool.join(who) for _ in range(8)), *(pool.join(who, request=repeated) for _ in range(8))
    )
    assert all(answer.server.joined for answer in answers)
    assert [event.version for event in await world.events(ServerJoined, who.user)] == [1]


@pytest.mark.rule("DI-01")
async def test_joins_of_three_servers_at_once_count_their_versions(world: World, pool: Pool) -> None:
    who = await pool.member(servers=())
    await asyncio.gather(*(pool.join(who, server) for server in (PARTNER, FRIEND, GROWTH)))
    assert sorted(event.version for event in await world.events(ServerJoined, who.user)) == [1, 2, 3]


@pytest.mark.rule("PR-06")
async def test_who_is_not_ready_cannot_join_and_leaves_no_trace(pool: Pool, people: People) -> None:
    stranger = (await people.sign_in()).member
    refused = await refusal(pool.join(stranger))
    assert (refused.code, refused.reason, refused.domain) == (
        "FAILED_PRECONDITION",
        "NOT_DISCOVERY_READY",
        "unora.discovery",
    )
    assert not any((await pool.kept(stranger)).values())


@pytest.mark.rule("PR-06", "PR-05")
async def test_who_has_just_become_ready_is_not_refused_because_the_event_is_on_its_way(
    world: World, pool: Pool, people: People
) -> None:
    """Nothing steps the relays here: only identity itself can know."""
    who = (await people.ready()).member
    assert await pool.rows("candidates", who.user) == []
    assert (await pool.join(who)).server.joined
    (known,) = await pool.rows("candidates", who.user)
    assert (known["discovery_ready"], known["city"], known["gender"]) == (True, "London", "woman")
    assert known["hobby_option_ids"] == ["chess", "hiking"]
    await world.drain()
    assert await pool.rows("candidates", who.user) == [known]


@pytest.mark.rule("PR-06")
async def test_who_was_known_as_not_ready_joins_as_soon_as_ready(world: World, pool: Pool, people: People) -> None:
    signed = await people.sign_in()
    await people.tell(signed)
    await people.choose(signed)
    await world.drain()
    assert (await refusal(pool.join(signed.member))).reason == "NOT_DISCOVERY_READY"
    for shot in range(3):
        await people.add_photo(signed, shot)
    assert (await pool.join(signed.member)).server.joined


@pytest.mark.rule("DI-01")
@pytest.mark.parametrize("server", [0, 4, -1])
async def test_there_is_no_other_server(pool: Pool, server: int) -> None:
    who = await pool.member(servers=())
    calls = (pool.join, pool.refresh, pool.screen)
    for call in calls:
        refused = await refusal(call(who, server))  # type: ignore[arg-type]
        assert refused.code == "INVALID_ARGUMENT"
        assert list(refused.violations) == ["server_type"]
