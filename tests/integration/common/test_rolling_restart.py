"""Two replicas are restarted one after the other while clients call: no call fails."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest
from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER
from unora.discovery.v1.discovery_service_pb2 import LeaveServerRequest, ListServersRequest
from unora.discovery.v1.discovery_service_pb2_grpc import DiscoveryServiceStub
from unora_common.certificates import of_config
from unora_common.clients import Clients
from unora_common.ids import uuid7
from unora_testing.deadlines import GENEROUS, TIMEOUTS, eventually
from unora_testing.world import World

from tests.integration.common.processes import ServiceProcess

ROUNDS = 10
CALLERS = 4
"""How many read, and how many write, at the same time."""

CALLS = 20
"""How many calls of each kind are answered at least while one replica ends."""
PAUSE = 0.03
"""Seconds between two calls of a caller while a process ends: a call may be lost only then."""
LONG_PAUSE = 0.3
"""The same while one starts, so that it has a core to start on."""


class Load:
    """Members that call all the time, through one channel as services have it."""

    def __init__(self, world: World, addresses: str) -> None:
        gateway = world.certificates["gateway"]
        config = msgspec.structs.replace(
            world.apps["matching"].config,
            tls_ca=gateway.ca,
            tls_cert=gateway.cert,
            tls_key=gateway.key,
            peers={"discovery": addresses},
        )
        self._clients = Clients(config, TIMEOUTS, of_config(config))
        self._stub = self._clients.stub(DiscoveryServiceStub, "unora.discovery.v1.DiscoveryService")
        self._metadata = world.caller().metadata
        self._stopping = False
        self._one_ends = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.answered: Counter[str] = Counter()
        self.failed: list[str] = []

    async def start(self) -> None:
        await self._stub.ListServers(
            ListServersRequest(), metadata=self._metadata, timeout=GENEROUS, wait_for_ready=True
        )
        self._tasks = [asyncio.ensure_future(work()) for work in (self._read, self._write) for _ in range(CALLERS)]

    @contextmanager
    def while_one_ends(self) -> Iterator[None]:
        """Inside the block the members call often."""
        self._one_ends.set()
        yield
        self._one_ends.clear()

    async def goes_on(self) -> None:
        """Returns when so many more calls of each kind were answered, or when one has failed."""
        enough = {kind: self.answered[kind] + CALLS for kind in ("read", "write")}
        await eventually(
            lambda: self.failed or all(self.answered[kind] >= number for kind, number in enough.items()),
            f"{CALLS} more calls of each kind are answered",
        )

    async def stop(self) -> None:
        self._stopping = True
        await asyncio.gather(*self._tasks)
        await self._clients.close()

    async def _read(self) -> None:
        while not self._stopping:
            await self._call("read", self._stub.ListServers, ListServersRequest())

    async def _write(self) -> None:
        while not self._stopping:
            request = LeaveServerRequest(request_id=str(uuid7()), server_type=SERVER_TYPE_PARTNER)
            await self._call("write", self._stub.LeaveServer, request)

    async def _call(self, kind: str, method: Any, request: Any) -> None:
        try:
            await method(request, metadata=self._metadata, timeout=GENEROUS)
            self.answered[kind] += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._one_ends.wait(), LONG_PAUSE)
            await asyncio.sleep(PAUSE)
        except grpc.aio.AioRpcError as error:
            self.failed.append(f"{kind}: {error.code().name} {error.details()}")
            await asyncio.sleep(0.1)  # a long outage must not fill the memory with failures


@pytest.mark.rule("XX-02")
async def test_two_replicas_that_are_restarted_one_after_the_other_lose_no_call(world: World, tmp_path: Path) -> None:
    identity = world.apps["identity"].server
    assert identity is not None
    replicas = [
        ServiceProcess(
            world,
            "discovery",
            tmp_path,
            "--role",
            "api",
            IDENTITY_ADDRESS=identity.address,
            SHUTDOWN_DELAY="0.5",
            SHUTDOWN_GRACE=str(GENEROUS),
        )
        for _ in range(2)
    ]
    load = Load(world, f"ipv4:{','.join(replica.address for replica in replicas)}")
    try:
        for replica in replicas:
            await replica.start()
        for replica in replicas:
            await replica.until("SERVING")
        await load.start()
        for _ in range(ROUNDS):
            for replica in replicas:
                with load.while_one_ends():
                    ending = asyncio.ensure_future(replica.stop())
                    await load.goes_on()
                    assert await ending == 0
                await replica.start()
                await replica.until_logged("call")  # clients have found it again
    finally:
        await load.stop()
        for replica in replicas:
            await replica.end()
    assert load.failed == []
