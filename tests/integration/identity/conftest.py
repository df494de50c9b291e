"""Fixtures of the tests of identity."""

from __future__ import annotations

import pytest
from unora_testing.world import World

from tests.integration.identity.people import People


@pytest.fixture
def people(world: World) -> People:
    return People(world)
