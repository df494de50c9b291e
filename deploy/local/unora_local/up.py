"""The order in which the stack starts, and the text that it prints when it is ready."""

import asyncio
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from unora_common import declarations
from unora_common.config import CONTEXTS
from unora_common.streams import Reads
from unora_gateway.paths import LOCAL

from unora_local import health, services
from unora_local.gateway import Gateway
from unora_local.keys import close_to_others
from unora_local.layout import Layout
from unora_local.progress import Progress, table
from unora_local.prometheus import Prometheus
from unora_local.run_folder import DEFAULT, Row, RunFolder
from unora_local.supervisor import Part, Supervisor

READY_WITHIN: Final = 300.0
"""Seconds that a whole stack gets; if a part cannot start, the start fails long before."""

NEXT: Final = """
  make demo               play sixty members, two of them to Day 15
  make seed               make a dozen members whose logins you get
  eval "$({python} -m unora_local{run} completion bash)"
                          have `unora` in your shell: unora call GetAccount --as mirabel, and more
  Ctrl-C or make down     stop; the data stay
  set -a; . {env}
                          have all addresses and certificates in your shell
  curl "$UNORA_GATEWAY_HTTP_URL/.well-known/jwks.json"
                          call by REST (docs/gateway.md); with TLS: curl --cacert "$UNORA_TLS_CA" "$UNORA_GATEWAY_URL/…"
  {reference}
                          every method of REST, in a browser
  {page}
                          two phones, a clock and a moderator's desk, in a browser
"""


def migrate(dsn: str, roles: Mapping[str, str], owners: Mapping[str, str]) -> None:
    """Make roles and schemas as the superuser of `dsn`, then bring each context's schema to its newest version."""
    # Slow to import: here that happens beside the start of the servers.
    from unora_common import migrations, provision

    asyncio.run(provision.prepare(dsn, roles, movable_clock=True))
    for context, owner in owners.items():
        migrations.upgrade(context, owner)


class Stack:
    """Everything on this machine, from one folder whose lock the caller holds."""

    def __init__(
        self,
        folder: RunFolder,
        progress: Progress,
        *,
        replicas: int = 1,
        observe: bool = False,
        contexts: Sequence[str] = CONTEXTS,
        command: Callable[[str], Sequence[str]] = services.module,
        subjects: Callable[[Sequence[str]], Reads] = declarations.consumed_subjects,
        migrate: Callable[[str, Mapping[str, str], Mapping[str, str]], None] = migrate,
    ) -> None:
        self._folder = folder
        self._progress = progress
        self._replicas = replicas
        self._observe = observe
        self._contexts = contexts
        self._command = command
        self._subjects = subjects
        self._migrate = migrate
        self._supervisor = Supervisor(folder, progress.say)

    async def start(self) -> None:
        """Start all; return when all is ready and the env file is written. Raises StartFailedError or TimeoutError; or
        before anything is started Mistake, for a variable that cannot be.
        """
        self._folder.remove_env()
        for old in self._folder.logs.glob("*.log"):
            old.unlink()
        await asyncio.to_thread(close_to_others, self._folder.path)
        layout = Layout(self._folder, self._contexts, replicas=self._replicas)
        gateway = layout.gateway()
        prometheus = layout.prometheus() if self._observe else None
        for reason in layout.moved:
            self._progress.say(f"  ! {reason}")
        work = asyncio.create_task(self._start(layout, gateway, prometheus))
        failure = asyncio.create_task(self._supervisor.failure())
        try:
            done, _ = await asyncio.wait({work, failure}, timeout=READY_WITHIN, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                raise TimeoutError(f"not ready within {READY_WITHIN:.0f} s; the logs are in {self._folder.logs}")
            for task in done:
                task.result()
        finally:
            work.cancel()
            failure.cancel()
            await asyncio.gather(work, failure, return_exceptions=True)
        self._supervisor.all_started()
        self._folder.write_env(layout.published())

    async def stop(self) -> None:
        """Stop all that was started."""
        self._folder.remove_env()
        await self._supervisor.stop()

    async def _start(self, layout: Layout, gateway: Gateway | None, prometheus: Prometheus | None) -> None:
        seaweed = asyncio.create_task(self._part("seaweed", layout.seaweed, layout.seaweed.endpoint))
        try:
            await asyncio.gather(self._database(layout), self._events(layout))
            await asyncio.gather(
                self._payments(layout),
                self._page(layout),
                *(self._service(c, layout, replica) for c in self._contexts for replica in range(self._replicas)),
            )
            await seaweed
            if gateway is not None:
                await self._part("gateway", gateway, f"{gateway.url} {gateway.plain_url}")
            if prometheus is not None:
                await self._part("prometheus", prometheus, prometheus.url)
        finally:
            seaweed.cancel()
            await asyncio.gather(seaweed, return_exceptions=True)

    async def _database(self, layout: Layout) -> None:
        await self._part("postgres", layout.postgres, f"127.0.0.1:{layout.postgres.port}")
        with self._progress.step("schemas"):
            await asyncio.to_thread(self._migrate, layout.postgres.dsn(), layout.roles(), layout.owners())

    async def _events(self, layout: Layout) -> None:
        nats = layout.nats(await asyncio.to_thread(self._subjects, self._contexts))
        await self._part("nats", nats, f"127.0.0.1:{nats.port}")

    async def _payments(self, layout: Layout) -> None:
        if "billing" in self._contexts:
            address = services.targets(layout.backing)["billing"]
            part = layout.payments.part(address, layout.developer, self._folder.logs / "payments.log")
            await self._part("payments", part, layout.payments.url)

    async def _page(self, layout: Layout) -> None:
        page = layout.page()
        if page is not None:
            await self._part("page", page, page.address)

    async def _part(self, name: str, part: Part, address: str) -> None:
        with self._progress.step(name):
            await self._supervisor.start(name, part, address)

    async def _service(self, context: str, layout: Layout, replica: int) -> None:
        address = layout.backing.endpoints[context][replica].grpc
        part = services.part(context, self._command(context), layout.backing, self._folder.logs, replica)
        name = part.process.name
        with self._progress.step(name):
            await self._supervisor.start(name, part, address)
            await health.ready(address, layout.developer)


def describe(folder: RunFolder, rows: Sequence[Row]) -> str:
    """A table of the processes; and when the stack is ready, the commands that one can use next."""
    lines = [(row.name, row.address, str(row.pid)) for row in rows]
    return f"\n{table(('service', 'address', 'pid'), lines)}\n{_next(folder, rows) if folder.env.exists() else ''}"


def _next(folder: RunFolder, rows: Sequence[Row]) -> str:
    run = "" if folder.path == DEFAULT else f" --run {shlex.quote(str(folder.path))}"
    http = _plain_gateway(rows)
    return NEXT.format(
        env=shlex.quote(str(folder.env)),
        python=shlex.quote(sys.executable),
        run=run,
        reference=f"{http}/docs",
        page=f"{http}{LOCAL}",
    )


def _plain_gateway(rows: Sequence[Row]) -> str:
    """Where the gateway answers a browser."""
    (http,) = [row.address.split()[-1] for row in rows if row.name == "gateway"] or [""]
    return http
