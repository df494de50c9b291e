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

from tests.integration.safety.safety_calls import SafetyCalls
from tests.support import read_refusal, refusal, request_id

pytestmark = pytest.mark.rule("SA-02")


async def block_events(world: World, blocker: Caller, blocked: Caller) -> list[MemberBlocked | MemberUnblocked]:
    """All events of one direction, in the order of their versions."""
    found = [*await world.events(MemberBlocked), *await world.events(MemberUnblocked)]
    pair = (blocker.id, blocked.id)
    return sorted(
        (event for event in found if (event.blocker_id, event.blocked_id) == pair), key=lambda event: event.version
    )


def type_names(events: list[Any]) -> list[str]:
    return [type(event).__name__ for event in events]


async def outcome(call: Awaitable[Any]) -> str:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return read_refusal(error).reason
    return "OK"


@pytest.mark.rule("RE-10", "MA-12")
@pytest.mark.parametrize("by", ["card", "connection"])
async def test_a_block_is_in_force_at_once_in_both_directions_until_it_is_lifted(safety: SafetyCalls, by: str) -> None:
    me, other, third = safety.members(3)
    target = await (safety.card(me, other) if by == "card" else safety.connection(me, other))
    block = await safety.block(me, target)
    assert block.target == target
    assert await safety.is_blocked(me, other)
    assert await safety.is_blocked(other, me)
    assert not await safety.is_blocked(me, third)
    (event,) = await block_events(safety.world, me, other)
    assert (event.block_id, event.version) == (block.block_id, 1)
    await safety.unblock(me, block.block_id)
    assert not await safety.is_blocked(me, other)
    began, ended = await block_events(safety.world, me, other)
    assert (type_names([began, ended]), ended.block_id, ended.version) == (
        ["MemberBlocked", "MemberUnblocked"],
        block.block_id,
        2,
    )


async def test_a_card_of_a_batch_that_was_replaced_can_be_blocked(safety: SafetyCalls) -> None:
    me, other, next_one = safety.members(3)
    old = await safety.card(me, other)
    await safety.card(me, next_one)
    await safety.block(me, old)
    assert await safety.is_blocked(me, other)


@pytest.mark.rule("XX-04")
async def test_a_target_or_block_of_another_member_is_answered_as_a_missing_one(safety: SafetyCalls) -> None:
    me, a, b = safety.members(3)
    targets = [
        await safety.card(a, b),
        await safety.connection(a, b),
        Target(card_id=request_id()),
        Target(connection_id=request_id()),
        await safety.card(me, me),
    ]
    seen = {str(await refusal(safety.block(me, target))) for target in targets}
    assert len(seen) == 1
    assert "NOT_FOUND" in seen.pop()
    assert not (await safety.list_blocks(me)).blocks
    mine = await safety.block(a, targets[0])
    not_mine = [await refusal(safety.unblock(me, block)) for block in (mine.block_id, request_id())]
    assert not_mine[0] == not_mine[1]
    assert (not_mine[0].code, not_mine[0].reason) == ("NOT_FOUND", "BLOCK_NOT_FOUND")
    assert await safety.is_blocked(a, b)


@pytest.mark.rule("XX-04")
async def test_two_targets_of_one_person_are_two_blocks_with_one_event(safety: SafetyCalls) -> None:
    me, other, third = safety.members(3)
    connections = [await safety.connection(me, other), await safety.connection(me, third)]
    first = await safety.block(me, await safety.card(me, other))
    second, apart = [await safety.block(me, target) for target in connections]
    assert len({first.block_id, second.block_id, apart.block_id}) == 3
    fields = [[field.name for field, _ in block.ListFields()] for block in (first, second, apart)]
    assert fields[0] == fields[1] == fields[2]
    assert type_names(await block_events(safety.world, me, other)) == ["MemberBlocked"]
    await safety.unblock(me, first.block_id)
    assert await safety.is_blocked(me, other)
    assert type_names(await block_events(safety.world, me, other)) == ["MemberBlocked"]
    await safety.unblock(me, second.block_id)
    assert not await safety.is_blocked(me, other)
    events = await block_events(safety.world, me, other)
    assert type_names(events) == ["MemberBlocked", "MemberUnblocked"]
    assert [event.block_id for event in events] == [first.block_id] * 2


async def test_versions_grow_over_all_blocks_of_a_direction(safety: SafetyCalls) -> None:
    me, other = safety.members(2)
    target = await safety.card(me, other)
    for _ in range(3):
        await safety.unblock(me, (await safety.block(me, target)).block_id)
    events = await block_events(safety.world, me, other)
    assert [event.version for event in events] == [1, 2, 3, 4, 5, 6]
    assert type_names(events) == ["MemberBlocked", "MemberUnblocked"] * 3
    assert len({event.block_id for event in events}) == 3


async def test_a_second_block_of_a_target_returns_the_first(safety: SafetyCalls) -> None:
    me, other = safety.members(2)
    target = await safety.card(me, other)
    blocks = await asyncio.gather(*(safety.block(me, target) for _ in range(12)))
    assert len({block.block_id for block in blocks}) == 1
    assert list((await safety.list_blocks(me)).blocks) == blocks[:1]
    assert type_names(await block_events(safety.world, me, other)) == ["MemberBlocked"]


@pytest.mark.rule("BI-08")
async def test_a_repeat_gets_the_first_answer_also_after_the_block_was_lifted(safety: SafetyCalls) -> None:
    me, other = safety.members(2)
    target, request = await safety.card(me, other), request_id()
    first = await safety.block(me, target, request)
    lift = request_id()
    await asyncio.gather(*(safety.unblock(me, first.block_id, lift) for _ in range(8)))
    assert await safety.block(me, target, request) == first
    assert not await safety.is_blocked(me, other)
    assert (await refusal(safety.unblock(me, first.block_id))).reason == "BLOCK_NOT_FOUND"
    again = await safety.block(me, target)
    assert again.block_id != first.block_id


async def test_two_members_block_each_other_at_once_and_the_directions_are_independent(safety: SafetyCalls) -> None:
    a, b = safety.members(2)
    target = await safety.connection(a, b)
    mine, theirs = await asyncio.gather(safety.block(a, target), safety.block(b, target))
    await safety.unblock(a, mine.block_id)
    assert await safety.is_blocked(a, b)
    await safety.unblock(b, theirs.block_id)
    assert not await safety.is_blocked(a, b)
    assert [each.block_id for each in (await safety.list_blocks(a)).blocks] == []


async def test_the_last_event_is_right_when_blocks_and_unblocks_race(safety: SafetyCalls) -> None:
    me, other = safety.members(2)
    targets = await safety.targets_of_one_person(me, other)

    async def block_and_unblock(target: Target) -> None:
        for _ in range(6):
            block = await safety.block(me, target)
            await asyncio.gather(*(outcome(safety.unblock(me, block.block_id)) for _ in range(2)))

    await asyncio.gather(*map(block_and_unblock, targets))
    events = await block_events(safety.world, me, other)
    assert [event.version for event in events] == list(range(1, len(events) + 1))
    assert type_names(events) == ["MemberBlocked", "MemberUnblocked"] * (len(events) // 2)
    assert not await safety.is_blocked(me, other)
    last = await safety.block(me, targets[0])
    assert (await block_events(safety.world, me, other))[-1].block_id == last.block_id


async def test_when_the_last_blocks_are_lifted_at_once_there_is_one_event(safety: SafetyCalls) -> None:
    me, other = safety.members(2)
    targets = await safety.targets_of_one_person(me, other)
    blocks = [await safety.block(me, target) for target in targets]
    results = await asyncio.gather(*(outcome(safety.unblock(me, block.block_id)) for block in blocks for _ in range(3)))
    assert sorted(results) == ["BLOCK_NOT_FOUND"] * 8 + ["OK"] * 4
    assert type_names(await block_events(safety.world, me, other)) == ["MemberBlocked", "MemberUnblocked"]


async def test_the_list_has_the_callers_own_blocks_newest_first_in_pages(safety: SafetyCalls) -> None:
    me, *others = safety.members(8)
    targets = [await safety.connection(me, other) for other in others]
    made = [await safety.block(me, target) for target in targets]
    await safety.block(others[0], targets[0])
    await safety.unblock(me, made.pop(3).block_id)
    seen, token = list[Block](), ""
    while True:
        page = await safety.list_blocks(me, 4, token)
        seen += page.blocks
        token = page.next_page_token
        if not token:
            break
    assert seen == made[::-1]
    strange = await refusal(safety.list_blocks(others[0], 4, (await safety.list_blocks(me, 4)).next_page_token))
    assert (strange.code, list(strange.violations)) == ("INVALID_ARGUMENT", ["page_token"])


@pytest.mark.rule("SA-01", "XX-02")
async def test_events_of_safety_itself_are_audited_too(safety: SafetyCalls) -> None:
    me, other = safety.members(2)
    block = await safety.block(me, await safety.connection(me, other))
    await safety.world.drain()
    (row,) = await safety.world.superuser.fetch(
        "SELECT source_context, subject FROM safety.audit_logs WHERE aggregate_id = $1", UUID(block.block_id)
    )
    assert tuple(row) == ("safety", "unora.safety.v1.member_blocked")
