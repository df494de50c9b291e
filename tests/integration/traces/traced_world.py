"""A world whose services record all traces."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from unittest import mock

import asyncpg
from unora_common.config import Config
from unora_common.service import Service
from unora_testing.collector import Collector
from unora_testing.testbed import Testbed
from unora_testing.world import World


class TracedWorld(World):
    """Its services send their spans to a collector."""

    def __init__(self, testbed: Testbed, worker: str, collector: Collector) -> None:
        super().__init__(testbed, worker)
        self._collector = collector

    def config(self, service: Service[Any, Any], peers: dict[str, str], **changes: Any) -> Config:
        """As in any world, with traces."""
        traces = {"traces_endpoint": self._collector.endpoint, "traces_ratio": 1.0}
        return super().config(service, peers, **(traces | changes))


@asynccontextmanager
async def traced_world(testbed: Testbed, worker: str, collector: Collector) -> AsyncIterator[TracedWorld]:
    """A world with a database of its own, which sends spans soon."""
    world = TracedWorld(testbed, worker, collector)
    with mock.patch.dict(os.environ, OTEL_BSP_SCHEDULE_DELAY="50"):
        await world.start()
    yield world
    await world.stop()
    admin = await asyncpg.connect(testbed.dsn("postgres"))
    await admin.execute(f'DROP DATABASE "{world.database}" WITH (FORCE)')
    await admin.close()
