"""What tests of safety start from."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from unora_testing.world import World

from tests.integration.safety.chains import erase
from tests.integration.safety.meetings import Meetings
from tests.integration.safety.office import Office


@pytest.fixture
def meetings(world: World) -> Meetings:
    return Meetings(world)


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


@pytest.fixture
async def own_chain(world: World) -> AsyncIterator[None]:
    """The chains of `chains.py`, with nothing in them."""
    await world.drain()
    await erase(world)
    yield
    await erase(world)
