"""What tests of safety start from."""

from __future__ import annotations

import pytest
from unora_local.inprocess import World

from tests.integration.safety.meetings import Meetings


@pytest.fixture
def meetings(world: World) -> Meetings:
    return Meetings(world)
