"""Batches that were replaced long ago are deleted, by the machine's clock, and nothing else is."""

from __future__ import annotations

import asyncio
from datetime import UTC, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from unora.matching.v1.events_pb2 import INTEREST_CLOSURE_WITHDRAWN, InterestClosed
from unora_discovery import jobs
from unora_discovery.config import DiscoveryConfig
from unora_discovery.jobs import RetentionJobs
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import FRIEND, PARTNER, Pool, Server, new_id
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


async def pairs_left(pool: Pool, *keys: UUID) -> set[UUID]:
    rows = await pool.world.superuser.fetch(
        """SELECT source_id AS id FROM discovery.exclusions WHERE source_id = ANY ($1)
        UNION ALL SELECT blocked_id FROM discovery.member_blocks WHERE blocked_id = ANY ($1)""",
        keys,
    )
    return {row["id"] for row in rows}


@pytest.mark.rule("DI-09", "DI-17")
async def test_what_keeps_nobody_apart_is_deleted_when_no_event_can_restore_it(pool: Pool) -> None:
    """By both clocks: neither moving the rule clock nor a stopped one deletes what an old event could bring back."""
    ids = {name: uuid4() for name in ("old", "lifted", "recent", "ended", "connected", "blocked", "unblocked", "late")}
    for name, reason, days in (
        ("old", "interest_pending", 31),
        ("lifted", "lifted", 31),
        ("recent", "lifted", 29),
        ("ended", "ended", None),
        ("connected", "connected", 400),
    ):
        await pool.world.superuser.execute(
            """INSERT INTO discovery.exclusions (source_id, user_id, other_id, reason, version, apart_until)
            VALUES ($1, gen_random_uuid(), gen_random_uuid(), $2, 1, clock_timestamp() - make_interval(days => $3))""",
            *(ids[name], reason, days),
        )
    for name, in_force, days in (("blocked", True, 400), ("unblocked", False, 31), ("late", False, 29)):
        await pool.world.superuser.execute(
            """INSERT INTO discovery.member_blocks VALUES (
                gen_random_uuid(), $1, $2, clock_timestamp() - make_interval(days => $3))""",
            *(ids[name], in_force, days),
        )
    await pool.world.move_clock(timedelta(days=90))  # this also runs the jobs
    assert await pairs_left(pool, *ids.values()) == set(ids.values()) - {ids["old"], ids["lifted"], ids["unblocked"]}


@pytest.mark.rule("DI-09")
async def test_an_exclusion_that_is_lifted_without_a_known_end_has_one(pool: Pool) -> None:
    """Only the event of the sending says when an interest ends; that of the closing may be all that ever comes."""
    stamp = await pool.stamp()
    closed = InterestClosed(
        interest_id=new_id(),
        version=2,
        sender_id=new_id(),
        receiver_id=new_id(),
        server_type=PARTNER,
        closure=INTEREST_CLOSURE_WITHDRAWN,
        occurred_at=stamp,
    )
    await pool.world.publish(closed)
    row = await pool.world.superuser.fetchrow(
        "SELECT reason, apart_until FROM discovery.exclusions WHERE source_id = $1::text::uuid", closed.interest_id
    )
    assert row is not None
    assert row["reason"] == "lifted"
    assert row["apart_until"] >= stamp.ToDatetime(UTC)


@pytest.mark.rule("DI-03", "DI-17")
async def test_a_card_is_written_once(pool: Pool) -> None:
    member = await pool.member()
    await pool.members(12)
    first, _ = await batches(pool, member, 2)
    rows = await pool.world.superuser.fetch(
        "SELECT xmax::text, deleted_at FROM discovery.discovery_cards WHERE batch_id = $1::text::uuid", first
    )
    assert [(row["xmax"], row["deleted_at"]) for row in rows] == [("0", None)] * 5
