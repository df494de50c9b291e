"""Keeps parts running: starts them, restarts those that die, and stops all in reverse order."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from unora_local.process import Process, StartFailedError, tail
from unora_local.run_folder import Row, RunFolder, start_time

MAX_DEATHS: Final = 3
"""If a part dies this many times while the stack starts, the start fails."""
FIRST_DELAY: Final = 0.5
MAX_DELAY: Final = 30.0
LONGEST: Final = "UNORA_LONGEST_RESTART_DELAY"
"""Names another number of seconds than MAX_DELAY, for tests that kill the same part many times."""
HEALTHY_AFTER: Final = 60.0
"""Seconds after which a part counts as healthy: if it dies later, it is restarted with the first delay again."""


class Part(Protocol):
    """What the supervisor keeps running: a launcher, or a single process."""

    async def start(self) -> None:
        """Start it."""

    async def stop(self) -> None:
        """Stop it and its child processes."""

    @property
    def process(self) -> Process | None:
        """The process whose end the supervisor watches."""


@dataclass
class ProcessPart:
    """A single process, without a launcher."""

    process: Process

    async def start(self) -> None:
        """Start the process."""
        await self.process.start()

    async def stop(self) -> None:
        """Stop the process."""
        await self.process.stop()


@dataclass
class _Watched:
    name: str
    part: Part
    address: str
    watcher: asyncio.Task[None]


class Supervisor:
    """The parts of one stack, in the order in which they were started."""

    def __init__(self, folder: RunFolder, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._say = say
        self.deaths: list[str] = []
        """What has died so far, each death in words; also those after which the part was started again."""
        self._watched: dict[str, _Watched] = {}
        self._started = False
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self, name: str, part: Part, address: str) -> None:
        """Start a part and keep it running from now on."""
        await part.start()
        self._watched[name] = _Watched(name, part, address, asyncio.create_task(self._watch(name, part)))
        self._record()

    async def end(self, name: str, *, crash: bool = False) -> None:
        """Stop a part as a deployment does, or at once as a crash does, and keep it running no more; return when it has
        ended.
        """
        item = self._watched[name]
        item.watcher.cancel()
        await asyncio.gather(item.watcher, return_exceptions=True)
        if crash and item.part.process is not None:
            item.part.process.kill()
        await item.part.stop()
        del self._watched[name]
        self._record()

    def all_started(self) -> None:
        """From now on a part that dies is restarted without a limit."""
        self._started = True

    async def failure(self) -> None:
        """Raise StartFailedError when a part dies MAX_DEATHS times while the stack starts."""
        await asyncio.shield(self._failure)

    async def stop(self) -> None:
        """Stop all in reverse order: first all services, then the servers that they use."""
        for item in self._watched.values():
            item.watcher.cancel()
        await asyncio.gather(*(item.watcher for item in self._watched.values()), return_exceptions=True)
        for group in self._groups():
            await asyncio.gather(*(item.part.stop() for item in group))
        self._watched.clear()
        self._failure.cancel()
        self._record()

    def rows(self) -> list[Row]:
        """The processes that run, in the order of their start."""
        rows = []
        for item in self._watched.values():
            process = item.part.process
            if process is not None and (began := start_time(process.pid)) is not None:
                rows.append(Row(item.name, process.pid, began, item.address, int(process.stop_signal)))
        return rows

    def _groups(self) -> list[list[_Watched]]:
        """First the services, then the servers that they use."""
        items = list(reversed(self._watched.values()))
        return [
            [item for item in items if isinstance(item.part, ProcessPart)],
            [item for item in items if not isinstance(item.part, ProcessPart)],
        ]

    def _record(self) -> None:
        self._folder.record(self.rows())

    async def _watch(self, name: str, part: Part) -> None:
        longest = float(os.environ.get(LONGEST, MAX_DELAY))
        first = min(FIRST_DELAY, longest)
        delay, deaths = first, 0
        loop = asyncio.get_running_loop()
        while part.process is not None:
            began = loop.time()
            status = await part.process.wait()
            if loop.time() - began > HEALTHY_AFTER:
                delay, deaths = first, 0
            deaths += 1
            died = f"{name} died ({_meaning(status)}), see {part.process.log}"
            self.deaths.append(died)
            if not self._started and deaths >= MAX_DEATHS:
                self._fail(StartFailedError(f"{name} died {deaths} times:\n{tail(part.process.log)}"))
                return
            self._say(f"  ! {died}; it starts again in {delay:.1f} s")
            await asyncio.sleep(delay)
            delay = min(delay * 2, longest)
            with contextlib.suppress(StartFailedError):  # its process has ended: the next turn sees that
                await part.start()
            self._record()  # before the message, so that its reader finds the new pid in the table
            if part.process.running:
                self._say(f"  ! {name} runs again, pid {part.process.pid}")

    def _fail(self, error: StartFailedError) -> None:
        if not self._failure.done():
            self._failure.set_exception(error)


def _meaning(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"
