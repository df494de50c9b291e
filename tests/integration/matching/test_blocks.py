"""MA-12: a block ends the pair's connection, voids its interests, and keeps the two apart until it is lifted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, timedelta
from itertools import permutations

import pytest
from unora.common.v1.types_pb2 import SERVER_TYPE_FRIEND, SERVER_TYPE_GROWTH
from unora.matching.v1.events_pb2 import (
    END_CAUSE_BLOCK,
    END_CAUSE_MEMBER,
    INTEREST_CLOSURE_VOID,
    ConnectionEnded,
    InterestClosed,
)
from unora.matching.v1.matching_service_pb2 import CONNECTION_STATUS_ENDED
from unora.safety.v1.events_pb2 import MemberBlocked, MemberUnblocked
from unora_common.ids import uuid7
from unora_testing.world import World

from tests.integration.matching.incoming_events import UseCases, member_blocked, member_unblocked
from tests.integration.matching.people import People
from tests.integration.matching.test_rush import assert_sound, attempt
from tests.support import race


@pytest.mark.rule("MA-12", "MA-09")
async def test_a_block_ends_the_connection_and_the_other_sees_one_neutral_ending(world: World, people: People) -> None:
    seen = set()
    for cause in (END_CAUSE_BLOCK, END_CAUSE_MEMBER):
        blocker, other = await people.members("free", "plus")
        connection = await people.connect(blocker, other)
        before = await world.now()
        if cause == END_CAUSE_BLOCK:
            await world.publish(member_blocked(blocker, other, before))
        else:
            await people.end(blocker, connection.connection_id)
        shown = await people.connection(other, connection.connection_id)
        assert await people.connections(other, show_ended=True) == [shown]
        assert before < shown.ended_at.ToDatetime(UTC) < await world.now()
        seen.add((tuple(field.name for field, _ in shown.ListFields()), shown.status, shown.partner_id == blocker.id))
        (event,) = await world.events(ConnectionEnded, connection.connection_id)
        assert (event.ended_by_id, event.cause, event.version) == (blocker.id, cause, 2)
        assert event.occurred_at == shown.ended_at
        for member in (blocker, other):
            assert (await people.inventory(member)).active_connection_count == 0
        await assert_sound(people, [blocker, other])
    assert len(seen) == 1
    assert CONNECTION_STATUS_ENDED in next(iter(seen))
    assert await people.stored_endings(blocker, other) == [(blocker.id, "not_a_fit")]


@pytest.mark.rule("MA-12", "MA-11", "XX-04")
async def test_it_voids_pending_interests_of_both_in_all_servers_and_no_member_sees_it(
    world: World, people: People
) -> None:
    blocker, other, third = await people.members("pro", "pro", "pro")
    void = [
        (await people.wish(blocker, other, SERVER_TYPE_FRIEND)).interest,
        (await people.wish(other, blocker, SERVER_TYPE_GROWTH)).interest,
    ]
    await people.wish(blocker, third)
    await people.wish(third, other)
    shown = [await people.all_that_is_shown(member) for member in (blocker, other, third)]
    await world.publish(member_blocked(blocker, other, await world.now()))
    assert [await people.all_that_is_shown(member) for member in (blocker, other, third)] == shown
    assert await people.statuses(blocker) == ["void", "pending"]
    assert await people.statuses(other) == ["void"]
    assert await people.statuses(third) == ["pending"]
    closed = await world.events(InterestClosed, *(interest.interest_id for interest in void))
    assert [event.closure for event in closed] == [INTEREST_CLOSURE_VOID] * 2


@pytest.mark.rule("MA-12")
@pytest.mark.parametrize("direction", [0, 1])
async def test_interests_during_a_block_look_pending_but_are_void_and_later_ones_match(
    world: World, people: People, direction: int
) -> None:
    first, second = await people.members("pro", "pro")
    blocker, other = (first, second) if direction else (second, first)
    block = member_blocked(blocker, other, await world.now())
    await world.publish(block)
    for sender, receiver in permutations((first, second)):
        assert not (await people.wish(sender, receiver)).HasField("connection")
    assert await people.statuses(first) == await people.statuses(second) == ["void"]
    await world.publish(member_unblocked(block, await world.now()))
    assert not (await people.wish(first, second, SERVER_TYPE_FRIEND)).HasField("connection")
    assert (await people.wish(second, first, SERVER_TYPE_FRIEND)).HasField("connection")
    assert await people.statuses(first) == await people.statuses(second) == ["void", "matched"]


@pytest.mark.rule("MA-12")
async def test_each_direction_is_lifted_by_itself(world: World, people: People) -> None:
    first, second = await people.members("free", "free")
    blocks = [member_blocked(first, second, await world.now()), member_blocked(second, first, await world.now())]
    await world.publish(*blocks)
    await world.publish(member_unblocked(blocks[0], await world.now()))
    await people.wish(first, second, SERVER_TYPE_FRIEND)
    assert await people.statuses(first) == ["void"]
    await world.publish(member_unblocked(blocks[1], await world.now()))
    await people.wish(second, first)
    assert (await people.wish(first, second)).HasField("connection")


@pytest.mark.rule("MA-12", "DI-09")
async def test_a_pair_that_a_block_has_ended_never_connects_again(world: World, people: People) -> None:
    first, second = await people.members("free", "free")
    await people.connect(first, second)
    block = member_blocked(first, second, await world.now())
    await world.publish(block)
    await world.publish(member_unblocked(block, await world.now()))
    for sender, receiver in permutations((first, second)):  # on cards from before
        assert not (await people.wish(sender, receiver)).HasField("connection")
    assert await people.statuses(first) == await people.statuses(second) == ["matched", "void"]


# Order and repeats


@pytest.mark.rule("MA-12", "XX-02")
async def test_a_block_that_arrives_after_its_lifting_ends_what_existed_and_keeps_no_pair_apart(
    world: World, people: People
) -> None:
    first, second, third = await people.members("pro", "pro", "pro")
    connection = await people.connect(first, second)
    await people.wish(first, third)
    at = await world.now()
    blocks = [member_blocked(first, second, at), member_blocked(first, third, at)]
    await world.publish(*[member_unblocked(block, await world.now()) for block in blocks])
    await people.wish(first, third, SERVER_TYPE_FRIEND)
    await world.publish(*blocks)
    assert (await people.connection(first, connection.connection_id)).status == CONNECTION_STATUS_ENDED
    assert await people.statuses(first) == ["matched", "void", "pending"]
    assert (await people.wish(third, first, SERVER_TYPE_FRIEND)).HasField("connection")
    await assert_sound(people, [first, second, third])


@pytest.mark.rule("MA-12", "XX-02")
async def test_a_late_block_does_not_end_a_connection_that_formed_after_its_lifting(
    world: World, people: People
) -> None:
    first, second = await people.members("free", "free")
    block = member_blocked(first, second, await world.now())
    await world.publish(member_unblocked(block, await world.now()))
    connection = await people.connect(first, second)
    await world.publish(block)
    assert await people.connections(second) == [connection]


@pytest.mark.rule("MA-12", "XX-02")
async def test_repeated_events_in_any_order_have_the_same_result(world: World, people: People) -> None:
    """Another card of the same member is another block: the order of their events does not matter."""
    for order in permutations(range(4)):
        first, second = await people.members("free", "free")
        start = await world.now()
        earlier = member_blocked(first, second, start, uuid7())
        later = member_blocked(first, second, start + timedelta(seconds=2), uuid7())
        events: list[MemberBlocked | MemberUnblocked] = [
            earlier,
            member_unblocked(earlier, start + timedelta(seconds=1)),
            later,
            MemberBlocked.FromString(earlier.SerializeToString()),
        ]
        use_cases = UseCases(people)
        for number in order:
            event = events[number]
            await (use_cases.block(event) if isinstance(event, MemberBlocked) else use_cases.unblock(event))
        await people.wish_directly(first, second)
        assert await people.statuses(first) == ["void"], order


@pytest.mark.rule("MA-12", "XX-02")
async def test_the_end_of_a_block_by_another_card_lifts_the_first(world: World, people: People) -> None:
    """Safety publishes the first block of a direction and the end of the last, which may be another block."""
    first, second = await people.members("free", "free")
    await world.publish(member_blocked(first, second, await world.now()))
    last = member_blocked(first, second, await world.now())  # not published
    await world.publish(member_unblocked(last, await world.now()))
    await people.wish(second, first)
    assert (await people.wish(first, second)).HasField("connection")


# Races


@pytest.mark.rule("MA-12", "MA-02")
async def test_a_block_and_a_match_at_the_same_time_leave_the_two_apart(world: World, people: People) -> None:
    outcomes = set()
    use_cases = UseCases(people)
    for turn in range(40):
        first, second = await people.members("free", "plus")
        await people.wish_directly(first, second)
        work: list[Awaitable[object]] = [
            attempt(people, second, first, "partner"),
            use_cases.block(member_blocked(first, second, await world.now())),
        ]
        result = await race(turn, work)
        formed = "CONNECTED" in result
        outcomes.add(formed)
        assert await people.statuses(first) == ["matched" if formed else "void"]
        assert await people.stored_endings(first, second) == ([(first.id, "block")] if formed else [])
        await assert_sound(people, [first, second])
    assert outcomes == {True, False}


@pytest.mark.rule("MA-12")
async def test_two_blocks_of_one_pair_at_the_same_time_end_the_connection_once(world: World, people: People) -> None:
    use_cases = UseCases(people)
    for _ in range(12):
        pair = await people.members("plus", "free")
        connection = await people.connect(pair[0], pair[1])
        blocks = [member_blocked(one, other, await world.now()) for one, other in permutations(pair)]
        await asyncio.gather(*(use_cases.block(block) for block in blocks * 3))
        (event,) = await world.events(ConnectionEnded, connection.connection_id)
        assert event.ended_by_id in {member.id for member in pair}
        await assert_sound(people, pair)
        await asyncio.gather(*[use_cases.unblock(member_unblocked(block, await world.now())) for block in blocks])
        await people.wish_directly(pair[0], pair[1], "growth")
        assert (await people.statuses(pair[0]))[-1] == "void"  # they were connected before


@pytest.mark.rule("MA-09", "MA-12")
async def test_an_ending_and_a_block_at_the_same_time_end_the_connection_once(world: World, people: People) -> None:
    use_cases = UseCases(people)
    causes = set()
    for turn in range(24):
        pair = await people.members("free", "free")
        connection = await people.connect(pair[0], pair[1])
        work: list[Awaitable[object]] = [
            people.end_directly(pair[turn // 2 % 2], connection.connection_id),
            use_cases.block(member_blocked(pair[0], pair[1], await world.now())),
        ]
        result = await race(turn, work)
        (event,) = await world.events(ConnectionEnded, connection.connection_id)
        ended = "ENDED" in result
        assert event.cause == (END_CAUSE_MEMBER if ended else END_CAUSE_BLOCK)
        assert ended or "CONNECTION_ENDED" in result
        causes.add(event.cause)
        await assert_sound(people, pair)
    assert causes == {END_CAUSE_MEMBER, END_CAUSE_BLOCK}


@pytest.mark.rule("MA-12", "XX-02")
async def test_after_a_crash_before_the_commit_a_repeat_completes_the_block(world: World, people: People) -> None:
    first, second = await people.members("free", "free")
    connection = await people.connect(first, second)
    block = member_blocked(first, second, await world.now())

    class Crashing(UseCases):
        async def block(self, event: MemberBlocked) -> None:
            async with self._tx() as tx:
                await self.block_in(tx, event)
                raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await Crashing(people).block(block)
    assert len(await people.connections(first)) == 1
    assert await people.rows("SELECT FROM matching.blocked_pairs WHERE blocker_id = $1", first.user) == []
    await world.publish(block)
    assert len(await world.events(ConnectionEnded, connection.connection_id)) == 1
