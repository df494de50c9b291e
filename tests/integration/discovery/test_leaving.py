"""Leaving a server, and joining it again (DI-01)."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from unora.discovery.v1.discovery_service_pb2 import ListServersRequest
from unora.discovery.v1.events_pb2 import BatchRefreshed, ServerJoined, ServerLeft
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import FRIEND, PARTNER, Pool
from tests.roles import role_of
from tests.support import refusal, request_id


async def joined(pool: Pool, member: Caller) -> set[int]:
    answer = await pool.discovery.ListServers(ListServersRequest(), metadata=member.metadata)
    return {server.server_type for server in answer.servers if server.joined}


@pytest.mark.rule("DI-01", "DI-09")
async def test_a_member_who_left_a_server_is_not_shown_there_and_sees_nothing_there(world: World, pool: Pool) -> None:
    member, *others = await pool.members(6)  # enough for a batch, but not without the one who leaves
    answer = await pool.leave(member)
    assert (answer.server.server_type, answer.server.joined) == (PARTNER, False)
    assert PARTNER not in await joined(pool, member)
    assert FRIEND in await joined(pool, member)
    assert (await refusal(pool.screen(member))).reason == "NOT_A_MEMBER"
    assert (await refusal(pool.refresh(member))).reason == "NOT_A_MEMBER"
    assert (await refusal(pool.refresh(others[0]))).reason == "POOL_TOO_SMALL"
    elsewhere = await pool.refresh(others[1], FRIEND)
    assert member.id in await pool.shown(others[1], elsewhere.batch)
    (event,) = await world.events(ServerLeft, member.user)
    assert (event.version, event.server_type) == (1, PARTNER)


@pytest.mark.rule("DI-01", "DI-03")
async def test_the_batch_is_closed_and_its_cards_cannot_be_resolved_for_an_interest(pool: Pool) -> None:
    member, *_ = await pool.members(7)
    elsewhere = await pool.refresh(member, FRIEND)
    await pool.members(6)
    card = (await pool.refresh(member)).batch.cards[0].card_id
    await pool.leave(member)
    assert (await refusal(pool.resolve(member, card))).reason == "CARD_NOT_FOUND"
    assert (await pool.resolve(member, card, old=True)).user_id  # a block or a report may still use it
    assert await pool.screen(member, FRIEND) == elsewhere
    rows = await pool.rows("discovery_batches", member.user)
    assert {row["server_type"]: row["deleted_at"] is None for row in rows} == {"partner": False, "friend": True}


@pytest.mark.rule("DI-01", "DI-04")
async def test_a_member_who_joins_again_gets_no_second_free_batch(world: World, pool: Pool) -> None:
    member = await pool.member()
    await pool.members(20)
    assert not (await pool.refresh(member)).HasField("refresh_available_at")
    await pool.leave(member)
    await pool.join(member)
    assert not (await pool.screen(member)).HasField("batch")
    assert (await pool.refresh(member)).HasField("refresh_available_at")
    await pool.leave(member)
    await pool.join(member)
    refused = await refusal(pool.refresh(member))
    assert refused.reason == "REFRESH_LOCKED"
    assert [event.timer_spent for event in await world.events(BatchRefreshed, member.user)] == [False, True]
    assert [event.version for event in await world.events(ServerJoined, member.user)] == [3, 6]


@pytest.mark.rule("DI-01", "DI-04")
async def test_a_member_who_left_without_a_batch_still_has_the_free_one(pool: Pool) -> None:
    member = await pool.member()
    await pool.members(6)
    await pool.leave(member)
    await pool.join(member)
    assert not (await pool.refresh(member)).HasField("refresh_available_at")


@pytest.mark.rule("DI-09")
async def test_a_member_shown_before_the_viewer_left_is_not_shown_again_after_it(pool: Pool) -> None:
    member = await pool.member()
    await pool.members(9)
    await pool.refresh(member)
    await pool.leave(member)
    await pool.join(member)
    assert (await refusal(pool.refresh(member))).reason == "POOL_TOO_SMALL"


@pytest.mark.rule("DI-01")
async def test_leaving_a_server_without_being_in_it_changes_nothing(world: World, pool: Pool) -> None:
    member, stranger = await pool.member(servers=[FRIEND]), world.caller()
    before = await pool.stored_rows(member)
    for caller in (member, member, stranger):
        assert not (await pool.leave(caller)).server.joined
    assert await pool.stored_rows(member) == before
    assert not any((await pool.stored_rows(stranger)).values())
    assert await world.events(ServerLeft, member.user, stranger.user) == []


@pytest.mark.rule("DI-01")
async def test_many_calls_to_leave_at_once_are_one(world: World, pool: Pool) -> None:
    member, once = await pool.member(), request_id()
    await asyncio.gather(*(pool.leave(member) for _ in range(6)), *(pool.leave(member, request=once) for _ in range(6)))
    assert len(await world.events(ServerLeft, member.user)) == 1


@pytest.mark.rule("DI-01", "DI-03")
async def test_leaving_during_a_refresh_leaves_no_batch_behind(world: World, pool: Pool) -> None:
    """In both orders of the lock: the refresh is refused, or its batch is closed."""
    for leave_first in (True, False):
        member = await pool.member()
        await pool.members(6)
        connection, transaction = await pool.lock_timer(member)
        calls = []
        for call in (pool.leave, pool.refresh) if leave_first else (pool.refresh, pool.leave):
            calls.append(asyncio.ensure_future(call(member)))
            await pool.wait_for_blocked_calls(len(calls))
        await transaction.rollback()
        await connection.close()
        await asyncio.wait(calls)
        refreshed = calls[1 if leave_first else 0]
        if leave_first:
            assert (await refusal(refreshed)).reason == "NOT_A_MEMBER"
        assert (refreshed.exception() is not None) is leave_first
        assert [row for row in await pool.rows("discovery_batches", member.user) if row["deleted_at"] is None] == []
        assert (await refusal(pool.screen(member))).reason == "NOT_A_MEMBER"


@pytest.mark.rule("DI-01", "DI-06")
async def test_a_member_who_is_locked_out_can_still_leave(pool: Pool) -> None:
    member = await pool.member()
    await pool.inventory(member, 1, count=1)
    assert not (await pool.leave(member)).server.joined


@pytest.mark.rule("DI-01")
async def test_the_database_refuses_to_leave_before_joining(world: World, pool: Pool) -> None:
    member = await pool.member()
    async with role_of(world, "discovery") as role:
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await role.execute(
                "UPDATE discovery.server_memberships SET left_at = joined_at - interval '1 s' WHERE user_id = $1",
                member.user,
            )
        assert refused.value.constraint_name == "ck_server_memberships_left_after"
