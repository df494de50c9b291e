"""DI-14: a change of tier moves the timer that runs, at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from unora.common.v1 import types_pb2
from unora.common.v1.types_pb2 import TIER_FREE, TIER_PLUS, TIER_PRO
from unora.discovery.v1.discovery_service_pb2 import Screen
from unora.discovery.v1.events_pb2 import BatchRefreshed, RefreshTimerChanged
from unora_discovery.domain.pool import Tier
from unora_discovery.use_cases.tiers import change_tier
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import FRIEND, Pool
from tests.support import refusal


def opens_at(screen: Screen) -> datetime | None:
    return screen.refresh_available_at.ToDatetime(UTC) if screen.HasField("refresh_available_at") else None


@pytest.fixture
async def who(pool: Pool) -> Caller:
    """A member in a pool that is large enough for some batches."""
    await pool.members(40)
    return await pool.member()


async def spend(pool: Pool, who: Caller) -> datetime:
    """Spends the timer; returns when."""
    await pool.refresh(who)
    return (await pool.refresh(who)).batch.created_at.ToDatetime(UTC)


@pytest.mark.rule("DI-14", "DI-06")
async def test_a_higher_tier_opens_what_is_due_by_it(world: World, pool: Pool, who: Caller) -> None:
    spent = await spend(pool, who)
    await pool.tier(who, 1, TIER_PLUS)
    assert opens_at(await pool.screen(who)) == spent + timedelta(hours=12)
    assert (await refusal(pool.refresh(who))).metadata["refresh_available_at"] == (
        spent + timedelta(hours=12)
    ).isoformat()
    await world.move_clock(spent + timedelta(hours=7))
    await pool.tier(who, 2, TIER_PRO)
    assert opens_at(await pool.screen(who)) is None
    assert opens_at(await pool.screen(who, FRIEND)) is None
    again = await pool.refresh(who)
    assert opens_at(again) == again.batch.created_at.ToDatetime(UTC) + timedelta(hours=6)


@pytest.mark.rule("DI-14", "DI-06")
async def test_a_lower_tier_locks_again_what_was_open(world: World, pool: Pool, who: Caller) -> None:
    await pool.tier(who, 1, TIER_PRO)
    spent = await spend(pool, who)
    await world.move_clock(spent + timedelta(hours=7))
    assert opens_at(await pool.screen(who)) is None
    await pool.tier(who, 2, TIER_FREE)
    assert opens_at(await pool.screen(who)) == spent + timedelta(hours=24)
    assert (await refusal(pool.refresh(who))).reason == "REFRESH_LOCKED"


@pytest.mark.rule("DI-14")
async def test_it_is_told_once_with_the_members_next_version(world: World, pool: Pool, who: Caller) -> None:
    spent = await spend(pool, who)
    await pool.tier(who, 1, TIER_PLUS)
    (told,) = await world.events(RefreshTimerChanged, who.user)
    batches = await world.events(BatchRefreshed, who.user)
    assert told.version == batches[-1].version + 1
    assert told.last_global_refresh_at.ToDatetime(UTC) == spent
    assert told.refresh_available_at.ToDatetime(UTC) == spent + timedelta(hours=12)


@pytest.mark.rule("DI-14", "XX-02")
@pytest.mark.parametrize("told", [[(2, TIER_PRO), (1, TIER_PLUS)], [(2, TIER_PRO), (2, TIER_PRO)]])
async def test_a_tier_that_is_not_newer_moves_nothing(
    world: World, pool: Pool, who: Caller, told: list[tuple[int, types_pb2.Tier.ValueType]]
) -> None:
    """Each time as if told by another event: what counts is the version."""
    spent = await spend(pool, who)
    policy = world.apps["discovery"].config.policy
    for version, tier in told:
        async with world.apps["discovery"].database.transaction() as tx:
            await change_tier(tx, who.user, version, Tier("pro" if tier == TIER_PRO else "plus"), policy)
    assert opens_at(await pool.screen(who)) == spent + timedelta(hours=6)
    assert len(await world.events(RefreshTimerChanged, who.user)) == 1


@pytest.mark.rule("DI-14")
async def test_a_timer_that_never_ran_is_not_told_of_and_the_tier_counts_for_the_first_that_does(
    world: World, pool: Pool, who: Caller
) -> None:
    await pool.tier(who, 1, TIER_PRO)
    assert await world.events(RefreshTimerChanged, who.user) == []
    assert await pool.rows("refresh_timers", who.user) != []
    assert opens_at(await pool.screen(who)) is None
    spent = await spend(pool, who)
    assert opens_at(await pool.screen(who)) == spent + timedelta(hours=6)


@pytest.mark.rule("DI-14")
async def test_a_tier_may_be_told_of_who_has_joined_nothing_and_of_whom_nothing_is_known(
    world: World, pool: Pool
) -> None:
    stranger = world.caller()
    await pool.tier(stranger, 1, TIER_PLUS)
    (known,) = await pool.rows("candidates", stranger.user)
    assert (known["tier"], known["tier_version"], known["discovery_ready"]) == ("plus", 1, False)
    assert await pool.rows("refresh_timers", stranger.user) == []


@pytest.mark.rule("DI-14")
async def test_slots_do_not_tell_the_tier(pool: Pool, who: Caller) -> None:
    """Matching repeats what billing says, maybe later: the timer goes by billing alone."""
    await pool.tier(who, 1, TIER_PRO)
    await pool.inventory(who, 7, count=0, limit=4)  # which says that the tier is free
    spent = await spend(pool, who)
    assert opens_at(await pool.screen(who)) == spent + timedelta(hours=6)


@pytest.mark.rule("DI-14", "DI-04")
@pytest.mark.parametrize("tier_first", [True, False])
async def test_a_tier_that_comes_during_a_refresh_counts_for_it(
    world: World, pool: Pool, who: Caller, tier_first: bool
) -> None:
    """Both wait for the timer's lock; whichever gets it first, the timer ends as the new tier has it."""
    await pool.refresh(who)
    policy = world.apps["discovery"].config.policy

    async def change() -> None:
        async with world.apps["discovery"].database.transaction() as tx:
            await change_tier(tx, who.user, 1, Tier.PRO, policy)

    connection, transaction = await pool.hold(who)
    works = []
    for work in (change, lambda: pool.refresh(who)) if tier_first else (lambda: pool.refresh(who), change):
        works.append(asyncio.ensure_future(work()))
        await pool.blocked_calls(len(works))
    await transaction.rollback()
    await connection.close()
    await asyncio.gather(*works)
    screen = await pool.screen(who)
    spent = screen.batch.created_at.ToDatetime(UTC)
    assert opens_at(screen) == spent + timedelta(hours=6)
    assert len(await world.events(RefreshTimerChanged, who.user)) == (0 if tier_first else 1)
