"""Batches that were replaced long ago are forgotten, by the machine's clock, and nothing else is."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest
from unora_discovery import jobs
from unora_discovery.config import DiscoveryConfig
from unora_discovery.jobs import RetentionJobs
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import FRIEND, PARTNER, Pool, Server
from tests.support import refusal

AGE = """
    UPDATE discovery.discovery_batches SET
        created_at = clock_timestamp() - $2::interval - interval '1 hour',
        deleted_at = CASE WHEN deleted_at IS NOT NULL THEN clock_timestamp() - $2::interval END
    WHERE id = $1"""


async def batches(pool: Pool, who: Caller, count: int, server: Server = PARTNER) -> list[str]:
    """So many batches of a member, the last of them active; the timer is as if never spent."""
    made = []
    for _ in range(count):
        made.append((await pool.refresh(who, server)).batch.batch_id)
        await pool.world.superuser.execute(
            """UPDATE discovery.refresh_timers SET last_global_refresh_at = NULL, refresh_available_at = NULL
            WHERE user_id = $1""",
            who.user,
        )
    return made


async def age(pool: Pool, batch: str, days: float) -> None:
    """Makes a batch, and its replacing if it is replaced, so old by the machine's clock."""
    await pool.world.superuser.execute(AGE, batch, timedelta(days=days))


async def left(pool: Pool, who: Caller) -> dict[str, int]:
    """A member's batches, with how many cards each has, whether deleted or not."""
    rows = await pool.world.superuser.fetch(
        """SELECT b.id, count(k) AS cards FROM discovery.discovery_batches b
        LEFT JOIN discovery.discovery_cards k ON k.batch_id = b.id WHERE b.user_id = $1 GROUP BY b.id""",
        who.user,
    )
    return {str(row["id"]): row["cards"] for row in rows}


async def purge(world: World) -> int:
    """Until nothing is left to do."""
    retention, done = RetentionJobs(world.apps["discovery"].runtime), 0
    while more := await retention.purge_batches():
        done += more
    return done


async def test_batches_replaced_ninety_days_ago_go_with_their_cards_and_newer_ones_stay(pool: Pool) -> None:
    who, other = await pool.member(), await pool.member()
    await pool.members(18)
    old, recent, shown = await batches(pool, who, 3)
    others = await batches(pool, other, 2)
    await age(pool, old, 90.1)
    await age(pool, recent, 89.9)
    await age(pool, shown, 400)  # one that was never replaced is still on the screen
    screen = await pool.screen(who)
    assert await purge(pool.world) == 1
    assert await left(pool, who) == {recent: 5, shown: 5}
    assert await left(pool, other) == dict.fromkeys(others, 5)
    assert await pool.screen(who) == screen


async def test_the_rule_clock_forgets_nothing(pool: Pool) -> None:
    who = await pool.member()
    await pool.members(10)
    made = await batches(pool, who, 2)
    await pool.world.move_clock(timedelta(days=120))  # settles, and so runs the job
    assert await purge(pool.world) == 0
    assert await left(pool, who) == dict.fromkeys(made, 5)


@pytest.mark.rule("DI-04")
async def test_that_there_was_a_batch_is_never_forgotten(pool: Pool) -> None:
    """Also where none is active any more: the next one in that server is not the first, ever."""
    who = await pool.member()
    await pool.members(20)
    first, last = await batches(pool, who, 2)
    async with pool.world.superuser.transaction():
        for table, key in (("discovery_batches", "id"), ("discovery_cards", "batch_id")):
            await pool.world.superuser.execute(
                f"UPDATE discovery.{table} SET deleted_at = clock.now() WHERE {key} = $1 AND deleted_at IS NULL", last
            )
    await age(pool, first, 300)
    await age(pool, last, 200)
    assert await purge(pool.world) == 2
    assert await left(pool, who) == {}
    assert (await pool.refresh(who)).HasField("refresh_available_at")
    assert (await refusal(pool.refresh(who))).reason == "REFRESH_LOCKED"
    assert not (await pool.screen(who, FRIEND)).HasField("refresh_available_at")


async def test_several_at_once_take_each_batch_once_a_few_at_a_time(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BATCHES_PER_RUN", 2)
    who = await pool.member()
    await pool.members(50)
    *old, shown = await batches(pool, who, 8)
    for batch in old:
        await age(pool, batch, 100)
    retention = RetentionJobs(pool.world.apps["discovery"].runtime)
    assert await retention.purge_batches() == 2
    assert sum(await asyncio.gather(*(purge(pool.world) for _ in range(4)))) == 5
    assert await left(pool, who) == {shown: 5}


@pytest.mark.rule("DI-09")
@pytest.mark.parametrize(("batch_days", "shown_again_days", "kept"), [(90, 7, 90), (3, 7, 7), (30, 45, 45)])
def test_a_batch_is_kept_as_long_as_the_rules_look_back(
    world: World, batch_days: float, shown_again_days: float, kept: float
) -> None:
    config: DiscoveryConfig = world.apps["discovery"].config
    changed = msgspec.structs.replace(config, batch_days=batch_days, shown_again_days=shown_again_days)
    assert changed.batch_retention == timedelta(days=kept)
