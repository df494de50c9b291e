"""A new tier earns what is due at once, takes nothing back, and has no effect on the partner."""

from __future__ import annotations

import asyncio
import random

import pytest
from unora.reveal.v1.events_pb2 import RevealEarned
from unora_common.ids import uuid7
from unora_testing.world import World

from tests.integration.reveal.reveal_pair import RevealPair, insert_connection, make_reveal_pair, tier_changed
from tests.integration.reveal.test_earning import LOCKED, due
from tests.roles import role_of, waits_for_a_lock


@pytest.fixture
async def pair(world: World) -> RevealPair:
    return await make_reveal_pair(world)


@pytest.mark.rule("RE-08")
@pytest.mark.parametrize("days", [0, 2, 3, 6, 9, 11, 12, 14])
async def test_a_higher_tier_earns_what_is_due_at_once(pair: RevealPair, days: int) -> None:
    await pair.apply(pair.day_completed(days))
    await pair.world.publish(tier_changed(pair.a, "pro", 1))
    assert await pair.statuses(pair.a) == due("pro", days)
    assert await pair.statuses(pair.b) == due("free", days)


@pytest.mark.rule("RE-04", "RE-08")
async def test_no_tier_earns_the_identity(pair: RevealPair) -> None:
    await pair.apply(
        pair.day_completed(14), *(tier_changed(pair.a, tier, n) for n, tier in enumerate(("plus", "pro", "plus"), 1))
    )
    assert (await pair.statuses(pair.a))[4] == "LOCKED"


@pytest.mark.rule("RE-08")
async def test_a_lower_tier_takes_nothing_back(pair: RevealPair) -> None:
    await pair.apply(
        tier_changed(pair.a, "pro", 1), pair.day_completed(9), tier_changed(pair.a, "free", 2), pair.day_completed(12)
    )
    assert await pair.statuses(pair.a) == ["EARNED", "EARNED", "EARNED", "LOCKED", "LOCKED"]
    await pair.apply(pair.payment_succeeded(pair.a, 4))
    assert (await pair.statuses(pair.a))[3] == "PURCHASED"
    await pair.apply(tier_changed(pair.a, "pro", 3), pair.day_completed(13), tier_changed(pair.a, "free", 4))
    assert await pair.statuses(pair.a) == ["EARNED", "EARNED", "EARNED", "PURCHASED", "LOCKED"]


@pytest.mark.rule("RE-03", "RE-08")
async def test_the_reveals_of_the_partner_do_not_change(pair: RevealPair) -> None:
    await pair.apply(pair.day_completed(9))
    before = [await pair.stored_reveal(pair.b, number) for number in range(1, 6)]
    await pair.apply(tier_changed(pair.a, "pro", 1))
    assert [await pair.stored_reveal(pair.b, number) for number in range(1, 6)] == before


@pytest.mark.rule("RE-08", "XX-02")
async def test_an_older_version_of_the_tier_is_ignored(pair: RevealPair) -> None:
    await pair.apply(pair.day_completed(9), tier_changed(pair.a, "free", 5), tier_changed(pair.a, "pro", 4))
    assert await pair.statuses(pair.a) == due("free", 9)


@pytest.mark.rule("RE-08")
async def test_a_streak_that_starts_later_uses_the_tier(world: World) -> None:
    pair = await make_reveal_pair(world, started=False)
    await pair.apply(tier_changed(pair.a, "pro", 1), pair.streak_started(), pair.day_completed(3))
    assert await pair.statuses(pair.a) == due("pro", 3)
    assert await pair.statuses(pair.b) == LOCKED


@pytest.mark.rule("RE-08", "RE-10")
async def test_the_tier_changes_in_all_active_streaks_and_in_no_ended_one(world: World) -> None:
    first = await make_reveal_pair(world)
    others = [await make_reveal_pair(world) for _ in range(2)]
    mine = [first]
    for other in others:
        a, b = sorted((first.a, other.b), key=lambda each: each.user)
        more = RevealPair(world, a, b, uuid7(), uuid7())
        await insert_connection(world, more.connection_id, a, b)
        await more.apply(more.streak_started())
        mine.append(more)
    for each in mine:
        await each.apply(each.day_completed(6))
    await mine[2].apply(mine[2].connection_ended())
    await mine[0].apply(tier_changed(first.a, "pro", 1))
    assert [await each.statuses(first.a) for each in mine] == [due("pro", 6), due("pro", 6), due("free", 6)]


@pytest.mark.rule("RE-08", "XX-02")
@pytest.mark.parametrize("seed", range(6))
async def test_a_tier_and_days_at_the_same_time_give_what_is_due(world: World, seed: int) -> None:
    """Also with the first event of the streak: the tier sees the new progression, or the progression the new tier."""
    pair = await make_reveal_pair(world, started=False)
    events = [
        pair.streak_started(),
        pair.day_completed(3),
        pair.day_completed(6),
        tier_changed(pair.a, "plus", 1),
        tier_changed(pair.a, "pro", 2),
    ]
    events += [tier_changed(pair.b, "plus", 7)]
    random.Random(seed).shuffle(events)
    await asyncio.gather(*(pair.apply(event) for event in events))
    assert await pair.statuses(pair.a) == due("pro", 6)
    assert await pair.statuses(pair.b) == due("plus", 6)
    rows = await world.superuser.fetch("SELECT id FROM reveal.reveals WHERE streak_id = $1", pair.streak_id)
    assert len(await world.events(RevealEarned, *(row["id"] for row in rows))) == 3


@pytest.mark.rule("RE-08")
async def test_a_starting_streak_waits_for_a_tier_that_is_not_committed(world: World) -> None:
    """The tier is written and not committed yet when the streak begins."""
    pair = await make_reveal_pair(world, started=False)
    async with role_of(world, "reveal") as changing:
        held = changing.transaction()
        await held.start()
        await changing.execute("INSERT INTO reveal.tiers VALUES ($1, 'pro', 1)", pair.a.user)
        beginning = asyncio.ensure_future(pair.apply(pair.streak_started(), pair.day_completed(3)))
        await waits_for_a_lock(world, "reveal", beginning)
        await held.commit()
        await beginning
    assert await pair.statuses(pair.a) == due("pro", 3)
