"""Many calls at the same time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from unora.discovery.v1.discovery_service_pb2 import Screen
from unora.discovery.v1.events_pb2 import BatchRefreshed
from unora_discovery.servicers import discovery
from unora_discovery.use_cases.precheck import Precheck, prefetch
from unora_testing.deadlines import within
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import FRIEND, PARTNER, Pool, Server
from tests.support import Refusal, refusal, request_id


async def outcome(pool: Pool, member: Caller, server: Server = PARTNER) -> Screen | Refusal:
    call = asyncio.ensure_future(pool.refresh(member, server))
    await asyncio.wait([call])
    return await refusal(call) if call.exception() else call.result()


@pytest.mark.rule("DI-03", "DI-04", "DI-06")
async def test_twelve_refreshes_at_once_are_one_new_batch_and_eleven_time_locks(world: World, pool: Pool) -> None:
    member = await pool.member()
    await pool.members(20)
    await pool.refresh(member)
    found = await asyncio.gather(*(outcome(pool, member) for _ in range(12)))
    (screen,) = (each for each in found if isinstance(each, Screen))
    locks = [each for each in found if isinstance(each, Refusal)]
    assert {lock.reason for lock in locks} == {"REFRESH_LOCKED"}
    assert len({lock.metadata["refresh_available_at"] for lock in locks}) == 1
    assert (await pool.screen(member)).batch == screen.batch
    assert [event.timer_spent for event in await world.events(BatchRefreshed, member.user)] == [False, True]


@pytest.mark.rule("DI-04")
async def test_refreshes_in_two_servers_at_once_spend_one_timer(pool: Pool) -> None:
    member = await pool.member()
    await pool.members(30)
    for server in (PARTNER, FRIEND):
        await pool.refresh(member, server)
    found = await asyncio.gather(*(outcome(pool, member, server) for server in (PARTNER, FRIEND) * 3))
    assert sorted(type(each).__name__ for each in found) == ["Refusal"] * 5 + ["Screen"]
    assert len(await pool.rows("discovery_batches", member.user)) == 3


@pytest.mark.rule("DI-03", "DI-04")
async def test_first_refreshes_at_once_make_one_batch_and_all_of_them_return_it(world: World, pool: Pool) -> None:
    """The timer does not separate them: a server's first batch does not spend it. All have done their precheck, and
    wait for the lock.
    """
    member = await pool.member()
    await pool.members(20)
    connection, transaction = await pool.lock_timer(member)
    calls = [asyncio.ensure_future(pool.refresh(member)) for _ in range(4)]
    await pool.wait_for_blocked_calls(4)
    await transaction.rollback()
    await connection.close()
    screens = await asyncio.gather(*calls)
    assert len({screen.SerializeToString() for screen in screens}) == 1
    (event,) = await world.events(BatchRefreshed, member.user)
    assert not event.timer_spent
    assert (await pool.rows("refresh_timers", member.user))[0]["refresh_available_at"] is None
    assert (await pool.refresh(member)).batch != screens[0].batch


@pytest.mark.rule("DI-03", "DI-04")
async def test_a_first_refresh_with_its_precheck_after_the_first_batch_is_an_ordinary_refresh(
    world: World, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three calls at the same time: the first makes the first batch; the second did its precheck before that and gets
    the lock after it; the third is delayed before its precheck, as if it waited for a connection.
    """
    member = await pool.member()
    await pool.members(20)
    at_once, waiting = asyncio.Event(), asyncio.Event()
    calls_before = 2

    async def late(*arguments: Any) -> Precheck:
        nonlocal calls_before
        if calls_before:
            calls_before -= 1
        else:
            waiting.set()
            await at_once.wait()
        return await prefetch(*arguments)

    monkeypatch.setattr(discovery, "prefetch", late)
    connection, transaction = await pool.lock_timer(member)
    early = [asyncio.ensure_future(pool.refresh(member)) for _ in range(2)]
    await pool.wait_for_blocked_calls(2)
    last = asyncio.ensure_future(pool.refresh(member))
    await within(waiting.wait())
    await transaction.rollback()
    await connection.close()
    first = await asyncio.gather(*early)
    assert first[0] == first[1]
    assert not first[0].HasField("refresh_available_at")
    at_once.set()
    second = await last
    assert second.batch != first[0].batch
    assert second.HasField("refresh_available_at")
    assert await pool.screen(member) == second
    assert [event.timer_spent for event in await world.events(BatchRefreshed, member.user)] == [False, True]


@pytest.mark.rule("DI-03", "DI-04", "DI-06")
async def test_of_many_first_refreshes_only_a_second_batch_spends_the_timer(world: World, pool: Pool) -> None:
    """More calls than connections, so that some do their precheck late: one batch or two, and every answer is right."""
    member = await pool.member()
    await pool.members(20)
    found = await asyncio.gather(*(outcome(pool, member) for _ in range(16)))
    events = await world.events(BatchRefreshed, member.user)
    assert [event.timer_spent for event in events] in ([False], [False, True])
    (timer,) = await pool.rows("refresh_timers", member.user)
    assert (timer["refresh_available_at"] is not None) is (len(events) == 2)
    screens = [each for each in found if isinstance(each, Screen)]
    assert {screen.batch.batch_id for screen in screens} == {event.batch_id for event in events}
    assert {each.reason for each in found if isinstance(each, Refusal)} <= ({"REFRESH_LOCKED"} if events[1:] else set())
    assert (await pool.screen(member)).batch.batch_id == events[-1].batch_id


@pytest.mark.rule("DI-04", "BI-08")
async def test_repeats_of_one_refresh_at_once_are_one_batch_and_one_answer(world: World, pool: Pool) -> None:
    member = await pool.member()
    await pool.members(20)
    for number in (1, 2):
        repeated = request_id()
        answers = await asyncio.gather(*(pool.refresh(member, request=repeated) for _ in range(12)))
        assert len({answer.SerializeToString() for answer in answers}) == 1
        assert len(await world.events(BatchRefreshed, member.user)) == number
    assert await pool.refresh(member, request=repeated) == answers[0]


@pytest.mark.rule("BI-08")
async def test_a_request_id_is_for_one_request(pool: Pool) -> None:
    member = await pool.member()
    await pool.members(20)
    once = request_id()
    await pool.refresh(member, PARTNER, once)
    found = await refusal(pool.refresh(member, FRIEND, once))
    assert (found.code, found.reason) == ("INVALID_ARGUMENT", "REQUEST_ID_REUSED")
    assert not (await pool.screen(member, FRIEND)).HasField("batch")


@pytest.mark.rule("DI-02", "DI-03")
async def test_members_who_refresh_at_once_do_not_disturb_each_other(pool: Pool) -> None:
    members = await pool.members(10)
    screens = await asyncio.gather(*(pool.refresh(member) for member in members))
    for member, screen in zip(members, screens, strict=True):
        shown = await pool.shown(member, screen.batch)
        assert len(set(shown)) == 5
        assert member.id not in shown
