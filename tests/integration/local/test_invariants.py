"""Every invariant holds in a world that lived, and each shows when it is broken just there.

It is broken as a superuser can, in a transaction that is rolled back: without triggers and foreign keys, and where a
constraint would stand in the way, without it. That each of them does stand in the way is what the tests of the services
prove.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from unora_testing.invariants import INVARIANTS, broken
from unora_testing.testbed import Testbed
from unora_testing.world import World

from tests.integration.local.breakages import BREAKAGES, Breakage
from tests.integration.local.story import play

STORY = "unora_story"


@pytest.fixture(scope="module")
async def story(testbed: Testbed) -> AsyncIterator[str]:
    """The address of the database of a world in which the journey was played."""
    world = World(testbed, "story")
    await world.start()
    try:
        timeline = await play(world)
        assert all(step.ok for step in timeline.steps)
        assert await broken(world.superuser) == {}
    finally:
        await world.stop()
    yield testbed.dsn(STORY)
    admin = await asyncpg.connect(testbed.dsn("postgres"))
    await admin.execute(f'DROP DATABASE "{STORY}" WITH (FORCE)')
    await admin.close()


@pytest.fixture
async def broken_story(story: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """The superuser in it, with no trigger and no foreign key at work; nothing of what is done here stays."""
    connection = await asyncpg.connect(story)
    await connection.execute("SET session_replication_role = replica")
    transaction = connection.transaction(isolation="repeatable_read")
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: breakage.invariant)
async def test_what_is_broken_shows(broken_story: asyncpg.Connection[asyncpg.Record], breakage: Breakage) -> None:
    for statement in breakage.statements:
        await broken_story.execute(statement)
    found = {invariant.name: rows for invariant, rows in (await broken(broken_story)).items()}
    assert set(found) == {breakage.invariant, *breakage.also}
    assert len(found[breakage.invariant]) == breakage.rows


def test_every_invariant_is_proven_able_to_fail() -> None:
    names = [invariant.name for invariant in INVARIANTS]
    assert len(names) == len(set(names))
    assert names == [breakage.invariant for breakage in BREAKAGES]
