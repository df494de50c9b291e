"""The one order of locks: inventories by the ids of their members, then connections. Transactions that keep it cannot
deadlock, so none of them needs to be tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest
from unora_testing.world import Caller, World

from tests.integration.matching.incoming_events import UseCases, member_blocked, restriction_changed
from tests.integration.matching.people import People
from tests.integration.matching.test_rush import attempt

WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%matching.inventory%'"""
Act = Callable[[People, Caller, Caller, str, datetime], Awaitable[object]]


async def block(people: People, one: Caller, other: Caller, connection_id: str, now: datetime) -> None:
    await UseCases(people).block(member_blocked(one, other, now))


async def suspend(people: People, one: Caller, other: Caller, connection_id: str, now: datetime) -> None:
    await UseCases(people).restrict(restriction_changed(one, 1, now, suspended=True))


async def end(people: People, one: Caller, other: Caller, connection_id: str, now: datetime) -> str:
    return await people.end_directly(one, connection_id)


async def send_interest(people: People, one: Caller, other: Caller, connection_id: str, now: datetime) -> str:
    return await attempt(people, one, other, "growth")


@pytest.mark.rule("MA-02")
@pytest.mark.parametrize("by_the_lower", [True, False])
@pytest.mark.parametrize("act", [block, suspend, end, send_interest])
async def test_a_use_case_that_waits_for_the_lower_member_holds_neither_the_higher_nor_the_connection(
    world: World, people: People, act: Act, by_the_lower: bool
) -> None:
    low, high = sorted(await people.members("pro", "pro"), key=lambda member: member.user)
    connection = await people.connect(low, high)
    now = await world.now()
    pair = (low, high) if by_the_lower else (high, low)
    async with people.database.transaction() as tx:
        await tx.rows("SELECT FROM matching.inventory WHERE user_id = $1 FOR UPDATE", low.user)
        acting = asyncio.ensure_future(act(people, *pair, connection.connection_id, now))
        while not await world.superuser.fetchval(WAITING):
            assert not acting.done()
        for table, key, value in (
            ("inventory", "user_id", high.id),
            ("connections", "id", connection.connection_id),
        ):
            free = f"SELECT FROM matching.{table} WHERE {key} = $1::uuid FOR UPDATE NOWAIT"
            assert len(await world.superuser.fetch(free, value)) == 1
    await acting
    assert len(await people.connections(low)) == int(act is send_interest)
