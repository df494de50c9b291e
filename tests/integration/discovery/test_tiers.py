"""DI-14: a change of tier changes the running timer at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from unora.common.v1 import types_pb2
from unora.common.v1.types_pb2 import TIER_FREE, TIER_PLUS, TIER_PRO
from unora.discovery.v1.discovery_service_pb2 import Screen
from unora.discovery.v1.events_pb2 import BatchRefreshed, RefreshTimerChanged
from unora_discovery.domain.pool import Tier, TierNotice
from unora_discovery.use_cases.tiers import change_tiers
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import FRIEND, Pool
from tests.support import refusal


def opens_at(screen: Screen) -> datetime | None:
    return screen.refresh_available_at.ToDatetime(UTC) if screen.HasField("refresh_available_at") else None


@pytest.fixture
async def member(pool: Pool) -> Caller:
    """A member in a pool that is large enough for some batches."""
    await pool.members(40)
    return await pool.member()


async def spend(pool: Pool, member: Caller) -> datetime:
    """Spends the timer; returns when."""
    await pool.refresh(member)
    return (await pool.refresh(member)).batch.created_at.ToDatetime(UTC)


@pytest.mark.rule("DI-14", "DI-06")
async def test_a_higher_tier_ends_the_time_lock_that_is_over_by_it(world: World, pool: Pool, member: Caller) -> None:
    spent = await spend(pool, member)
    await pool.tier(member, 1, TIER_PLUS)
    assert opens_at(await pool.screen(member)) == spent + timedelta(hours=12)
    assert (await refusal(pool.refresh(member))).metadata["refresh_available_at"] == (
        spent + timedelta(hours=12)
    ).isoformat()
    await world.move_clock(spent + timedelta(hours=7))
    await pool.tier(member, 2, TIER_PRO)
    assert opens_at(await pool.screen(member)) is None
    assert opens_at(await pool.screen(member, FRIEND)) is None
    again = await pool.refresh(member)
    assert opens_at(again) == again.batch.created_at.ToDatetime(UTC) + timedelta(hours=6)


@pytest.mark.rule("DI-14", "DI-06")
async def test_a_lower_tier_locks_again(world: World, pool: Pool, member: Caller) -> None:
    await pool.tier(member, 1, TIER_PRO)
    spent = await spend(pool, member)
    await world.move_clock(spent + timedelta(hours=7))
    assert opens_at(await pool.screen(member)) is None
    await pool.tier(member, 2, TIER_FREE)
    assert opens_at(await pool.screen(member)) == spent + timedelta(hours=24)
    assert (await refusal(pool.refresh(member))).reason == "REFRESH_LOCKED"


@pytest.mark.rule("DI-14")
async def test_the_change_is_published_once_with_the_members_next_version(
    world: World, pool: Pool, member: Caller
) -> None:
    spent = await spend(pool, member)
    await pool.tier(member, 1, TIER_PLUS)
    (change,) = await world.events(RefreshTimerChanged, member.user)
    batches = await world.events(BatchRefreshed, member.user)
    assert change.version == batches[-1].version + 1
    assert change.last_global_refresh_at.ToDatetime(UTC) == spent
    assert change.refresh_available_at.ToDatetime(UTC) == spent + timedelta(hours=12)


@pytest.mark.rule("DI-14", "XX-02")
@pytest.mark.parametrize("changes", [[(2, TIER_PRO), (1, TIER_PLUS)], [(2, TIER_PRO), (2, TIER_PRO)]])
async def test_a_tier_that_is_not_newer_changes_nothing(
    world: World, pool: Pool, member: Caller, changes: list[tuple[int, types_pb2.Tier.ValueType]]
) -> None:
    """Each change as if from another event: only the version counts."""
    spent = await spend(pool, member)
    policy = world.apps["discovery"].config.policy
    for version, tier in changes:
        async with world.apps["discovery"].database.transaction() as tx:
            notice = TierNotice(user_id=member.user, version=version, tier=Tier("pro" if tier == TIER_PRO else "plus"))
            await change_tiers(tx, [notice], policy)
    assert opens_at(await pool.screen(member)) == spent + timedelta(hours=6)
    assert len(await world.events(RefreshTimerChanged, member.user)) == 1


@pytest.mark.rule("DI-14")
async def test_a_timer_that_never_ran_is_not_published_and_the_tier_counts_for_its_first_run(
    world: World, pool: Pool, member: Caller
) -> None:
    await pool.tier(member, 1, TIER_PRO)
    assert await world.events(RefreshTimerChanged, member.user) == []
    assert await pool.rows("refresh_timers", member.user) != []
    assert opens_at(await pool.screen(member)) is None
    spent = await spend(pool, member)
    assert opens_at(await pool.screen(member)) == spent + timedelta(hours=6)


@pytest.mark.rule("DI-14")
async def test_a_tier_may_come_for_a_member_who_joined_nothing_and_is_not_known(world: World, pool: Pool) -> None:
    stranger = world.caller()
    await pool.tier(stranger, 1, TIER_PLUS)
    (known,) = await pool.rows("candidates", stranger.user)
    assert (known["tier"], known["tier_version"], known["discovery_ready"]) == ("plus", 1, False)
    assert await pool.rows("refresh_timers", stranger.user) == []


@pytest.mark.rule("DI-14")
async def test_the_event_of_slots_does_not_set_the_tier(pool: Pool, member: Caller) -> None:
    """Matching repeats billing's tier, perhaps later. The timer depends on billing alone."""
    await pool.tier(member, 1, TIER_PRO)
    await pool.inventory(member, 7, count=0, limit=4)  # this event says that the tier is free
    spent = await spend(pool, member)
    assert opens_at(await pool.screen(member)) == spent + timedelta(hours=6)


@pytest.mark.rule("DI-14", "DI-04")
@pytest.mark.parametrize("tier_first", [True, False])
async def test_a_tier_that_comes_during_a_refresh_counts_for_it(
    world: World, pool: Pool, member: Caller, tier_first: bool
) -> None:
    """Both wait for the timer's lock. In both orders the timer ends with the duration of the new tier."""
    await pool.refresh(member)
    policy = world.apps["discovery"].config.policy

    async def change() -> None:
        async with world.apps["discovery"].database.transaction() as tx:
            await change_tiers(tx, [TierNotice(user_id=member.user, version=1, tier=Tier.PRO)], policy)

    connection, transaction = await pool.lock_timer(member)
    works = []
    for work in (change, lambda: pool.refresh(member)) if tier_first else (lambda: pool.refresh(member), change):
        works.append(asyncio.ensure_future(work()))
        await pool.wait_for_blocked_calls(len(works))
    await transaction.rollback()
    await connection.close()
    await asyncio.gather(*works)
    screen = await pool.screen(member)
    spent = screen.batch.created_at.ToDatetime(UTC)
    assert opens_at(screen) == spent + timedelta(hours=6)
    assert len(await world.events(RefreshTimerChanged, member.user)) == (0 if tier_first else 1)
