"""A service is one declaration; `App` is that declaration come to life in one process (or in one test)."""

from __future__ import annotations

import argparse
import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

from nats.aio.client import Client as Nats
from nats.errors import Error as NatsError
from unora.identity.v1.account_service_pb2 import GetJwksRequest, GetJwksResponse
from unora.identity.v1.account_service_pb2_grpc import AccountServiceStub

from unora_common.clients import Clients
from unora_common.config import Config
from unora_common.consumers import Consumer
from unora_common.database import Database
from unora_common.dead_letters import DeadLetters
from unora_common.declare import Consumes, Every
from unora_common.errors import DomainError
from unora_common.jobs import Housekeeping, Job
from unora_common.logs import describe, logger
from unora_common.metrics import Metrics
from unora_common.relay import Relay
from unora_common.revocations import Revocations, ask_identity
from unora_common.server import Server
from unora_common.tokens import Jwks, Verifier

C = TypeVar("C", bound=Config)
PING = 2.0
"""Seconds that Postgres has to answer, before calls should go elsewhere."""
NATS_WITHIN = 5.0
"""Seconds that a start waits for NATS; then it goes on without, since events wait in the outbox."""
Part = Callable[["App[Any]"], Any]
"""A class of servicer, consumer or job methods, made with the App."""


@dataclass(frozen=True)
class Command:
    """A command line of one service beside serving, such as making the first admin."""

    summary: str
    arguments: Callable[[argparse.ArgumentParser], Any]
    run: Callable[[App[Any], argparse.Namespace], Awaitable[int]]


@dataclass(frozen=True)
class Service(Generic[C]):
    """What a service is made of. Read it and you know the service."""

    name: str
    """The context, which is also its schema, its stream and its certificate."""
    config: type[C]
    servicers: Sequence[Part] = ()
    consumers: Sequence[Part] = ()
    jobs: Sequence[Part] = ()
    constraints: Mapping[str, type[DomainError]] = field(default_factory=dict)
    """Names of database constraints, and the refusal that a violation of each means."""
    resources: Callable[[App[C]], Any] | None = None
    """Makes what servicers, consumers and jobs share beside the App, such as providers; found as `app.resources`.
    If they have a `close`, it is called last, and awaited if it is asynchronous.
    """
    commands: Mapping[str, Command] = field(default_factory=dict)
    keys: Callable[[App[C]], Jwks] | None = None
    """Only identity: the public keys, of which all other contexts ask it."""
    revocations: Callable[[App[C]], Awaitable[frozenset[UUID]]] | None = None
    """Only identity: the sessions revoked lately, of which all other contexts ask it (SA-06)."""

    def consumed(self) -> list[Consumes]:
        """What the service reads of other contexts."""
        return [method.consumes for part in self.consumers for method in _marked(part, "consumes")]


class App(Generic[C]):
    """One service in one process: its connections, its server, and what runs by itself."""

    def __init__(self, service: Service[C], config: C) -> None:
        self.service = service
        self.context = service.name
        self.config = config
        self.log = logger(service.name, config.log_level)
        self.metrics = Metrics()
        self.clients = Clients(config)
        self.verifier = Verifier(self._fetch_keys)
        self.revocations = Revocations(self._fetch_revocations, silence=config.revocations_silence)
        self.dead_letters = DeadLetters(self)
        self.resources: Any = None
        self.database: Database
        self.consumers: list[Consumer] = []
        self.jobs: list[Job] = []
        self.server: Server | None = None
        self._ping: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connects, and makes the parts; serves nothing yet."""
        wake = f"wake.{self.context}"
        self.nats = Nats()
        self.stream = self.nats.jetstream()
        self.relay = Relay(self.context, self.config.database_url, self.stream, self.log, self.metrics.registry)
        self.database = await Database.open(
            self.config.database_url,
            self.context,
            connections=self.config.database_connections,
            wake=lambda: self._wake(wake),
        )
        if self.service.resources:
            self.resources = self.service.resources(self)
        for part in [make(self) for make in self.service.consumers]:
            self.consumers += [Consumer(self, m.consumes, m) for m in _marked(part, "consumes")]
        for part in [make(self) for make in self.service.jobs]:
            self.jobs += [Job(self, m.every, m) for m in _marked(part, "every")]
        self.jobs.append(Job(self, Every(600.0), Housekeeping(self).purge))
        self._connecting = asyncio.ensure_future(self._connect(wake))
        await asyncio.wait({self._connecting}, timeout=NATS_WITHIN)
        if self._connecting.done():
            await self._connecting
        else:
            self.log.warning("nats not there yet")

    async def connected(self) -> None:
        """Returns when NATS was reached once; from then on its client sees to it that it is again."""
        await asyncio.shield(self._connecting)

    async def serve(self, *, calls: bool = True) -> None:
        """Starts the gRPC server, not ready yet; without `calls` it serves nothing but health and reflection."""
        self.server = Server(self, [make(self) for make in self.service.servicers] if calls else [])
        await self.server.start()
        self.log.info("serving", address=self.server.address)

    def work(self) -> None:
        """Starts the jobs, and the relay and the consumers as soon as NATS is there."""
        self._tasks += [asyncio.ensure_future(job.run()) for job in self.jobs]
        self._tasks.append(asyncio.ensure_future(self._exchange()))

    def watch(self) -> None:
        """Starts to tell readiness: Postgres answers, identity's keys and revocations are known; and follows these."""
        self._tasks.append(asyncio.ensure_future(self._watch()))
        follow = self.revocations.run(self.config.revocations_interval, self.log)
        self._tasks.append(asyncio.ensure_future(follow))

    async def close(self) -> None:
        """Stops in the order in which nothing is lost: calls, then work, then connections."""
        if self.server:
            await self.server.set_ready(False)
            await self.server.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._ping:
            self._ping.cancel()
        await self.relay.close()
        await self.clients.close()
        while not self._connecting.done():  # once may not do: Python 3.11's wait_for can lose a cancellation
            self._connecting.cancel()
            await asyncio.wait({self._connecting}, timeout=0.1)
        with suppress(NatsError):
            await self.nats.close()
        await self.database.close()
        if hasattr(self.resources, "close"):
            closing = self.resources.close()
            if inspect.isawaitable(closing):
                await closing

    async def missing(self) -> list[str]:
        """What readiness waits for. Not NATS: without it calls are served, and their events wait in the outbox."""
        found: list[str] = []
        if self._ping is None or self._ping.done():
            self._ping = asyncio.ensure_future(self._postgres())
        await asyncio.wait({self._ping}, timeout=PING)  # a frozen connection does not even let go of who waits for it
        if not self._ping.done():
            found.append("postgres (no answer)")
        elif error := self._ping.exception():
            found.append(f"postgres ({describe(error)})")
        for what, source in (("keys", self.verifier), ("revocations", self.revocations)):
            if not source.ready:
                try:
                    await source.refresh()
                except Exception as error:  # identity may start later than we do
                    found.append(f"{what} of identity ({describe(error)})")
        return found

    async def _connect(self, wake: str) -> None:
        await self.nats.connect(
            [url.strip() for url in self.config.nats_url.split(",")],
            name=f"unora_{self.context}",
            inbox_prefix=f"_INBOX.{self.context}".encode(),
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.5,  # type: ignore[arg-type]  # it is slept
            error_cb=self._nats_error,
        )
        await self.nats.subscribe(wake, cb=self._woken)

    async def _exchange(self) -> None:
        await self.connected()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.relay.run(self.config.relay_interval))
            for consumer in self.consumers:
                tasks.create_task(consumer.run())

    async def _postgres(self) -> None:
        async with self.database.session() as session:
            await session.value("SELECT 1")

    async def _watch(self) -> None:
        refreshed = asyncio.get_running_loop().time()
        before: list[str] | None = None
        while True:
            missing = await self.missing()
            if missing != before:
                self.log.info("ready" if not missing else "not ready", missing=missing)
                before = missing
                if self.server:
                    await self.server.set_ready(not missing)
            if not missing and asyncio.get_running_loop().time() - refreshed > self.config.jwks_refresh:
                refreshed = asyncio.get_running_loop().time()
                with suppress(Exception):  # the keys there are stay good; the next round tries again
                    await self.verifier.refresh()
            await asyncio.sleep(2.0 if not missing else 0.2)

    async def _fetch_keys(self) -> Jwks:
        if self.service.keys:
            return self.service.keys(self)
        stub = self.clients.stub(AccountServiceStub, "unora.identity.v1.AccountService")
        response = await self.clients.call(stub.GetJwks, GetJwksRequest(), GetJwksResponse)
        names = ("kty", "crv", "x", "y", "kid", "alg", "use")
        return {"keys": [{name: getattr(key, name) for name in names} for key in response.keys]}

    async def _fetch_revocations(self) -> frozenset[UUID]:
        return await (self.service.revocations(self) if self.service.revocations else ask_identity(self.clients))

    def _wake(self, subject: str) -> None:
        """Wakes the leading relay, here or wherever it runs; a ping that is lost costs one interval."""
        if not self.relay.wake() and self.nats.is_connected:
            task = asyncio.ensure_future(self.nats.publish(subject, b""))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _woken(self, _: Any) -> None:
        self.relay.wake()

    async def _nats_error(self, error: Exception) -> None:
        self.log.warning("nats", error=describe(error))


def _marked(part: Any, mark: str) -> list[Any]:
    return [method for _, method in inspect.getmembers(part, callable) if hasattr(method, mark)]
