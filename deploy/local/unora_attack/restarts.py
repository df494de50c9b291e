"""A rolling restart: two replicas of a service are restarted one after the other, while members call both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle
from typing import Final

from unora.discovery.v1.discovery_service_pb2 import ListServersRequest
from unora.discovery.v1.discovery_service_pb2_grpc import DiscoveryServiceStub
from unora_common.certificates import of_config
from unora_common.clients import Clients
from unora_common.config import CONTEXTS, Config
from unora_common.timeouts import Timeouts
from unora_local import health, ports, services
from unora_local.layout import Layout
from unora_local.process import Process
from unora_local.tls import Certificate

from unora_attack.figures import DEADLINES, OK, Kind
from unora_attack.orders import Record, Tally
from unora_attack.row import Attack, Played
from unora_attack.scene import Scene
from unora_attack.stack import GATEWAY, bearer

CONTEXT: Final = "discovery"
ROUNDS: Final = 2
DELAY: Final = "0.5"
"""Seconds for which a replica goes on serving at its end. Short, since these clients learn at once that it ends."""
CALL_INTERVAL: Final = 0.01
"""Seconds between two calls: some are always under way when a replica stops."""
SETTLE_SECONDS: Final = 1.0
"""Seconds for which both replicas are called before the next one stops: clients know the one that came back by then."""
READY_WITHIN: Final = 30.0


class Replica:
    """A process of CONTEXT that serves calls, beside the one that the stack has."""

    def __init__(self, scene: Scene) -> None:
        layout = Layout(scene.folder, CONTEXTS, running=True)
        (port,) = ports.free()
        self.address = f"127.0.0.1:{port}"
        environment = services.environment(CONTEXT, layout.backing)
        own = {"UNORA_LISTEN": self.address, "UNORA_METRICS_LISTEN": "", "UNORA_SHUTDOWN_DELAY": DELAY}
        command = [*services.module(CONTEXT), "--role", "api"]
        self._process = Process(f"{CONTEXT} {port}", command, scene.files / f"replica-{port}.log", environment | own)
        self._certificate: Certificate = layout.developer

    async def start(self) -> None:
        """Returns when it is ready."""
        await self._process.start()
        async with asyncio.timeout(READY_WITHIN):
            await health.ready(self.address, self._certificate)

    async def stop(self) -> None:
        """As a deployment does."""
        await self._process.stop()


@asynccontextmanager
async def replicas(scene: Scene) -> AsyncIterator[list[Replica]]:
    """Two, started; they are stopped afterwards."""
    async with AsyncExitStack() as stack:
        found = [Replica(scene) for _ in range(2)]
        for each in found:
            stack.push_async_callback(each.stop)
            await each.start()
        yield found


async def rolling_restart(scene: Scene) -> Played:
    """Restarts each replica ROUNDS times, while members call both as a gateway does."""
    async with replicas(scene) as both:
        restarted = asyncio.Event()
        addresses = f"ipv4:{','.join(each.address for each in both)}"
        calling = asyncio.create_task(_call_until(restarted, scene, addresses))
        for _ in range(ROUNDS):
            for each in both:
                await asyncio.sleep(SETTLE_SECONDS)
                await each.stop()
                await each.start()
        await asyncio.sleep(SETTLE_SECONDS)
        restarted.set()
        tally = await calling
    failed = tuple(f"{number} {outcome}" for outcome, number in tally.outcomes.items() if outcome != OK)
    return Played(tally, f"{ROUNDS * 2} restarts", failed or (() if tally.made else ("no call was made",)))


async def _call_until(over: asyncio.Event, scene: Scene, addresses: str) -> Tally:
    """A read every 10 ms through one channel, as our services open it: in turn, and only to replicas that are ready."""
    own = scene.target.certificate(GATEWAY)
    config = Config(
        database_url="",
        nats_url="",
        tls_ca=own.ca,
        tls_cert=own.cert,
        tls_key=own.key,
        peers={CONTEXT: addresses},
    )
    clients = Clients(config, Timeouts(), of_config(config))
    stub = clients.stub(DiscoveryServiceStub, "unora.discovery.v1.DiscoveryService")
    record = Record()

    async def one(token: str) -> None:
        async with record.one():
            await stub.ListServers(ListServersRequest(), metadata=bearer(token), timeout=DEADLINES[Kind.MEMBER])

    async with asyncio.TaskGroup() as group:
        for token in cycle(scene.callers):
            group.create_task(one(token))
            await asyncio.sleep(CALL_INTERVAL)
            if over.is_set():
                break
    await clients.close()
    return record.tally()


ROLLING_RESTART: Final = Attack(
    name="restart",
    title=f"two replicas restarted in turn, {ROUNDS} times each",
    process=CONTEXT,
    play=rolling_restart,
)
