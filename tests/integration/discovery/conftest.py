"""Fixtures of the tests of Discovery."""

from __future__ import annotations

import pytest
from unora_testing.world import World

from tests.integration.discovery.pool import Pool
from tests.integration.identity.people import People


@pytest.fixture
async def pool(world: World) -> Pool:
    """Discovery without members."""
    pool = Pool(world)
    await pool.empty()
    return pool


@pytest.fixture
def people(world: World) -> People:
    """Members with real accounts."""
    return People(world)
