"""Fixtures of the tests of protection."""

from __future__ import annotations

import pytest
from unora_testing.world import World

from tests.integration.protection.scenario import CROWD, Member, Scenario


@pytest.fixture(scope="module")
async def crowd(world: World) -> list[Member]:
    """Other members, so that a batch has its five cards."""
    scenario = Scenario(world)
    return [await scenario.add_member() for _ in range(CROWD)]


@pytest.fixture
def scenario(world: World, crowd: list[Member]) -> Scenario:
    scenario = Scenario(world)
    scenario.crowd = crowd
    return scenario
