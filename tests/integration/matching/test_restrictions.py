"""SA-06, SA-08: a restricted member does not see it, and the interests that they send never match."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from itertools import combinations, permutations

import pytest
from unora.common.v1.types_pb2 import SERVER_TYPE_FRIEND, SERVER_TYPE_GROWTH
from unora.matching.v1.events_pb2 import (
    END_CAUSE_SUSPENSION,
    INTEREST_CLOSURE_VOID,
    ConnectionEnded,
    InterestClosed,
    InventoryChanged,
)
from unora.matching.v1.matching_service_pb2 import CONNECTION_STATUS_ACTIVE, CONNECTION_STATUS_ENDED
from unora_testing.world import World

from tests.integration.matching.incoming_events import UseCases, restriction_changed
from tests.integration.matching.people import People
from tests.integration.matching.test_rush import assert_sound, attempt
from tests.support import race


@pytest.mark.rule("SA-08", "SA-03", "MA-11")
async def test_a_restricted_member_sees_no_difference_and_their_interests_never_match(
    world: World, people: People
) -> None:
    member, partner, admired, other = await people.members("pro", "pro", "pro", "pro")
    connection = await people.connect(member, partner)
    interest = (await people.wish(member, admired)).interest
    await people.wish(other, member)
    shown = await people.all_that_is_shown(member)
    await world.publish(restriction_changed(member, 1, await world.now(), restricted=True))
    assert await people.all_that_is_shown(member) == shown
    assert await people.statuses(member) == ["matched", "void"]
    (closed,) = await world.events(InterestClosed, interest.interest_id)
    assert closed.closure == INTEREST_CLOSURE_VOID
    assert not (await people.wish(admired, member)).HasField("connection")
    assert not (await people.wish(member, other)).HasField("connection")
    assert await people.statuses(member) == ["matched", "void", "void"]
    assert await people.statuses(other) == await people.statuses(admired) == ["pending"]
    assert (await people.connection(member, connection.connection_id)).status == CONNECTION_STATUS_ACTIVE
    assert len(await world.events(InventoryChanged, member.id)) == 1  # the one for the connection


@pytest.mark.rule("SA-08")
async def test_void_interests_stay_void_after_the_restriction_and_new_ones_match(world: World, people: People) -> None:
    member, admired = await people.members("pro", "pro")
    await people.wish(member, admired, SERVER_TYPE_FRIEND)
    await world.publish(restriction_changed(member, 1, await world.now(), restricted=True))
    await people.wish(member, admired, SERVER_TYPE_GROWTH)
    await world.publish(restriction_changed(member, 2, await world.now(), restricted=False))
    assert await people.statuses(member) == ["void", "void"]
    for server in (SERVER_TYPE_FRIEND, SERVER_TYPE_GROWTH):
        assert not (await people.wish(admired, member, server)).HasField("connection")
    await people.withdraw(member, (await people.sent(member))[0].interest_id)
    assert (await people.wish(member, admired, SERVER_TYPE_GROWTH)).HasField("connection")


@pytest.mark.rule("SA-06")
async def test_a_suspension_ends_all_connections_of_the_member_and_no_others(world: World, people: People) -> None:
    member, *partners = await people.members("pro", "free", "plus", "free")
    admired = await people.member()
    formed = [(await people.connect(member, partner)).connection_id for partner in partners]
    apart = await people.connect(partners[1], admired)
    await people.wish(member, await people.member())
    await world.publish(restriction_changed(member, 1, await world.now(), suspended=True))
    for connection_id, partner in zip(formed, partners, strict=True):
        (event,) = await world.events(ConnectionEnded, connection_id)
        assert (event.ended_by_id, event.cause) == (member.id, END_CAUSE_SUSPENSION)
        assert (await people.connection(partner, connection_id)).status == CONNECTION_STATUS_ENDED
    assert await people.stored_endings(member, *partners) == [(member.id, "suspension")] * 3
    assert (await people.connection(admired, apart.connection_id)).status == CONNECTION_STATUS_ACTIVE
    assert await people.statuses(member) == ["matched"] * 3 + ["void"]
    last = (await world.events(InventoryChanged, member.id))[-1]
    assert (last.active_connection_count, last.version) == (0, 4)  # three slots taken, then all freed at once
    await assert_sound(people, [member, *partners, admired])


@pytest.mark.rule("SA-06", "MA-03")
async def test_a_suspended_member_matches_with_no_other(world: World, people: People) -> None:
    member, admirer = await people.members("pro", "pro")
    await people.wish(member, admirer)
    await world.publish(restriction_changed(member, 1, await world.now(), suspended=True))
    assert not (await people.wish(admirer, member)).HasField("connection")
    await people.wish_directly(member, admirer, "friend")  # with a token that is still valid
    assert not (await people.wish(admirer, member, SERVER_TYPE_FRIEND)).HasField("connection")
    assert await people.statuses(member) == ["void", "void"]
    await world.publish(restriction_changed(member, 2, await world.now()))
    assert (await people.wish_directly(member, admirer, "growth")).connection is None
    assert (await people.wish(admirer, member, SERVER_TYPE_GROWTH)).HasField("connection")


@pytest.mark.rule("SA-08", "XX-02")
async def test_of_restrictions_out_of_order_the_newest_counts(world: World, people: People) -> None:
    member, admired = await people.members("pro", "pro")
    await people.wish(member, admired, SERVER_TYPE_FRIEND)
    start = await world.now()
    await world.publish(restriction_changed(member, 2, await world.now()))
    await people.wish(member, admired, SERVER_TYPE_GROWTH)
    await UseCases(people).restrict(restriction_changed(member, 1, start, restricted=True))
    # the member was restricted up to the second change: interests sent by then are void, later ones are not
    assert await people.statuses(member) == ["void", "pending"]
    assert (await people.wish(admired, member, SERVER_TYPE_GROWTH)).HasField("connection")
    for _ in range(2):
        await UseCases(people).restrict(restriction_changed(member, 1, start, suspended=True))
    assert len(await people.connections(member)) == 1


@pytest.mark.rule("SA-06", "SA-08", "MA-02")
@pytest.mark.parametrize("suspended", [False, True])
async def test_a_restriction_and_a_match_at_the_same_time(world: World, people: People, suspended: bool) -> None:
    outcomes = set()
    use_cases = UseCases(people)
    for turn in range(30):
        first, second = await people.members("free", "plus")
        await people.wish_directly(first, second)
        event = restriction_changed(first, 1, await world.now(), restricted=not suspended, suspended=suspended)
        work: list[Awaitable[object]] = [attempt(people, second, first, "partner"), use_cases.restrict(event)]
        formed = "CONNECTED" in await race(turn, work)
        outcomes.add(formed)
        assert await people.statuses(first) == ["matched" if formed else "void"]
        assert len(await people.connections(first)) == int(formed and not suspended)
        await assert_sound(people, [first, second])
    assert outcomes == {True, False}


@pytest.mark.rule("SA-06", "MA-09")
async def test_suspensions_and_an_ending_at_the_same_time(world: World, people: People) -> None:
    use_cases = UseCases(people)
    for _ in range(10):
        members = await people.members("pro", "pro", "pro")
        formed = [await people.connect(*pair) for pair in combinations(members, 2)]
        work: list[Awaitable[object]] = [
            use_cases.restrict(restriction_changed(member, 1, await world.now(), suspended=True)) for member in members
        ]
        work += [people.end_directly(members[0], formed[0].connection_id)]
        await asyncio.gather(*work)
        assert len(await world.events(ConnectionEnded, *(each.connection_id for each in formed))) == 3
        await assert_sound(people, members)


@pytest.mark.rule("XX-02")
async def test_a_repeated_suspension_ends_the_connection_once(world: World, people: People) -> None:
    member, partner = await people.members("free", "free")
    connection = await people.connect(member, partner)
    event = restriction_changed(member, 1, await world.now(), suspended=True)
    await asyncio.gather(*(UseCases(people).restrict(event) for _ in range(5)))
    assert len(await world.events(ConnectionEnded, connection.connection_id)) == 1
    for one, other in permutations((member, partner)):
        await people.wish_directly(one, other)
    await assert_sound(people, [member, partner])
