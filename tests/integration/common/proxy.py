"""A wire that can be cut: TCP between a service and a server that it needs. And a server that says nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from unora_local import ports


class Wire:
    """Forwards connections to a port of this machine, until it is cut."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.port = ports.free()[0]  # of those that the kernel gives to nobody while it is cut
        self.accepted = 0
        """Connections so far."""
        self.silent = False
        """Whether connections stay open, and nothing is forwarded."""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()

    async def join(self) -> None:
        """Listens, on the same port as before it was cut."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def cut(self) -> None:
        """Closes every connection and refuses new ones."""
        assert self._server is not None
        self._server.close()
        for pump in list(self._pumps):
            pump.cancel()
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        joined = self._server
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:  # nobody is there
            writer.transport.abort()
            return
        if joined is None or joined is not self._server or not joined.is_serving():  # it was cut meanwhile
            writer.transport.abort()
            far_writer.transport.abort()
            return
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            self._open.add(sink)
            pump = asyncio.ensure_future(self._pump(source, sink))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if not self.silent:
                    sink.write(data)
                    await sink.drain()
        sink.close()
        self._open.discard(sink)


class Silent(asyncio.Protocol):
    """Takes connections, and never says anything."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        """Set when somebody has begun to speak."""

    def data_received(self, data: bytes) -> None:
        self.asked.set()


@asynccontextmanager
async def silent_server() -> AsyncIterator[tuple[int, asyncio.Event]]:
    """A port at which connections are taken and nothing is said, and an event: somebody has begun to speak."""
    silent = Silent()
    server = await asyncio.get_running_loop().create_server(lambda: silent, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], silent.asked
    finally:
        server.close()
