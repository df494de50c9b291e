"""Batches that were replaced long ago are deleted, by the machine's clock, and nothing else is."""

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


async def batches(pool: Pool, member: Caller, count: int, server: Server = PARTNER) -> list[str]:
    """Creates so many batches of a member, the last of them active; the timer is as if never spent."""
    made = []
    for _ in range(count):
        made.append((await pool.refresh(member, server)).batch.batch_id)
        await pool.world.superuser.execute(
            """UPDATE discovery.refresh_timers SET last_global_refresh_at = NULL, refresh_available_at = NULL
            WHERE user_id = $1""",
            member.user,
        )
    return made


async def age(pool: Pool, batch: str, days: float) -> None:
    """Makes a batch so old by the machine's clock; if it was replaced, its replacement too."""
    await pool.world.superuser.execute(AGE, batch, timedelta(days=days))


async def left(pool: Pool, member: Caller) -> dict[str, int]:
    """The ids of a member's stored batches, with the number of their cards."""
    rows = await pool.world.superuser.fetch(
        """SELECT b.id, count(k) AS cards FROM discovery.discovery_batches b
        LEFT JOIN discovery.discovery_cards k ON k.batch_id = b.id WHERE b.user_id = $1 GROUP BY b.id""",
        member.user,
    )
    return {str(row["id"]): row["cards"] for row in rows}


async def purge(world: World) -> int:
    """Purges batches until none is due; returns their number."""
    retention, done = RetentionJobs(world.apps["discovery"].runtime), 0
    while more := await retention.purge_batches():
        done += more
    return done


async def test_batches_replaced_ninety_days_ago_are_deleted_with_their_cards_and_newer_ones_stay(pool: Pool) -> None:
    member, other = await pool.member(), await pool.member()
    await pool.members(18)
    old, recent, shown = await batches(pool, member, 3)
    others = await batches(pool, other, 2)
    await age(pool, old, 90.1)
    await age(pool, recent, 89.9)
    await age(pool, shown, 400)  # it was never replaced, so it is still on the screen
    screen = await pool.screen(member)
    assert await purge(pool.world) == 1
    assert await left(pool, member) == {recent: 5, shown: 5}
    assert await left(pool, other) == dict.fromkeys(others, 5)
    assert await pool.screen(member) == screen


async def test_the_rule_clock_deletes_nothing(pool: Pool) -> None:
    member = await pool.member()
    await pool.members(10)
    made = await batches(pool, member, 2)
    await pool.world.move_clock(timedelta(days=120))  # this also runs the job
    assert await purge(pool.world) == 0
    assert await left(pool, member) == dict.fromkeys(made, 5)


@pytest.mark.rule("DI-04")
async def test_the_fact_that_there_was_a_batch_is_never_deleted(pool: Pool) -> None:
    """Even if none is stored any more, the next batch in that server is not the first."""
    member = await pool.member()
    await pool.members(20)
    first, last = await batches(pool, member, 2)
    async with pool.world.superuser.transaction():
        for table, key in (("discovery_batches", "id"), ("discovery_cards", "batch_id")):
            await pool.world.superuser.execute(
                f"UPDATE discovery.{table} SET deleted_at = clock.now() WHERE {key} = $1 AND deleted_at IS NULL", last
            )
    await age(pool, first, 300)
    await age(pool, last, 200)
    assert await purge(pool.world) == 2
    assert await left(pool, member) == {}
    assert (await pool.refresh(member)).HasField("refresh_available_at")
    assert (await refusal(pool.refresh(member))).reason == "REFRESH_LOCKED"
    assert not (await pool.screen(member, FRIEND)).HasField("refresh_available_at")


async def test_several_runs_at_once_delete_each_batch_once_a_few_at_a_time(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BATCHES_PER_RUN", 2)
    member = await pool.member()
    await pool.members(50)
    *old, shown = await batches(pool, member, 8)
    for batch in old:
        await age(pool, batch, 100)
    retention = RetentionJobs(pool.world.apps["discovery"].runtime)
    assert await retention.purge_batches() == 2
    assert sum(await asyncio.gather(*(purge(pool.world) for _ in range(4)))) == 5
    assert await left(pool, member) == {shown: 5}


@pytest.mark.rule("DI-09")
@pytest.mark.parametrize(("batch_days", "shown_again_days", "kept"), [(90, 7, 90), (3, 7, 7), (30, 45, 45)])
def test_a_batch_is_kept_as_long_as_the_rules_look_back(
    world: World, batch_days: float, shown_again_days: float, kept: float
) -> None:
    config: DiscoveryConfig = world.apps["discovery"].config
    changed = msgspec.structs.replace(config, batch_days=batch_days, shown_again_days=shown_again_days)
    assert changed.batch_retention == timedelta(days=kept)
