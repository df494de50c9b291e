"""From the commit of an event to its effect in another context, and what calls feel of a backlog."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from unora.discovery.v1.discovery_service_pb2 import ListServersRequest
from unora.discovery.v1.discovery_service_pb2_grpc import DiscoveryServiceStub
from unora.matching.v1.events_pb2 import InventoryChanged
from unora_common.app import App
from unora_common.consumers import Consumer
from unora_common.ids import random_id
from unora_sdk.deliveries import Delivery

from unora_bench.event_world import EventWorld, inventory

INTERVAL: Final = 0.02
"""Seconds between two events, or two calls, of an idle system: the one before is done, with what follows from it."""


async def delays(emitter: App[Any, Any], consumer: Consumer, count: int, *, each: int, apart: float) -> list[float]:
    """Milliseconds from the commit to the commit of the effect, of `count` events: `each` in a transaction, these
    `apart` seconds from each other. Relay and consumer run as in production.
    """
    committed: dict[str, float] = {}
    applied: dict[str, float] = {}
    transact = consumer.transact

    async def noting(events: list[Delivery]) -> None:
        await transact(events)
        now = time.perf_counter()
        applied.update((event.envelope.aggregate_id, now) for event in events)

    consumer.transact = noting  # type: ignore[method-assign]
    running = [asyncio.ensure_future(emitter.relay.run(1.0)), asyncio.ensure_future(consumer.run())]
    try:
        started = time.perf_counter()
        for number in range(count // each):
            members = [random_id() for _ in range(each)]
            async with emitter.database.transaction() as tx:
                tx.emit(*(InventoryChanged.FromString(inventory(member, 1)) for member in members))
            committed.update((str(member), time.perf_counter()) for member in members)
            await asyncio.sleep(max(started + (number + 1) * apart - time.perf_counter(), 0.0))
        async with asyncio.timeout(60.0):
            while committed.keys() - applied.keys():  # noqa: ASYNC110 - another task applies them
                await asyncio.sleep(0.01)  # not a part of what is measured: each event notes its own time
    finally:
        consumer.transact = transact  # type: ignore[method-assign]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    return [(applied[member] - at) * 1000 for member, at in committed.items()]


async def calls_beside(world: EventWorld, work: Callable[[], Awaitable[object]]) -> list[float]:
    """Milliseconds of calls of a member to discovery, one after the other, while its process does the work."""
    stub, member = world.world.stub(DiscoveryServiceStub, "discovery"), world.world.caller()
    working = asyncio.ensure_future(work())
    taken: list[float] = []
    while not working.done() or not taken:
        started = time.perf_counter()
        await stub.ListServers(ListServersRequest(), metadata=member.metadata)
        taken.append((time.perf_counter() - started) * 1000)
        await asyncio.sleep(INTERVAL)
    await working
    return taken


def percentile(values: list[float], percent: int) -> float:
    """The value that this many percent of the values do not exceed."""
    return statistics.quantiles(values, n=100)[percent - 1] if len(values) > 1 else values[0]
