"""Who lives in the tests of protection."""

from __future__ import annotations

import pytest
from unora_testing.world import World

from tests.integration.protection.town import CROWD, Resident, Town


@pytest.fixture(scope="module")
async def crowd(world: World) -> list[Resident]:
    """Others, so that a batch has its five."""
    town = Town(world)
    return [await town.arrive() for _ in range(CROWD)]


@pytest.fixture
def town(world: World, crowd: list[Resident]) -> Town:
    town = Town(world)
    town.crowd = crowd
    return town
