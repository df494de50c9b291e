"""Blocks through the service: gRPC, Postgres, events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any
from uuid import UUID

import grpc
import pytest
from unora.safety.v1.events_pb2 import MemberBlocked, MemberUnblocked
from unora.safety.v1.safety_service_pb2 import Block, Target
from unora_testing.world import Caller, World

from tests.integration.safety.meetings import Meetings
from tests.support import read_refusal, refusal, request_id

pytestmark = pytest.mark.rule("SA-02")


async def told(world: World, blocker: Caller, blocked: Caller) -> list[MemberBlocked | MemberUnblocked]:
    """All that was told of one direction, in the order of its versions."""
    found = [*await world.events(MemberBlocked), *await world.events(MemberUnblocked)]
    pair = (blocker.id, blocked.id)
    return sorted(
        (event for event in found if (event.blocker_id, event.blocked_id) == pair), key=lambda event: event.version
    )


def kinds(events: list[Any]) -> list[str]:
    return [type(event).__name__ for event in events]


async def outcome(call: Awaitable[Any]) -> str:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return read_refusal(error).reason
    return "OK"


@pytest.mark.rule("RE-10", "MA-12")
@pytest.mark.parametrize("by", ["card", "connection"])
async def test_a_block_is_in_force_at_once_in_both_directions_until_it_is_lifted(meetings: Meetings, by: str) -> None:
    me, other, third = meetings.members(3)
    target = await (meetings.card(me, other) if by == "card" else meetings.connection(me, other))
    block = await meetings.block(me, target)
    assert block.target == target
    assert await meetings.blocked(me, other)
    assert await meetings.blocked(other, me)
    assert not await meetings.blocked(me, third)
    (event,) = await told(meetings.world, me, other)
    assert (event.block_id, event.version) == (block.block_id, 1)
    await meetings.unblock(me, block.block_id)
    assert not await meetings.blocked(me, other)
    began, ended = await told(meetings.world, me, other)
    assert (kinds([began, ended]), ended.block_id, ended.version) == (
        ["MemberBlocked", "MemberUnblocked"],
        block.block_id,
        2,
    )


async def test_a_card_of_a_batch_that_was_replaced_can_be_blocked(meetings: Meetings) -> None:
    me, other, next_one = meetings.members(3)
    old = await meetings.card(me, other)
    await meetings.card(me, next_one)
    await meetings.block(me, old)
    assert await meetings.blocked(me, other)


@pytest.mark.rule("XX-04")
async def test_what_is_another_persons_is_like_what_does_not_exist(meetings: Meetings) -> None:
    me, a, b = meetings.members(3)
    targets = [
        await meetings.card(a, b),
        await meetings.connection(a, b),
        Target(card_id=request_id()),
        Target(connection_id=request_id()),
        await meetings.card(me, me),
    ]
    seen = {str(await refusal(meetings.block(me, target))) for target in targets}
    assert len(seen) == 1
    assert "NOT_FOUND" in seen.pop()
    assert not (await meetings.page(me)).blocks
    mine = await meetings.block(a, targets[0])
    not_mine = [await refusal(meetings.unblock(me, block)) for block in (mine.block_id, request_id())]
    assert not_mine[0] == not_mine[1]
    assert (not_mine[0].code, not_mine[0].reason) == ("NOT_FOUND", "BLOCK_NOT_FOUND")
    assert await meetings.blocked(a, b)


@pytest.mark.rule("XX-04")
async def test_the_same_person_through_two_targets_is_two_blocks_and_told_once(meetings: Meetings) -> None:
    me, other, third = meetings.members(3)
    connections = [await meetings.connection(me, other), await meetings.connection(me, third)]
    first = await meetings.block(me, await meetings.card(me, other))
    second, apart = [await meetings.block(me, target) for target in connections]
    assert len({first.block_id, second.block_id, apart.block_id}) == 3
    fields = [[field.name for field, _ in block.ListFields()] for block in (first, second, apart)]
    assert fields[0] == fields[1] == fields[2]
    assert kinds(await told(meetings.world, me, other)) == ["MemberBlocked"]
    await meetings.unblock(me, first.block_id)
    assert await meetings.blocked(me, other)
    assert kinds(await told(meetings.world, me, other)) == ["MemberBlocked"]
    await meetings.unblock(me, second.block_id)
    assert not await meetings.blocked(me, other)
    events = await told(meetings.world, me, other)
    assert kinds(events) == ["MemberBlocked", "MemberUnblocked"]
    assert [event.block_id for event in events] == [first.block_id] * 2


async def test_versions_grow_over_all_blocks_of_a_direction(meetings: Meetings) -> None:
    me, other = meetings.members(2)
    target = await meetings.card(me, other)
    for _ in range(3):
        await meetings.unblock(me, (await meetings.block(me, target)).block_id)
    events = await told(meetings.world, me, other)
    assert [event.version for event in events] == [1, 2, 3, 4, 5, 6]
    assert kinds(events) == ["MemberBlocked", "MemberUnblocked"] * 3
    assert len({event.block_id for event in events}) == 3


async def test_the_same_target_again_gives_the_block_there_is(meetings: Meetings) -> None:
    me, other = meetings.members(2)
    target = await meetings.card(me, other)
    blocks = await asyncio.gather(*(meetings.block(me, target) for _ in range(12)))
    assert len({block.block_id for block in blocks}) == 1
    assert list((await meetings.page(me)).blocks) == blocks[:1]
    assert kinds(await told(meetings.world, me, other)) == ["MemberBlocked"]


@pytest.mark.rule("BI-08")
async def test_repeats_get_the_first_answer_also_after_it_was_lifted(meetings: Meetings) -> None:
    me, other = meetings.members(2)
    target, request = await meetings.card(me, other), request_id()
    first = await meetings.block(me, target, request)
    lift = request_id()
    await asyncio.gather(*(meetings.unblock(me, first.block_id, lift) for _ in range(8)))
    assert await meetings.block(me, target, request) == first
    assert not await meetings.blocked(me, other)
    assert (await refusal(meetings.unblock(me, first.block_id))).reason == "BLOCK_NOT_FOUND"
    again = await meetings.block(me, target)
    assert again.block_id != first.block_id


async def test_both_of_a_pair_block_each_other_at_once_and_each_direction_stands_by_itself(meetings: Meetings) -> None:
    a, b = meetings.members(2)
    target = await meetings.connection(a, b)
    mine, theirs = await asyncio.gather(meetings.block(a, target), meetings.block(b, target))
    await meetings.unblock(a, mine.block_id)
    assert await meetings.blocked(a, b)
    await meetings.unblock(b, theirs.block_id)
    assert not await meetings.blocked(a, b)
    assert [each.block_id for each in (await meetings.page(a)).blocks] == []


async def test_blocks_and_unblocks_that_race_end_in_what_was_told(meetings: Meetings) -> None:
    me, other = meetings.members(2)
    targets = await meetings.several(me, other)

    async def back_and_forth(target: Target) -> None:
        for _ in range(6):
            block = await meetings.block(me, target)
            await asyncio.gather(*(outcome(meetings.unblock(me, block.block_id)) for _ in range(2)))

    await asyncio.gather(*map(back_and_forth, targets))
    events = await told(meetings.world, me, other)
    assert [event.version for event in events] == list(range(1, len(events) + 1))
    assert kinds(events) == ["MemberBlocked", "MemberUnblocked"] * (len(events) // 2)
    assert not await meetings.blocked(me, other)
    last = await meetings.block(me, targets[0])
    assert (await told(meetings.world, me, other))[-1].block_id == last.block_id


async def test_two_who_lift_the_last_two_at_once_tell_it_once(meetings: Meetings) -> None:
    me, other = meetings.members(2)
    targets = await meetings.several(me, other)
    blocks = [await meetings.block(me, target) for target in targets]
    results = await asyncio.gather(
        *(outcome(meetings.unblock(me, block.block_id)) for block in blocks for _ in range(3))
    )
    assert sorted(results) == ["BLOCK_NOT_FOUND"] * 8 + ["OK"] * 4
    assert kinds(await told(meetings.world, me, other)) == ["MemberBlocked", "MemberUnblocked"]


async def test_the_list_is_the_callers_own_newest_first_and_pages(meetings: Meetings) -> None:
    me, *others = meetings.members(8)
    targets = [await meetings.connection(me, other) for other in others]
    made = [await meetings.block(me, target) for target in targets]
    await meetings.block(others[0], targets[0])
    await meetings.unblock(me, made.pop(3).block_id)
    seen, token = list[Block](), ""
    while True:
        page = await meetings.page(me, 4, token)
        seen += page.blocks
        token = page.next_page_token
        if not token:
            break
    assert seen == made[::-1]
    strange = await refusal(meetings.page(others[0], 4, (await meetings.page(me, 4)).next_page_token))
    assert (strange.code, list(strange.violations)) == ("INVALID_ARGUMENT", ["page_token"])


@pytest.mark.rule("SA-01", "XX-02")
async def test_what_safety_tells_is_audited_too(meetings: Meetings) -> None:
    me, other = meetings.members(2)
    block = await meetings.block(me, await meetings.connection(me, other))
    await meetings.world.drain()
    (row,) = await meetings.world.superuser.fetch(
        "SELECT source_context, subject FROM safety.audit_logs WHERE aggregate_id = $1", UUID(block.block_id)
    )
    assert tuple(row) == ("safety", "unora.safety.v1.member_blocked")
