"""XX-08: every projection is made anew from its owner, while events go on, and equals the live one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from unora_common.rebuilding import Part
from unora_testing.world import World

from tests.integration.projections.played import Played, play
from tests.integration.projections.projected_rows import (
    DAMAGE,
    LOST,
    dump,
    facts,
    harm,
    lost,
    projected,
    rebuild,
    remove_harmless,
    require_equal,
    said,
)

pytestmark = pytest.mark.rule("XX-08")


@pytest.fixture(scope="module")
async def played(world: World) -> Played:
    return await play(world)


async def test_each_projection_is_played_and_damaged(world: World, played: Played) -> None:
    """Else the tests below would prove nothing of it."""
    assert set(DAMAGE) == set(projected()), "say how each projected table is damaged"
    assert set(LOST) <= set(projected())
    live = await dump(world)
    assert [table for table, rows in live.items() if len(rows) < 2] == []


async def test_what_is_damaged_equals_the_live_rows_again(world: World, played: Played) -> None:
    live = await dump(world)
    await harm(world, DAMAGE)
    damaged = await dump(world)
    assert [each for each in facts() if said(damaged, *each) == said(live, *each)] == [], "each is damaged"
    await rebuild(world)
    require_equal(await dump(world), live)
    await remove_harmless(world, live)


async def test_what_is_lost_equals_the_live_rows_again(world: World, played: Played) -> None:
    live = await dump(world)
    await harm(world, lost())
    await rebuild(world)
    require_equal(await dump(world), live)


async def test_a_rebuild_of_sound_projections_writes_nothing(world: World, played: Played) -> None:
    """The first one has raised the versions to those of the owners."""
    await rebuild(world)
    before = await dump(world, marks=True)
    await rebuild(world)
    assert await dump(world, marks=True) == before


async def test_events_that_come_during_a_rebuild_are_in_what_it_makes(world: World, played: Played) -> None:
    """After the first page of each list something happens, and its events are applied before the page is."""
    scenario = played.scenario
    one, other = played.pair
    crowd = scenario.crowd
    happenings: list[Callable[[], Awaitable[Any]]] = [
        lambda: scenario.subscribe(crowd[1], "PLUS"),
        lambda: scenario.safety.unblock(played.blocker, played.block_id),
        lambda: scenario.matches.withdraw(played.wisher, played.waiting.interest_id),
        lambda: scenario.matches.end(one, played.connection.connection_id),
        lambda: scenario.subscribe(other, "PRO"),
    ]
    await harm(world, lost())

    def with_happening(part: Part[Any]) -> Part[Any]:
        async def ask(token: str, size: int) -> tuple[list[Any], str]:
            answer = await part.ask(token, size)
            if happenings and not token:
                await happenings.pop(0)()
                await world.drain()
            return answer

        return replace(part, ask=ask)

    await rebuild(world, with_happening)
    assert not happenings
    made = await dump(world)
    await rebuild(world)
    require_equal(await dump(world), made)
