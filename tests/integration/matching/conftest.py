"""Who lives in the tests of matching."""

from __future__ import annotations

import pytest
from unora_local.inprocess import World

from tests.integration.matching.people import People


@pytest.fixture
def people(world: World) -> People:
    return People(world)
