"""A fresh bare world for every test."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
from unora_testing.testbed import Testbed

from tests.integration.common.bare_world import BareWorld


@pytest.fixture
async def bare_world(testbed: Testbed) -> AsyncIterator[BareWorld]:
    bare_world = BareWorld(testbed, os.environ.get("PYTEST_XDIST_WORKER", "main"))
    await bare_world.start()
    yield bare_world
    await bare_world.stop()
