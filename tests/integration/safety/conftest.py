"""Fixtures of the tests of safety."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from unora_testing.world import World

from tests.integration.safety.chains import erase
from tests.integration.safety.moderators import Moderators
from tests.integration.safety.safety_calls import SafetyCalls


@pytest.fixture
def safety(world: World) -> SafetyCalls:
    return SafetyCalls(world)


@pytest.fixture
def moderators(world: World) -> Moderators:
    return Moderators(world)


@pytest.fixture
async def own_chain(world: World) -> AsyncIterator[None]:
    """The chains of `chains.py`, empty."""
    await world.drain()
    await erase(world)
    yield
    await erase(world)
