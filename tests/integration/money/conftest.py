"""What tests of money across all contexts start from."""

from __future__ import annotations

import pytest
from unora_testing.world import World

from tests.integration.money.home import Home, met


@pytest.fixture
async def home(world: World) -> Home:
    return await met(world)
