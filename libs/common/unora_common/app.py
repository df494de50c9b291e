"""`App` runs a `Service` in one process: its connections, its server, its jobs, its consumers and its relay."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from importlib.metadata import version
from typing import Generic, TypeVar, cast
from uuid import UUID

from unora_common import certificates, database_url
from unora_common.authentication import Authenticator
from unora_common.clients import Clients
from unora_common.common_metrics import BUILD, COMMON_METRICS, DEPENDENCY_UP
from unora_common.config import Config
from unora_common.consumers import Consumer
from unora_common.database import Database
from unora_common.dead_letters import DeadLetters
from unora_common.gauges import Backlogs, Count, Gauges, count_due, count_outbox
from unora_common.handler_marks import Every
from unora_common.identity_facts import fetch_jwks, fetch_revocations
from unora_common.jobs import Housekeeping, Job
from unora_common.log_settings import LogSettings
from unora_common.logs import control_of, logger
from unora_common.messaging import Messaging
from unora_common.metrics import Metrics
from unora_common.readiness import Readiness
from unora_common.relay import Relay
from unora_common.revocations import Revocations
from unora_common.runtime import Runtime
from unora_common.server import Server
from unora_common.service import Part, Service, close_resources, marked
from unora_common.tasks import Tasks
from unora_common.timeouts import PRODUCTION, Timeouts
from unora_common.tokens import Jwks, Verifier
from unora_common.tracing import start as tracing

C = TypeVar("C", bound=Config)
R = TypeVar("R")


class App(Generic[C, R]):
    """Call `open` first; then `serve`, `work` and `watch` as the process's role wants; `close` last."""

    def __init__(self, service: Service[C, R], config: C, timeouts: Timeouts = PRODUCTION) -> None:
        self.service = service
        self.context = service.name
        self.config = config
        self.timeouts = timeouts
        self.log = logger(service.name, config.log_level)
        control_of(self.log).set_sample(config.log_sample)
        self.tasks = Tasks(self.log)
        self.metrics = Metrics((*COMMON_METRICS, *service.metrics))
        self.metrics.of(BUILD).labels(version("unora")).set(1)
        self.certificates = certificates.of_process(service.name, config, self.log, self.metrics)
        self.tracing = tracing.start(service.name, config, self.log, self.metrics)
        self.clients = Clients(config, timeouts, self.certificates, self.tracing)
        self.verifier = Verifier(self._fetch_keys)
        self.revocations = Revocations(self._fetch_revocations, max_staleness=config.revocations_silence)
        self.runtime: Runtime[C, R]
        self.database: Database
        self.messaging: Messaging
        self.dead_letters: DeadLetters
        self.relay: Relay
        self.gauges: Gauges
        self.backlogs: Backlogs
        self.readiness: Readiness
        self.consumers: list[Consumer] = []
        self.jobs: list[Job] = []
        self.followers: list[Job] = []
        self.server: Server | None = None
        self._serves_calls = False
        self._ending = False
        self._connections = AsyncExitStack()
        """Everything that `open` has opened so far. It is closed in the opposite order."""

    async def open(self) -> None:
        """Connects, and makes the parts; serves nothing yet. If it fails, it closes all that it has opened.

        It does not need Postgres, and waits a few seconds at most for NATS. Raises ConfigError.
        """
        try:
            await self._connect()
        except BaseException:
            await self._connections.aclose()
            raise

    async def serve(self, *, calls: bool = True) -> None:
        """Starts the gRPC server, not ready yet; without `calls` it serves nothing but health and reflection."""
        servicers = [make(self.runtime) for make in self.service.servicers] if calls else []
        authenticator = Authenticator(self.verifier, self.revocations)
        self._serves_calls = calls
        if calls:  # a worker judges no tokens, so it is not hurt by old revocations
            self.metrics.of(DEPENDENCY_UP).labels("revocations").set_function(lambda: self.revocations.fresh)
        self.server = Server(self.runtime, self.certificates, authenticator, self.service.constraints, servicers)
        await self.server.start()
        self.log.info("serving", address=self.server.address)

    def work(self) -> None:
        """Starts the jobs now, and the counting if metrics can be read; the relay and the consumers as soon as NATS is
        reached.
        """
        for job in self.jobs:
            self.tasks.start(job.run())
        if self.config.metrics_listen:
            self.tasks.start(self.gauges.run())
            self.tasks.start(self.backlogs.run())
        self.tasks.start(self._exchange_events())

    def watch(self) -> None:
        """Starts to report readiness, to follow identity's revocations and new files of the certificate, and the
        followers if calls are served.
        """
        self.tasks.start(LogSettings(self.log, os.environ, self.config.log_level, self.config.log_sample).follow())
        for follower in self.followers if self._serves_calls else ():
            self.tasks.start(follower.run())
        self.tasks.start(self.readiness.watch(self._set_ready))
        self.tasks.start(certificates.watch(self.certificates, self.clients.renew))
        self.tasks.start(self.revocations.run(self.config.revocations_interval, self.log))

    async def drain(self, enough: asyncio.Event) -> None:
        """Says that it is not ready, and goes on serving for a moment, until clients know; `enough` cuts that short.

        A worker, and a process that was not ready, get no calls, so they do not wait.
        """
        self._ending = True
        if self.server is None:
            return
        gets_calls = self._serves_calls and self.server.ready
        await self.server.set_ready(False)
        if gets_calls:
            with suppress(TimeoutError):
                await asyncio.wait_for(enough.wait(), self.config.shutdown_delay)

    async def close(self) -> None:
        """Stops in the order in which nothing is lost: calls, then work, then connections. It may be called twice, and
        after an `open` that failed.
        """
        if self.server:
            await self.server.set_ready(False)
            await self.server.stop()
        await self.tasks.end()
        await self._connections.aclose()

    async def _connect(self) -> None:
        config, timeouts, opened = self.config, self.timeouts, self._connections
        # A service that declares no resources has the type None for them.
        opened.push_async_callback(self.tracing.close)
        resources = self.service.resources(config, self.metrics) if self.service.resources else cast("R", None)
        opened.push_async_callback(close_resources, resources)
        self.database = await Database.open(
            config.database_url,
            self.context,
            connections=config.database_connections,
            kept=config.kept_connections,
            timeouts=timeouts,
            wake=self._wake_relay,
            is_pooler=bool(config.direct_database_url),
            metrics=self.metrics,
        )
        opened.push_async_callback(self.database.close)
        self.messaging = Messaging(
            self.context, config, self.certificates, self.log, lambda: self.relay.wake(), timeouts
        )
        opened.push_async_callback(self.messaging.close)
        opened.push_async_callback(self.clients.close)
        direct = database_url.direct(config.database_url, config.direct_database_url)
        self.relay = Relay(self.context, direct, self.messaging.client, self.log, self.metrics, timeouts, self.tracing)
        opened.push_async_callback(self.relay.close)
        self.readiness = Readiness(
            self.database,
            self.verifier,
            self.revocations,
            ping=timeouts.ping,
            keys_interval=config.jwks_refresh,
            loading=self._loading,
            log=self.log,
        )
        opened.callback(self.readiness.close)
        self._show_dependencies()
        self.runtime = Runtime(
            self.context, config, resources, self.database, self.clients, self.log, self.metrics, self.tracing
        )
        self._make_parts()
        await self.messaging.open()

    def _show_dependencies(self) -> None:
        """Each is asked when Prometheus asks."""
        reached = self.metrics.of(DEPENDENCY_UP)
        reached.labels("postgres").set_function(lambda: self.readiness.postgres_answers)
        reached.labels("nats").set_function(lambda: self.messaging.is_connected)

    def _make_parts(self) -> None:
        self.dead_letters = DeadLetters(self.runtime, self.messaging)
        for part in [make(self.runtime) for make in self.service.consumers]:
            self.consumers += [
                Consumer(self.runtime, self.messaging, self.dead_letters, method.consumes, method)
                for method in marked(part, "consumes")
            ]
        housekeeping = Housekeeping(self.context, self.config, self.database, self.log)
        self.jobs += self._make_jobs(self.service.jobs)
        self.jobs.append(Job(Every(600.0), housekeeping.purge, self.log, self.metrics, self.tracing))
        self.followers += self._make_jobs(self.service.followers)
        declared = [
            Count(method.__name__, method)
            for part in [make(self.runtime) for make in self.service.gauges]
            for method in marked(part, "counts")
        ]
        counts = [count_outbox(self.context), *declared, *count_due(self.jobs)]
        self.gauges = Gauges(self.runtime, counts, lambda: self.relay.leads)
        self.backlogs = Backlogs(self.runtime, self.messaging, self.consumers)

    def _make_jobs(self, parts: Sequence[Part[C, R]]) -> list[Job]:
        return [
            Job(method.every, method, self.log, self.metrics, self.tracing, part)
            for part in [make(self.runtime) for make in parts]
            for method in marked(part, "every")
        ]

    def _loading(self) -> list[str]:
        """The followers that have not caught up yet, in a process that serves calls."""
        return [each.name for each in self.followers if not each.caught_up] if self._serves_calls else []

    async def _exchange_events(self) -> None:
        await self.messaging.connected()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.relay.run(self.config.relay_interval))
            for consumer in self.consumers:
                tasks.create_task(consumer.run())

    async def _set_ready(self, ready: bool) -> None:
        if self.server and not self._ending:
            await self.server.set_ready(ready)

    def _wake_relay(self) -> None:
        """Wakes the leading relay, in this process or in whichever replica it runs."""
        if not self.relay.wake():
            self.messaging.wake_relays()

    async def _fetch_keys(self) -> Jwks:
        if self.service.keys:
            return self.service.keys(self.runtime)
        return await fetch_jwks(self.clients)

    async def _fetch_revocations(self) -> frozenset[UUID]:
        if self.service.revocations:
            return await self.service.revocations(self.runtime)
        return await fetch_revocations(self.clients)
