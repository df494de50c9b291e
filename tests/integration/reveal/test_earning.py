"""Reveals are earned by days, each by their own tier, whatever order and however often the news comes."""

from __future__ import annotations

import asyncio
import random

import pytest
from unora.reveal.v1.events_pb2 import RevealEarned
from unora.reveal.v1.reveal_service_pb2 import Reveal
from unora.streak.v1.events_pb2 import StreakReset, StreakStarted
from unora_testing.world import World

from tests.integration.reveal.couple import Couple, couple
from tests.support import as_uuid, connect, disconnect

LOCKED = ["LOCKED"] * 5
DAYS = {"free": {1: 5, 2: 10, 5: 15}, "plus": {1: 4, 2: 8, 3: 12, 5: 15}, "pro": {1: 3, 2: 6, 3: 9, 4: 12, 5: 15}}


def due(tier: str, days: int) -> list[str]:
    """What a member of a tier has after so many days."""
    return ["EARNED" if DAYS[tier].get(number, 99) <= days else "LOCKED" for number in range(1, 6)]


async def earned(two: Couple) -> list[tuple[str, int]]:
    """Who was told to have earned what, in order."""
    ids = await two.world.superuser.fetch("SELECT id FROM reveal.reveals WHERE streak_id = $1", two.streak_id)
    events = await two.world.events(RevealEarned, *(row["id"] for row in ids))
    assert all(event.version == 1 and event.streak_id == str(two.streak_id) for event in events)
    return [(event.user_id, event.reveal_number) for event in events]


@pytest.mark.rule("RE-01")
async def test_each_of_the_two_begins_with_five_locked_reveals(world: World) -> None:
    two = await couple(world)
    for member in (two.a, two.b):
        reveals = await two.seen_by(member)
        assert [reveal.reveal_number for reveal in reveals] == [1, 2, 3, 4, 5]
        assert await two.statuses(member) == LOCKED
        assert not any(reveal.HasField("unlocked_at") or reveal.HasField("framed") for reveal in reveals)


@pytest.mark.rule("RE-02")
async def test_the_day_that_a_reveal_needs_is_told_nowhere(world: World) -> None:
    assert set(Reveal.DESCRIPTOR.fields_by_name) == {"reveal_number", "status", "unlocked_at", "framed", "for_sale"}
    two = await couple(world)
    before = await two.seen_by(two.a)
    await two.hear(two.day(1), two.day(4))
    assert await two.seen_by(two.a) == before, "nothing grows with the days but the states"


@pytest.mark.rule("RE-02", "RE-03", "RE-11")
@pytest.mark.parametrize(("mine", "theirs"), [("free", "pro"), ("plus", "free"), ("pro", "plus")])
async def test_each_earns_by_their_own_tier_and_never_sooner(world: World, mine: str, theirs: str) -> None:
    two = await couple(world)
    await two.set_tier(two.a, mine)
    await two.set_tier(two.b, theirs)
    for days in range(1, 16):
        await two.hear(two.day(days))
        assert await two.statuses(two.a) == due(mine, days)
        assert await two.statuses(two.b) == due(theirs, days)
    told = await earned(two)
    expected = [(two.a.id, number) for number in DAYS[mine]] + [(two.b.id, number) for number in DAYS[theirs]]
    assert sorted(told) == sorted(expected)


@pytest.mark.rule("RE-01", "XX-02")
@pytest.mark.parametrize("seed", range(6))
async def test_any_order_and_any_repeat_give_the_same(world: World, seed: int) -> None:
    two = await couple(world, started=False)
    news = [two.started(), *(two.day(days) for days in range(1, 16)), two.completed()] * 2
    random.Random(seed).shuffle(news)
    await two.hear(*news)
    assert await two.statuses(two.a) == await two.statuses(two.b) == due("free", 15)
    assert sorted(await earned(two)) == sorted((who.id, number) for who in (two.a, two.b) for number in (1, 2, 5))


@pytest.mark.rule("RE-01", "XX-02")
async def test_all_the_news_at_once_earns_each_reveal_once(world: World) -> None:
    two = await couple(world, started=False)
    news = [two.started(), *(two.day(days) for days in range(1, 16)), two.completed()] * 2
    await asyncio.gather(*(two.hear(event) for event in news))
    assert await two.statuses(two.a) == due("free", 15)
    assert len(await earned(two)) == 6


@pytest.mark.rule("RE-08")
async def test_a_reset_keeps_what_is_earned(world: World) -> None:
    two = await couple(world)
    await two.hear(two.day(5), two.day(9), two.day(1), two.day(5))
    assert await two.statuses(two.a) == due("free", 5)
    await two.hear(two.day(10))
    assert await two.statuses(two.a) == due("free", 10)
    assert len(await earned(two)) == 4
    assert (await two.row(two.a, 1))["completed_days"] == 5


@pytest.mark.rule("RE-10")
async def test_nothing_is_earned_after_the_end(world: World) -> None:
    two = await couple(world)
    await two.hear(two.day(4), two.ended(), two.day(5), two.completed(), two.ended())
    await two.set_tier(two.a, "pro")  # what 4 days would have earned
    await two.hear(two.day(4))
    assert await two.statuses(two.a) == await two.statuses(two.b) == LOCKED


@pytest.mark.rule("RE-10")
async def test_an_end_that_arrives_before_the_start_holds_for_ever(world: World) -> None:
    two = await couple(world, started=False)
    await two.hear(two.ended(), two.completed(), two.started(), *(two.day(days) for days in range(1, 16)))
    assert await two.statuses(two.a) == LOCKED
    assert await earned(two) == []


@pytest.mark.rule("RE-10")
@pytest.mark.parametrize("seed", range(4))
async def test_an_end_among_the_news_leaves_each_reveal_whole(world: World, seed: int) -> None:
    """Whatever wins, what was told is what is stored."""
    two = await couple(world, started=False)
    news = [two.started(), two.day(5), two.day(10), two.completed(), two.ended()]
    random.Random(seed).shuffle(news)
    await asyncio.gather(*(two.hear(event) for event in news))
    told = set(await earned(two))
    for member in (two.a, two.b):
        statuses = await two.statuses(member)
        assert {number for who, number in told if who == member.id} == {
            number for number, status in enumerate(statuses, 1) if status == "EARNED"
        }
    await two.hear(two.completed())
    assert set(await earned(two)) == told


@pytest.mark.rule("RE-01", "RE-08", "RE-10", "XX-02")
async def test_the_news_comes_through_the_streams(world: World) -> None:
    pair = await connect(world)
    started = next(each for each in await world.events(StreakStarted) if each.connection_id == pair.connection_id)
    two = Couple(world, pair.a, pair.b, as_uuid(pair.connection_id), as_uuid(started.streak_id))
    assert await two.statuses(two.a) == LOCKED
    reset = StreakReset(streak_id=started.streak_id, version=1100, connection_id=pair.connection_id)
    await world.publish(two.day(5), reset)
    assert await two.statuses(two.a) == await two.statuses(two.b) == due("free", 5)
    await disconnect(world, pair, by=pair.a)
    await world.publish(two.day(10))
    assert await two.statuses(two.a) == due("free", 5)
