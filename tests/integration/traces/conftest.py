"""A collector, and before it a world and a gateway that record all traces."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
from unora_testing.collector import Collector, collector
from unora_testing.gateway import Door, gateway_before
from unora_testing.testbed import Testbed

from tests.integration.traces.traced_world import TracedWorld, traced_world


@pytest.fixture(scope="module")
async def traces() -> AsyncIterator[Collector]:
    async with collector() as made:
        yield made


@pytest.fixture(scope="module")
async def world(testbed: Testbed, traces: Collector) -> AsyncIterator[TracedWorld]:
    async with traced_world(testbed, os.environ.get("PYTEST_XDIST_WORKER", "main"), traces) as made:
        yield made


@pytest.fixture(scope="module")
async def door(world: TracedWorld, traces: Collector) -> AsyncIterator[Door]:
    async with gateway_before(world, traces_endpoint=traces.endpoint, traces_ratio="1") as made:
        yield made
