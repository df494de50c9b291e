"""ST-23: who wakes the members learns once a day that nobody has checked in."""

from __future__ import annotations

import asyncio
from datetime import UTC, timedelta

import pytest
from unora.streak.v1.events_pb2 import DayEndsSoon
from unora_streak.jobs import StreakJobs
from unora_testing.world import World

from tests.integration.streak.conftest import MINUTE, Couple

HOURS = timedelta(hours=6)


@pytest.mark.rule("ST-23")
async def test_the_sweep_tells_once_that_a_day_ends_soon(couple: Couple) -> None:
    ends_at = await couple.day_ends_at()
    await couple.to_end_of_day(-HOURS - MINUTE)
    assert await couple.events(DayEndsSoon) == []
    for offset in (-HOURS, -HOURS + MINUTE, -MINUTE):
        await couple.to_end_of_day(offset)
        (told,) = await couple.events(DayEndsSoon)
    assert told.occurred_at.ToDatetime(UTC) == ends_at - HOURS
    assert (told.day_ends_at.ToDatetime(UTC), told.time_zone) == (ends_at, (await couple.now()).time_zone)
    assert {told.user_a_id, told.user_b_id} == {couple.a.id, couple.b.id}


@pytest.mark.rule("ST-23")
async def test_it_is_not_told_of_a_day_on_which_one_has_checked_in(couple: Couple) -> None:
    await couple.check_in(couple.a)
    await couple.to_end_of_day(-MINUTE)
    assert await couple.events(DayEndsSoon) == []


@pytest.mark.rule("ST-16", "ST-23")
async def test_sweeps_at_the_same_moment_tell_it_once(world: World, couple: Couple) -> None:
    await couple.jump(await couple.day_ends_at() - HOURS)
    jobs = [StreakJobs(world.apps["streak"].runtime) for _ in range(5)]
    assert sum(await asyncio.gather(*(each.close_days() for each in jobs))) >= 1
    assert len(await couple.events(DayEndsSoon)) == 1


@pytest.mark.rule("ST-04", "ST-23")
async def test_a_check_in_before_the_sweep_comes_tells_it_first(couple: Couple) -> None:
    await couple.jump(await couple.day_ends_at() - HOURS + MINUTE)
    await couple.check_in(couple.a)
    assert len(await couple.events(DayEndsSoon)) == 1
    await couple.world.drain()
    assert len(await couple.events(DayEndsSoon)) == 1
