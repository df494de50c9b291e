"""A server of the stack that is one process: started until it is ready, used inside `async with`, stopped."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Final, Self

from unora_local.process import Process

READY_WITHIN: Final = 60.0
"""Seconds that a server gets to become ready; far more than it needs, also on a busy machine."""


class Launcher(ABC):
    """What Postgres, NATS and S3 have in common."""

    process: Process | None = None

    @abstractmethod
    async def start(self) -> None:
        """Start the server and return when it can be used."""

    @abstractmethod
    async def _ready(self, process: Process) -> None:
        """Return when the server that was started can be used."""

    async def _launch(self, process: Process) -> None:
        """Start the process and wait until it is ready; stop it if it does not become ready."""
        self.process = process
        await process.start()
        try:
            await self._ready(process)
        except BaseException:
            await process.stop()
            raise

    async def stop(self) -> None:
        """Stop the server; its data stay."""
        if self.process is not None:
            await self.process.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


async def status_of(port: int, path: str) -> int | None:
    """The status of a GET on loopback, None while no server answers."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            return int((await reader.readline()).split()[1])
        finally:
            writer.close()
    return None
