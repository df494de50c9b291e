"""A tier that changes earns what is due at once, takes nothing back, and is the member's own."""

from __future__ import annotations

import asyncio
import random

import pytest
from unora.reveal.v1.events_pb2 import RevealEarned
from unora_common.ids import uuid7
from unora_testing.world import World

from tests.integration.reveal.couple import Couple, couple, insert_connection, tier_changed
from tests.integration.reveal.test_earning import LOCKED, due
from tests.roles import role_of, waits_for_a_lock


@pytest.fixture
async def two(world: World) -> Couple:
    return await couple(world)


@pytest.mark.rule("RE-08")
@pytest.mark.parametrize("days", [0, 2, 3, 6, 9, 11, 12, 14])
async def test_a_higher_tier_earns_due_days_at_once(two: Couple, days: int) -> None:
    await two.hear(two.day(days))
    await two.world.publish(tier_changed(two.a, "pro", 1))
    assert await two.statuses(two.a) == due("pro", days)
    assert await two.statuses(two.b) == due("free", days)


@pytest.mark.rule("RE-04", "RE-08")
async def test_no_tier_brings_the_identity(two: Couple) -> None:
    await two.hear(two.day(14), *(tier_changed(two.a, tier, n) for n, tier in enumerate(("plus", "pro", "plus"), 1)))
    assert (await two.statuses(two.a))[4] == "LOCKED"


@pytest.mark.rule("RE-08")
async def test_a_lower_tier_takes_nothing_back(two: Couple) -> None:
    await two.hear(tier_changed(two.a, "pro", 1), two.day(9), tier_changed(two.a, "free", 2), two.day(12))
    assert await two.statuses(two.a) == ["EARNED", "EARNED", "EARNED", "LOCKED", "LOCKED"]
    await two.hear(two.paid(two.a, 4))
    assert (await two.statuses(two.a))[3] == "PURCHASED"
    await two.hear(tier_changed(two.a, "pro", 3), two.day(13), tier_changed(two.a, "free", 4))
    assert await two.statuses(two.a) == ["EARNED", "EARNED", "EARNED", "PURCHASED", "LOCKED"]


@pytest.mark.rule("RE-03", "RE-08")
async def test_the_others_progression_is_untouched(two: Couple) -> None:
    await two.hear(two.day(9))
    before = [await two.row(two.b, number) for number in range(1, 6)]
    await two.hear(tier_changed(two.a, "pro", 1))
    assert [await two.row(two.b, number) for number in range(1, 6)] == before


@pytest.mark.rule("RE-08", "XX-02")
async def test_an_older_tier_is_not_taken(two: Couple) -> None:
    await two.hear(two.day(9), tier_changed(two.a, "free", 5), tier_changed(two.a, "pro", 4))
    assert await two.statuses(two.a) == due("free", 9)


@pytest.mark.rule("RE-08")
async def test_a_progression_that_starts_later_has_the_tier(world: World) -> None:
    two = await couple(world, started=False)
    await two.hear(tier_changed(two.a, "pro", 1), two.started(), two.day(3))
    assert await two.statuses(two.a) == due("pro", 3)
    assert await two.statuses(two.b) == LOCKED


@pytest.mark.rule("RE-08", "RE-10")
async def test_all_active_streaks_follow_and_no_ended_one(world: World) -> None:
    first = await couple(world)
    others = [await couple(world) for _ in range(2)]
    mine = [first]
    for other in others:
        a, b = sorted((first.a, other.b), key=lambda each: each.user)
        more = Couple(world, a, b, uuid7(), uuid7())
        await insert_connection(world, more.connection_id, a, b)
        await more.hear(more.started())
        mine.append(more)
    for each in mine:
        await each.hear(each.day(6))
    await mine[2].hear(mine[2].ended())
    await mine[0].hear(tier_changed(first.a, "pro", 1))
    assert [await each.statuses(first.a) for each in mine] == [due("pro", 6), due("pro", 6), due("free", 6)]


@pytest.mark.rule("RE-08", "XX-02")
@pytest.mark.parametrize("seed", range(6))
async def test_a_tier_and_the_days_in_any_order_at_once(world: World, seed: int) -> None:
    """Also the very first news of the streak: either the tier finds the progression, or the progression the tier."""
    two = await couple(world, started=False)
    news = [two.started(), two.day(3), two.day(6), tier_changed(two.a, "plus", 1), tier_changed(two.a, "pro", 2)]
    news += [tier_changed(two.b, "plus", 7)]
    random.Random(seed).shuffle(news)
    await asyncio.gather(*(two.hear(event) for event in news))
    assert await two.statuses(two.a) == due("pro", 6)
    assert await two.statuses(two.b) == due("plus", 6)
    rows = await world.superuser.fetch("SELECT id FROM reveal.reveals WHERE streak_id = $1", two.streak_id)
    assert len(await world.events(RevealEarned, *(row["id"] for row in rows))) == 3


@pytest.mark.rule("RE-08")
async def test_a_tier_that_is_being_told_is_waited_for_by_a_streak_that_begins(world: World) -> None:
    """Billing's news is applied and not committed; the streak begins in that moment."""
    two = await couple(world, started=False)
    async with role_of(world, "reveal") as telling:
        held = telling.transaction()
        await held.start()
        await telling.execute("INSERT INTO reveal.tiers VALUES ($1, 'pro', 1)", two.a.user)
        beginning = asyncio.ensure_future(two.hear(two.started(), two.day(3)))
        await waits_for_a_lock(world, "reveal", beginning)
        await held.commit()
        await beginning
    assert await two.statuses(two.a) == due("pro", 3)
