"""A fresh house for every test."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
from unora_testing.testbed import Testbed

from tests.integration.common.house import House


@pytest.fixture
async def house(testbed: Testbed) -> AsyncIterator[House]:
    house = House(testbed, os.environ.get("PYTEST_XDIST_WORKER", "main"))
    await house.start()
    yield house
    await house.stop()
