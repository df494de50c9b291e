"""Keeps parts running: starts them, starts again what dies and says so, and stops all in reverse order."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from unora_local.process import Process, StartFailedError, tail
from unora_local.run_folder import Row, RunFolder, started

# A part that dies so often while the stack starts will not come up.
TRIES: Final = 3
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
# One that has lived so long begins again with the shortest pause.
HEALTHY: Final = 60.0


class Part(Protocol):
    """What the supervisor looks after: a launcher, or a process alone."""

    async def start(self) -> None:
        """Start it."""

    async def stop(self) -> None:
        """Stop it and all that belongs to it."""

    @property
    def process(self) -> Process | None:
        """The process that must not end by itself."""


@dataclass
class Alone:
    """A process that needs nothing more than to be started."""

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
        self._watched: dict[str, _Watched] = {}
        self._started = False
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self, name: str, part: Part, address: str) -> None:
        """Start a part and keep it running from now on."""
        await part.start()
        self._watched[name] = _Watched(name, part, address, asyncio.create_task(self._watch(name, part)))
        self._record()

    def all_started(self) -> None:
        """From now on a part that dies is started again as often as it takes."""
        self._started = True

    async def failure(self) -> None:
        """Raise when a part dies again and again while the stack starts."""
        await asyncio.shield(self._failure)

    async def stop(self) -> None:
        """Stop all in reverse: the services together, then together what they stand on."""
        for item in self._watched.values():
            item.watcher.cancel()
        await asyncio.gather(*(item.watcher for item in self._watched.values()), return_exceptions=True)
        for group in self._groups():
            await asyncio.gather(*(item.part.stop() for item in group))
        self._watched.clear()
        self._failure.cancel()
        self._record()

    def rows(self) -> list[Row]:
        """What runs, in the order of its start."""
        rows = []
        for item in self._watched.values():
            process = item.part.process
            if process is not None and (began := started(process.pid)) is not None:
                rows.append(Row(item.name, process.pid, began, item.address, int(process.stop_signal)))
        return rows

    def _groups(self) -> list[list[_Watched]]:
        """Services first, then what they stand on."""
        items = list(reversed(self._watched.values()))
        return [
            [item for item in items if isinstance(item.part, Alone)],
            [item for item in items if not isinstance(item.part, Alone)],
        ]

    def _record(self) -> None:
        self._folder.record(self.rows())

    async def _watch(self, name: str, part: Part) -> None:
        pause, deaths = FIRST_PAUSE, 0
        loop = asyncio.get_running_loop()
        while part.process is not None:
            began = loop.time()
            status = await part.process.wait()
            if loop.time() - began > HEALTHY:
                pause, deaths = FIRST_PAUSE, 0
            deaths += 1
            if not self._started and deaths >= TRIES:
                self._fail(StartFailedError(f"{name} died {deaths} times:\n{tail(part.process.log)}"))
                return
            self._say(f"  ! {name} died ({_meaning(status)}), see {part.process.log}; it starts again in {pause:.1f} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            with contextlib.suppress(StartFailedError):  # its process has ended: the next turn sees that
                await part.start()
                self._say(f"  ! {name} runs again, pid {part.process.pid}")
            self._record()

    def _fail(self, error: StartFailedError) -> None:
        if not self._failure.done():
            self._failure.set_exception(error)


def _meaning(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"
