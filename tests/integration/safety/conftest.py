"""What tests of safety start from."""

from __future__ import annotations

import pytest
from unora_local.inprocess import World

from tests.integration.safety.meetings import Meetings
from tests.integration.safety.office import Office


@pytest.fixture
def meetings(world: World) -> Meetings:
    return Meetings(world)


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)
