"""The processes of two releases on one Postgres and one NATS: of each context two that serve calls, and one that works.

A process that serves calls is replaced in its place, since clients know its address. A worker has no address: the next
one starts before the last one ends, as in a rollout of a cluster.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any, Final

from unora_common import provision
from unora_common.config import CONTEXTS
from unora_common.health import READINESS, ask
from unora_local import health, nats_reload, ports, services
from unora_local.layout import Layout
from unora_local.process import Process
from unora_local.progress import Progress
from unora_local.run_folder import RunFolder
from unora_local.supervisor import Part, ProcessPart, Supervisor

from unora_upgrade.release import Release

SERVING: Final = 2
"""Processes of each context that serve calls."""
AT_ONCE: Final = 3
"""How many contexts are rolled at the same time; within each, one process after the other."""
READY_WITHIN: Final = 60.0
CLIENTS_RECONNECT_WITHIN: Final = 3.0
"""Seconds after which all clients have found a process that is ready again, before the next one ends: clients try every
two seconds, and the gateway asks as often. In a cluster this is `minReadySeconds`.
"""


class Fleet:
    """The stack, and which release each process is of."""

    def __init__(self, folder: RunFolder, progress: Progress) -> None:
        self._folder = folder
        self._progress = progress
        self._supervisor = Supervisor(folder, progress.say)
        self._layout = Layout(folder, CONTEXTS, replicas=SERVING)
        self._nats: Process
        self._workers: dict[str, str] = {}
        """The process that works now, by context."""
        self._generation = 0

    async def start(self, release: Release) -> None:
        """Start all as a release has it, with today's gateway before it: schemas, streams, processes."""
        layout = self._layout
        seaweed = self._part("seaweed", layout.seaweed)
        await asyncio.gather(seaweed, self._database(release), self._streams(release))
        payments = layout.payments.part(
            services.targets(layout.backing)["billing"], layout.developer, self._folder.logs / "payments.log"
        )
        await self._part("payments", payments)
        with self._progress.step(f"processes of {release.name}"):
            await self._each_context(lambda context: self._start_all(context, release))
        gateway = layout.gateway()
        assert gateway is not None
        await self._part("gateway", gateway)
        self._supervisor.all_started()
        self._folder.write_env(layout.published())

    @property
    def deaths(self) -> list[str]:
        """The processes that have died, each in words, though each was started again."""
        return self._supervisor.deaths

    async def stop(self) -> None:
        """Stop all; the data stay until the folder is erased."""
        self._folder.remove_env()
        await self._supervisor.stop()

    async def migrate(self, release: Release) -> list[str]:
        """Bring streams, roles and schemas to a release, in the order of a rollout, while processes run. Returns what
        its commands said.
        """
        self._layout.nats(await release.subjects(CONTEXTS)).configure()
        await nats_reload.reload(self._nats.pid, self._nats.log)
        return [await self._make_streams(release), *await self._migrate(release)]

    async def roll(self, release: Release, *, back: bool = False) -> None:
        """Replace each process by one of a release: those that serve calls first, then the workers; `back` the other
        way round, since workers call what only their own release may serve.
        """
        self._generation += 1
        waves = [self._roll_serving, self._roll_worker]
        for wave in reversed(waves) if back else waves:
            await self._each_context(partial(wave, release=release))

    async def _each_context(self, work: Callable[[str], Awaitable[None]]) -> None:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(context: str) -> None:
            async with gate:
                await work(context)

        try:
            async with asyncio.TaskGroup() as group:
                for context in CONTEXTS:
                    group.create_task(one(context))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None  # the first error cancelled the other contexts

    async def _database(self, release: Release) -> None:
        await self._part("postgres", self._layout.postgres)
        with self._progress.step(f"schemas of {release.name}"):
            await self._migrate(release)

    async def _migrate(self, release: Release) -> list[str]:
        await provision.prepare(self._layout.postgres.dsn(), self._layout.roles(), movable_clock=True)
        owners, said = self._layout.owners(), dict[str, str]()

        async def migrate(context: str) -> None:
            owner = {"UNORA_DATABASE_URL": owners[context]}
            said[context] = (await release.run(f"unora_{context}", "migrate", env=owner)).strip()

        await self._each_context(migrate)
        return list(said.values())

    async def _streams(self, release: Release) -> None:
        nats = self._layout.nats(await release.subjects(CONTEXTS), bare=True)
        await self._part("nats", nats)
        assert nats.process is not None
        self._nats = nats.process
        await self._make_streams(release)

    async def _make_streams(self, release: Release) -> str:
        environment = self._layout.nats({}).for_administrator()
        return (await release.run("unora_common.streams", env=environment)).strip()

    async def _start_all(self, context: str, release: Release) -> None:
        for replica in range(SERVING):
            await self._start_serving(context, replica, release)
        await self._start_worker(context, release)

    async def _roll_serving(self, context: str, release: Release) -> None:
        for replica in range(SERVING):
            await self._supervisor.end(services.process_name(context, replica))
            await self._start_serving(context, replica, release)
            await asyncio.sleep(CLIENTS_RECONNECT_WITHIN)

    async def _roll_worker(self, context: str, release: Release) -> None:
        last = self._workers[context]
        await self._start_worker(context, release)
        await self._supervisor.end(last)

    async def _start_serving(self, context: str, replica: int, release: Release) -> None:
        name, address = services.process_name(context, replica), self._layout.backing.endpoints[context][replica].grpc
        environment = services.environment(context, self._layout.backing, replica)
        command = release.command(f"unora_{context}", "--role", "api")
        process = await self._start_process(name, command, environment, address)
        await _within(health.ready(address, self._layout.developer), process)

    async def _start_worker(self, context: str, release: Release) -> None:
        grpc, probe = (f"127.0.0.1:{port}" for port in ports.free(2))
        own = {"UNORA_LISTEN": grpc, "UNORA_HEALTH_LISTEN": probe, "UNORA_METRICS_LISTEN": ""}
        environment = services.environment(context, self._layout.backing) | own
        name = f"{context}-worker-{self._generation + 1}"
        command = release.command(f"unora_{context}", "--role", "worker")
        await _within(_ready(probe), await self._start_process(name, command, environment, probe))
        self._workers[context] = name

    async def _start_process(self, name: str, command: list[str], env: Mapping[str, str], address: str) -> Process:
        log = self._folder.logs / f"{name}.log"
        process = Process(name, command, log=log, env=env, grace=services.STOPS_WITHIN)
        await self._supervisor.start(name, ProcessPart(process), address)
        return process

    async def _part(self, name: str, part: Part) -> None:
        with self._progress.step(name):
            await self._supervisor.start(name, part, "")


async def _ready(probe: str) -> None:
    """Return when a worker says on its port for probes that it is ready."""
    while await asyncio.to_thread(ask, probe, READINESS, 5.0) != "SERVING":  # noqa: ASYNC110 - of another process
        await asyncio.sleep(0.1)


async def _within(ready: Coroutine[Any, Any, None], process: Process) -> None:
    """Await that a process is ready. Raises StartFailedError, with the end of its log."""
    try:
        async with asyncio.timeout(READY_WITHIN):
            await ready
    except TimeoutError:
        raise process.failure(f"was not ready within {READY_WITHIN:.0f} s") from None
