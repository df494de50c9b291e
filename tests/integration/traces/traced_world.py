"""A world whose services record all traces."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from unittest import mock

from unora_common.config import Config
from unora_common.service import Service
from unora_testing.collector import Collector
from unora_testing.testbed import Testbed
from unora_testing.world import World

SOON: Final = {"OTEL_BSP_SCHEDULE_DELAY": "50"}
"""Milliseconds until a span is sent."""


class TracedWorld(World):
    """Its services send their spans to a collector."""

    def __init__(self, testbed: Testbed, worker: str, traces: Collector) -> None:
        super().__init__(testbed, worker)
        self._traces = traces

    def config(self, service: Service[Any, Any], peers: dict[str, str], **changes: Any) -> Config:
        """As in any world, with traces."""
        traces = {"traces_endpoint": self._traces.endpoint, "traces_ratio": 1.0}
        return super().config(service, peers, **(traces | changes))


@asynccontextmanager
async def traced_world(testbed: Testbed, worker: str, traces: Collector) -> AsyncIterator[TracedWorld]:
    """A world that sends its spans soon."""
    world = TracedWorld(testbed, worker, traces)
    with mock.patch.dict(os.environ, SOON):
        await world.start()
    yield world
    await world.stop()
