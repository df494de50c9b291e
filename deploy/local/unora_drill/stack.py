"""A whole stack whose parts a drill stops, loses and starts again one by one, and what operators run on it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from unora_common import declarations
from unora_common.config import CONTEXTS
from unora_local import health, nats_reload, services
from unora_local.at_once import for_all
from unora_local.env import Env
from unora_local.layout import Layout
from unora_local.nats import Nats
from unora_local.process import Process
from unora_local.progress import Progress
from unora_local.run_folder import RunFolder
from unora_local.supervisor import Part, ProcessPart, Supervisor
from unora_local.up import migrate
from unora_upgrade import release

from unora_drill.backup import Backup

READY_WITHIN: Final = 120.0
QUICK: Final = {
    "UNORA_JWKS_REFRESH": "2",
    "UNORA_REVOCATIONS_INTERVAL": "2",
}
"""Settings of all contexts in a drill, so that nobody waits minutes for what has an interval."""


class DrillStack:
    """One process of each context, and the servers that they use, in the folder whose lock the caller holds."""

    def __init__(self, folder: RunFolder, progress: Progress) -> None:
        self.folder = folder
        self.layout = Layout(folder, CONTEXTS)
        self.backup = Backup(self.layout.postgres, folder.path / "backup", folder.logs / "backup.log")
        self.settings: dict[str, dict[str, str]] = {context: dict(QUICK) for context in CONTEXTS}
        """Variables of each context besides those that every stack has; a start takes them."""
        self._progress = progress
        self._release = release.todays()
        self._supervisor = Supervisor(folder, progress.say)
        self._nats: Nats

    @property
    def env(self) -> Env:
        """The addresses, once all has started."""
        return Env.read(self.folder.env)

    async def start(self) -> None:
        """Start all, with an archive of Postgres' WAL."""
        await asyncio.gather(self.start_s3(), self._start_database(), self._start_events())
        await self.start_payments()
        await self.start_services()
        self.all_started()

    def all_started(self) -> None:
        """Write the addresses; from now on a part that dies is started again."""
        self._supervisor.all_started()
        self.folder.write_env(self.layout.published())

    async def stop(self) -> None:
        """Stop all, and remove the data of Postgres and its backup, which may be outside of the folder."""
        self.folder.remove_env()
        await self._supervisor.stop()
        self.layout.postgres.erase()
        self.backup.erase()

    async def crash(self) -> None:
        """Kill everything at once, as the loss of a region does; nothing is written any more."""
        for row in reversed(self._supervisor.rows()):
            await self.kill(row.name)

    async def start_services(self, contexts: Sequence[str] = CONTEXTS, *, until: str = "") -> None:
        """Start the services; return when all are ready, or when their log says `until`. Raises StartFailedError."""
        await asyncio.gather(*(self._start_service(context, until) for context in contexts))

    async def stop_services(self, contexts: Sequence[str] = CONTEXTS) -> None:
        """As a deployment does."""
        await asyncio.gather(*(self._supervisor.end(context) for context in contexts))

    async def start_postgres(self) -> None:
        """Start Postgres; return when it takes writes, after a recovery too."""
        await self._part("postgres", self.layout.postgres)

    async def start_nats(self) -> None:
        """Start NATS without streams, as a server has none whose data are lost."""
        nats = self.layout.nats(await asyncio.to_thread(declarations.consumed_subjects, CONTEXTS), bare=True)
        await self._part("nats", nats)
        self._nats = nats

    async def reload_nats(self) -> None:
        """Have the server read its files again; return when it has."""
        process = self._nats.process
        assert process is not None
        await nats_reload.reload(process.pid, self._nats.log)

    def lose_streams(self) -> None:
        """Delete the data of NATS."""
        shutil.rmtree(self.folder.path / "nats" / "jetstream")

    async def start_s3(self) -> None:
        """Start the S3."""
        await self._part("seaweed", self.layout.seaweed)

    async def start_payments(self) -> None:
        """Start the sandbox of the payment provider."""
        address = services.targets(self.layout.backing)["billing"]
        log = self.folder.logs / "payments.log"
        await self._part("payments", self.layout.payments.part(address, self.layout.developer, log))

    async def end(self, name: str) -> None:
        """Stop one part."""
        await self._supervisor.end(name)

    async def kill(self, name: str) -> None:
        """End one part at once, as a crash does."""
        await self._supervisor.end(name, crash=True)

    async def run(self, context: str, *words: str) -> str:
        """Run a command of a context, such as `republish`; what it printed. Raises StartFailedError if it fails."""
        return (await self._release.run(f"unora_{context}", *words, env=self._environment(context))).strip()

    async def republish(self) -> None:
        """Run `republish` in every context, as after a loss of streams, a few at the same time."""
        await for_all(CONTEXTS, lambda context: self.run(context, "republish"), lambda _: None)

    async def make_streams(self) -> str:
        """Run the Job `streams`."""
        variables = self.layout.nats({}).for_administrator()
        return (await self._release.run("unora_common.streams", env=variables)).strip()

    async def migrate(self) -> None:
        """Run the Job `cluster`, and `migrate` of each context."""
        layout = self.layout
        await asyncio.to_thread(migrate, layout.postgres.dsn(), layout.roles(), layout.owners())

    async def _start_database(self) -> None:
        await self.start_postgres()
        await self.backup.switch_on()
        await self.end("postgres")  # archive_mode takes a restart
        await self.start_postgres()
        await self.migrate()

    async def _start_events(self) -> None:
        await self.start_nats()
        await self.make_streams()

    def _environment(self, context: str) -> dict[str, str]:
        return services.environment(context, self.layout.backing) | self.settings[context]

    async def _start_service(self, context: str, until: str) -> None:
        environment = await asyncio.to_thread(self._environment, context)  # it loads the service
        log = self.folder.logs / f"{context}.log"
        process = Process(context, services.module(context), log=log, env=environment, grace=services.STOPS_WITHIN)
        address, before = self.layout.backing.endpoints[context][0].grpc, log.stat().st_size if log.exists() else 0
        await self._supervisor.start(context, ProcessPart(process), address)
        if until:
            await process.wait_until(
                lambda: asyncio.to_thread(_says, log, before, until), within=READY_WITHIN, every=0.2
            )
            return
        try:
            async with asyncio.timeout(READY_WITHIN):
                await health.ready(address, self.layout.developer)
        except TimeoutError:
            raise process.failure(f"was not ready within {READY_WITHIN:.0f} s") from None

    async def _part(self, name: str, part: Part) -> None:
        await self._supervisor.start(name, part, "")


def _says(log: Path, since: int, text: str) -> bool:
    """Whether a log has a text from a byte on."""
    return text.encode() in log.read_bytes()[since:]
