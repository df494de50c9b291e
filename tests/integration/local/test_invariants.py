"""Every invariant holds in a world that lived, and each shows on a copy that was broken just there.

A copy is broken as a superuser can: without triggers and foreign keys, and where a constraint would stand in the way,
without it. That each of them does stand in the way is what the tests of the services prove.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from unora_local.inprocess import World
from unora_local.invariants import INVARIANTS, broken
from unora_local.testbed import Testbed

from tests.integration.local.breakages import BREAKAGES, Breakage
from tests.integration.local.story import play

STORY, COPY = "unora_story", "unora_story_broken"


@pytest.fixture(scope="module")
async def story(testbed: Testbed) -> AsyncIterator[str]:
    """The database of a world in which the journey was played, with nobody connected to it."""
    world = World(testbed, "story")
    await world.start()
    try:
        timeline = await play(world)
        assert all(step.ok for step in timeline.steps)
        assert await broken(world.superuser) == {}
    finally:
        await world.stop()
    yield STORY
    await _drop(testbed, STORY)


@pytest.fixture
async def copy(testbed: Testbed, story: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """The superuser in a copy of it, in which no trigger and no foreign key works."""
    admin = await asyncpg.connect(testbed.dsn("postgres"))
    await admin.execute(f'CREATE DATABASE "{COPY}" TEMPLATE "{story}"')
    await admin.close()
    connection = await asyncpg.connect(testbed.dsn(COPY))
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()
    await _drop(testbed, COPY)


async def _drop(testbed: Testbed, database: str) -> None:
    admin = await asyncpg.connect(testbed.dsn("postgres"))
    await admin.execute(f'DROP DATABASE "{database}" WITH (FORCE)')
    await admin.close()


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: breakage.invariant)
async def test_what_is_broken_shows(copy: asyncpg.Connection[asyncpg.Record], breakage: Breakage) -> None:
    for statement in breakage.statements:
        await copy.execute(statement)
    found = {invariant.name: rows for invariant, rows in (await broken(copy)).items()}
    assert set(found) == {breakage.invariant, *breakage.also}
    assert len(found[breakage.invariant]) == breakage.rows


def test_every_invariant_is_proven_able_to_fail() -> None:
    names = [invariant.name for invariant in INVARIANTS]
    assert len(names) == len(set(names))
    assert names == [breakage.invariant for breakage in BREAKAGES]
