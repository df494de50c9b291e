"""Fixtures for tests of money across all contexts."""

from __future__ import annotations

import pytest
from unora_testing.world import World

from tests.integration.money.paying_couple import PayingCouple, make_couple


@pytest.fixture
async def couple(world: World) -> PayingCouple:
    return await make_couple(world)
