"""Reveals are earned by days, by the tier of each member, with events in any order and repeated."""

from __future__ import annotations

import asyncio
import random

import pytest
from unora.reveal.v1.events_pb2 import RevealEarned
from unora.reveal.v1.reveal_service_pb2 import Reveal
from unora.streak.v1.events_pb2 import StreakReset, StreakStarted
from unora_testing.world import World

from tests.integration.reveal.reveal_pair import RevealPair, make_reveal_pair
from tests.support import as_uuid, connect, disconnect

LOCKED = ["LOCKED"] * 5
DAYS = {"free": {1: 5, 2: 10, 5: 15}, "plus": {1: 4, 2: 8, 3: 12, 5: 15}, "pro": {1: 3, 2: 6, 3: 9, 4: 12, 5: 15}}


def due(tier: str, days: int) -> list[str]:
    """The statuses of a member of a tier after this many days."""
    return ["EARNED" if DAYS[tier].get(number, 99) <= days else "LOCKED" for number in range(1, 6)]


async def earned(pair: RevealPair) -> list[tuple[str, int]]:
    """The events of earned reveals in order: member and number."""
    ids = await pair.world.superuser.fetch("SELECT id FROM reveal.reveals WHERE streak_id = $1", pair.streak_id)
    events = await pair.world.events(RevealEarned, *(row["id"] for row in ids))
    assert all(event.version == 1 and event.streak_id == str(pair.streak_id) for event in events)
    return [(event.user_id, event.reveal_number) for event in events]


@pytest.mark.rule("RE-01")
async def test_each_member_begins_with_five_locked_reveals(world: World) -> None:
    pair = await make_reveal_pair(world)
    for member in (pair.a, pair.b):
        reveals = await pair.list_reveals(member)
        assert [reveal.reveal_number for reveal in reveals] == [1, 2, 3, 4, 5]
        assert await pair.statuses(member) == LOCKED
        assert not any(reveal.HasField("unlocked_at") or reveal.HasField("framed") for reveal in reveals)


@pytest.mark.rule("RE-02")
async def test_no_answer_tells_the_day_that_a_reveal_needs(world: World) -> None:
    assert set(Reveal.DESCRIPTOR.fields_by_name) == {"reveal_number", "status", "unlocked_at", "framed", "for_sale"}
    pair = await make_reveal_pair(world)
    before = await pair.list_reveals(pair.a)
    await pair.apply(pair.day_completed(1), pair.day_completed(4))
    assert await pair.list_reveals(pair.a) == before, "only the statuses change with the days"


@pytest.mark.rule("RE-02", "RE-03", "RE-11")
@pytest.mark.parametrize(("mine", "theirs"), [("free", "pro"), ("plus", "free"), ("pro", "plus")])
async def test_each_member_earns_by_their_own_tier_and_never_sooner(world: World, mine: str, theirs: str) -> None:
    pair = await make_reveal_pair(world)
    await pair.set_tier(pair.a, mine)
    await pair.set_tier(pair.b, theirs)
    for days in range(1, 16):
        await pair.apply(pair.day_completed(days))
        assert await pair.statuses(pair.a) == due(mine, days)
        assert await pair.statuses(pair.b) == due(theirs, days)
    actual = await earned(pair)
    expected = [(pair.a.id, number) for number in DAYS[mine]] + [(pair.b.id, number) for number in DAYS[theirs]]
    assert sorted(actual) == sorted(expected)


@pytest.mark.rule("RE-01", "XX-02")
@pytest.mark.parametrize("seed", range(6))
async def test_any_order_and_any_repeat_of_events_give_the_same(world: World, seed: int) -> None:
    pair = await make_reveal_pair(world, started=False)
    events = [pair.streak_started(), *(pair.day_completed(days) for days in range(1, 16)), pair.streak_completed()] * 2
    random.Random(seed).shuffle(events)
    await pair.apply(*events)
    assert await pair.statuses(pair.a) == await pair.statuses(pair.b) == due("free", 15)
    assert sorted(await earned(pair)) == sorted(
        (member.id, number) for member in (pair.a, pair.b) for number in (1, 2, 5)
    )


@pytest.mark.rule("RE-01", "XX-02")
async def test_all_events_at_the_same_time_earn_each_reveal_once(world: World) -> None:
    pair = await make_reveal_pair(world, started=False)
    events = [pair.streak_started(), *(pair.day_completed(days) for days in range(1, 16)), pair.streak_completed()] * 2
    await asyncio.gather(*(pair.apply(event) for event in events))
    assert await pair.statuses(pair.a) == due("free", 15)
    assert len(await earned(pair)) == 6


@pytest.mark.rule("RE-08")
async def test_a_reset_keeps_what_is_earned(world: World) -> None:
    pair = await make_reveal_pair(world)
    await pair.apply(pair.day_completed(5), pair.day_completed(9), pair.day_completed(1), pair.day_completed(5))
    assert await pair.statuses(pair.a) == due("free", 5)
    await pair.apply(pair.day_completed(10))
    assert await pair.statuses(pair.a) == due("free", 10)
    assert len(await earned(pair)) == 4
    assert (await pair.stored_reveal(pair.a, 1))["completed_days"] == 5


@pytest.mark.rule("RE-10")
async def test_nothing_is_earned_after_the_end(world: World) -> None:
    pair = await make_reveal_pair(world)
    await pair.apply(
        pair.day_completed(4),
        pair.connection_ended(),
        pair.day_completed(5),
        pair.streak_completed(),
        pair.connection_ended(),
    )
    await pair.set_tier(pair.a, "pro")  # what 4 days would have earned
    await pair.apply(pair.day_completed(4))
    assert await pair.statuses(pair.a) == await pair.statuses(pair.b) == LOCKED


@pytest.mark.rule("RE-10")
async def test_an_end_that_arrives_before_the_start_is_final(world: World) -> None:
    pair = await make_reveal_pair(world, started=False)
    await pair.apply(
        pair.connection_ended(),
        pair.streak_completed(),
        pair.streak_started(),
        *(pair.day_completed(days) for days in range(1, 16)),
    )
    assert await pair.statuses(pair.a) == LOCKED
    assert await earned(pair) == []


@pytest.mark.rule("RE-10")
@pytest.mark.parametrize("seed", range(4))
async def test_an_end_at_the_same_time_leaves_each_reveal_consistent(world: World, seed: int) -> None:
    """Whichever event wins, the emitted events agree with the stored statuses."""
    pair = await make_reveal_pair(world, started=False)
    events = [
        pair.streak_started(),
        pair.day_completed(5),
        pair.day_completed(10),
        pair.streak_completed(),
        pair.connection_ended(),
    ]
    random.Random(seed).shuffle(events)
    await asyncio.gather(*(pair.apply(event) for event in events))
    before = set(await earned(pair))
    for member in (pair.a, pair.b):
        statuses = await pair.statuses(member)
        assert {number for user_id, number in before if user_id == member.id} == {
            number for number, status in enumerate(statuses, 1) if status == "EARNED"
        }
    await pair.apply(pair.streak_completed())
    assert set(await earned(pair)) == before


@pytest.mark.rule("RE-01", "RE-08", "RE-10", "XX-02")
async def test_events_arrive_through_the_streams(world: World) -> None:
    connection = await connect(world)
    started = next(each for each in await world.events(StreakStarted) if each.connection_id == connection.connection_id)
    pair = RevealPair(world, connection.a, connection.b, as_uuid(connection.connection_id), as_uuid(started.streak_id))
    assert await pair.statuses(pair.a) == LOCKED
    reset = StreakReset(streak_id=started.streak_id, version=1100, connection_id=connection.connection_id)
    await world.publish(pair.day_completed(5), reset)
    assert await pair.statuses(pair.a) == await pair.statuses(pair.b) == due("free", 5)
    await disconnect(world, connection, by=connection.a)
    await world.publish(pair.day_completed(10))
    assert await pair.statuses(pair.a) == due("free", 5)
