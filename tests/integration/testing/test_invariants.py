"""Every invariant holds in a world with a history, and each returns rows when exactly it is broken.

A superuser breaks it in a transaction that is rolled back, without triggers and foreign keys, and without a constraint
that would prevent the damage. The tests of the services prove that these triggers and constraints prevent it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from unora_testing.invariants import INVARIANTS, broken
from unora_testing.testbed import Testbed
from unora_testing.world import World

from tests.integration.testing.breakages import BREAKAGES, Breakage
from tests.integration.testing.story import play

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


@pytest.fixture(scope="module")
async def superuser(story: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A superuser's connection without triggers and foreign keys. One for all tests, which keeps every plan: each test
    reads all invariants, and to plan them costs more than to run them.
    """
    connection = await asyncpg.connect(story, statement_cache_size=2 * len(INVARIANTS))
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


@pytest.fixture
async def broken_story(
    superuser: asyncpg.Connection[asyncpg.Record],
) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """The same connection; all changes of a test are rolled back."""
    transaction = superuser.transaction(isolation="repeatable_read")
    await transaction.start()
    yield superuser
    await transaction.rollback()


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: breakage.invariant)
async def test_a_breakage_breaks_its_invariant_and_no_other(
    broken_story: asyncpg.Connection[asyncpg.Record], breakage: Breakage
) -> None:
    for statement in breakage.statements:
        await broken_story.execute(statement)
    found = {invariant.name: rows for invariant, rows in (await broken(broken_story)).items()}
    assert set(found) == {breakage.invariant, *breakage.also}
    assert len(found[breakage.invariant]) == breakage.rows


def test_every_invariant_has_a_breakage() -> None:
    names = [invariant.name for invariant in INVARIANTS]
    assert len(names) == len(set(names))
    assert names == [breakage.invariant for breakage in BREAKAGES]
