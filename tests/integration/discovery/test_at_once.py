"""Many calls at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from unora.discovery.v1.discovery_service_pb2 import Screen
from unora.discovery.v1.events_pb2 import BatchRefreshed
from unora_discovery.servicers import discovery
from unora_discovery.use_cases.precheck import Precheck, prefetch
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import FRIEND, PARTNER, Pool, Server
from tests.support import Refusal, refusal, request_id


async def outcome(pool: Pool, who: Caller, server: Server = PARTNER) -> Screen | Refusal:
    call = asyncio.ensure_future(pool.refresh(who, server))
    await asyncio.wait([call])
    return await refusal(call) if call.exception() else call.result()


@pytest.mark.rule("DI-03", "DI-04", "DI-06")
async def test_twelve_refreshes_at_once_are_one_new_batch_and_eleven_time_locks(world: World, pool: Pool) -> None:
    who = await pool.member()
    await pool.members(20)
    await pool.refresh(who)
    found = await asyncio.gather(*(outcome(pool, who) for _ in range(12)))
    (screen,) = (each for each in found if isinstance(each, Screen))
    locks = [each for each in found if isinstance(each, Refusal)]
    assert {lock.reason for lock in locks} == {"REFRESH_LOCKED"}
    assert len({lock.metadata["refresh_available_at"] for lock in locks}) == 1
    assert (await pool.screen(who)).batch == screen.batch
    assert [event.timer_spent for event in await world.events(BatchRefreshed, who.user)] == [False, True]


@pytest.mark.rule("DI-04")
async def test_refreshes_in_two_servers_at_once_spend_one_timer(pool: Pool) -> None:
    who = await pool.member()
    await pool.members(30)
    for server in (PARTNER, FRIEND):
        await pool.refresh(who, server)
    found = await asyncio.gather(*(outcome(pool, who, server) for server in (PARTNER, FRIEND) * 3))
    assert sorted(type(each).__name__ for each in found) == ["Refusal"] * 5 + ["Screen"]
    assert len(await pool.rows("discovery_batches", who.user)) == 3


@pytest.mark.rule("DI-03", "DI-04")
async def test_first_refreshes_at_once_are_one_batch_that_all_of_them_get(world: World, pool: Pool) -> None:
    """The timer does not part them: a server's first batch leaves it alone. All have looked, and wait for the lock."""
    who = await pool.member()
    await pool.members(20)
    connection, transaction = await pool.hold(who)
    calls = [asyncio.ensure_future(pool.refresh(who)) for _ in range(4)]
    await pool.blocked_calls(4)
    await transaction.rollback()
    await connection.close()
    screens = await asyncio.gather(*calls)
    assert len({screen.SerializeToString() for screen in screens}) == 1
    (event,) = await world.events(BatchRefreshed, who.user)
    assert not event.timer_spent
    assert (await pool.rows("refresh_timers", who.user))[0]["refresh_available_at"] is None
    assert (await pool.refresh(who)).batch != screens[0].batch


@pytest.mark.rule("DI-03", "DI-04")
async def test_a_first_refresh_that_looks_after_the_first_batch_was_made_is_an_ordinary_one(
    world: World, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three calls at once: one makes the first batch, one has looked before that and gets its lock last, and one is
    kept from looking until then, as if it waited for a connection.
    """
    who = await pool.member()
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
    connection, transaction = await pool.hold(who)
    early = [asyncio.ensure_future(pool.refresh(who)) for _ in range(2)]
    await pool.blocked_calls(2)
    last = asyncio.ensure_future(pool.refresh(who))
    await waiting.wait()
    await transaction.rollback()
    await connection.close()
    first = await asyncio.gather(*early)
    assert first[0] == first[1]
    assert not first[0].HasField("refresh_available_at")
    at_once.set()
    second = await last
    assert second.batch != first[0].batch
    assert second.HasField("refresh_available_at")
    assert await pool.screen(who) == second
    assert [event.timer_spent for event in await world.events(BatchRefreshed, who.user)] == [False, True]


@pytest.mark.rule("DI-03", "DI-04", "DI-06")
async def test_however_many_first_refreshes_come_the_timer_is_spent_by_a_second_batch_and_by_nothing_else(
    world: World, pool: Pool
) -> None:
    """More calls than connections, so that some look late; one batch or two, and every answer is true."""
    who = await pool.member()
    await pool.members(20)
    found = await asyncio.gather(*(outcome(pool, who) for _ in range(16)))
    told = await world.events(BatchRefreshed, who.user)
    assert [event.timer_spent for event in told] in ([False], [False, True])
    (timer,) = await pool.rows("refresh_timers", who.user)
    assert (timer["refresh_available_at"] is not None) is (len(told) == 2)
    screens = [each for each in found if isinstance(each, Screen)]
    assert {screen.batch.batch_id for screen in screens} == {event.batch_id for event in told}
    assert {each.reason for each in found if isinstance(each, Refusal)} <= ({"REFRESH_LOCKED"} if told[1:] else set())
    assert (await pool.screen(who)).batch.batch_id == told[-1].batch_id


@pytest.mark.rule("DI-04", "BI-08")
async def test_repeats_of_one_refresh_at_once_are_one_batch_and_one_answer(world: World, pool: Pool) -> None:
    who = await pool.member()
    await pool.members(20)
    for number in (1, 2):
        repeated = request_id()
        answers = await asyncio.gather(*(pool.refresh(who, request=repeated) for _ in range(12)))
        assert len({answer.SerializeToString() for answer in answers}) == 1
        assert len(await world.events(BatchRefreshed, who.user)) == number
    assert await pool.refresh(who, request=repeated) == answers[0]


@pytest.mark.rule("BI-08")
async def test_a_request_id_is_for_one_request(pool: Pool) -> None:
    who = await pool.member()
    await pool.members(20)
    once = request_id()
    await pool.refresh(who, PARTNER, once)
    found = await refusal(pool.refresh(who, FRIEND, once))
    assert (found.code, found.reason) == ("INVALID_ARGUMENT", "REQUEST_ID_REUSED")
    assert not (await pool.screen(who, FRIEND)).HasField("batch")


@pytest.mark.rule("DI-02", "DI-03")
async def test_members_who_refresh_at_once_do_not_disturb_each_other(pool: Pool) -> None:
    members = await pool.members(10)
    screens = await asyncio.gather(*(pool.refresh(who) for who in members))
    for who, screen in zip(members, screens, strict=True):
        shown = await pool.shown(who, screen.batch)
        assert len(set(shown)) == 5
        assert who.id not in shown
