"""HTTP/2 frame by frame, as no client would speak it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

from hpack import Encoder
from hyperframe.frame import Frame, HeadersFrame, RstStreamFrame, SettingsFrame
from unora_testing.deadlines import within
from unora_testing.gateway import Door

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
ACCOUNT = "/unora.identity.v1.AccountService/GetAccount"
HEADERS = (
    *((":method", "POST"), (":scheme", "https"), (":path", ACCOUNT), (":authority", "gateway")),
    *(("content-type", "application/grpc"), ("te", "trailers")),
)


class Connection:
    """One connection with frames that are sent as they are."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.encoder = Encoder()

    def call(self, stream: int, *more: tuple[str, str]) -> HeadersFrame:
        """The headers of a call whose message does not follow."""
        frame = HeadersFrame(stream, self.encoder.encode([*HEADERS, *more]))
        frame.flags.add("END_HEADERS")
        return frame

    async def send(self, frames: Iterable[Frame]) -> None:
        """Sends until the other side takes no more, or has ended the connection."""
        with suppress(ConnectionError):
            for frame in frames:
                self._writer.write(frame.serialize())
                await self._writer.drain()

    async def send_blindly(self, frames: bytes) -> None:
        """Sends again and again without reading what is answered, until the connection ends."""

        async def send() -> None:
            with suppress(ConnectionError):
                while True:
                    self._writer.write(frames)
                    await self._writer.drain()

        await within(send())

    async def frames(self) -> AsyncIterator[Frame]:
        """What is answered, until the connection ends."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                frame, length = Frame.parse_frame_header(memoryview(await self._reader.readexactly(9)))
                frame.parse_body(memoryview(await self._reader.readexactly(length)))
                yield frame

    async def ended(self) -> None:
        """Waits until the other side has ended the connection."""

        async def read() -> None:
            async for _ in self.frames():
                pass

        await within(read())

    async def reset(self, stream: int) -> RstStreamFrame:
        """Waits until the other side gives up a stream. AssertionError if the connection ends before."""

        async def found() -> RstStreamFrame:
            async for frame in self.frames():
                if isinstance(frame, RstStreamFrame) and frame.stream_id == stream:
                    return frame
            raise AssertionError(f"the connection has ended, and stream {stream} was not reset")

        return await within(found())


@asynccontextmanager
async def connect(door: Door, **settings: int) -> AsyncIterator[Connection]:
    """A connection to the gateway; `settings` are such as `INITIAL_WINDOW_SIZE`."""
    context = ssl.create_default_context(cafile=str(door.authority))
    context.set_alpn_protocols(["h2"])
    host, port = door.target.rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
    values = {getattr(SettingsFrame, name): value for name, value in settings.items()}
    writer.write(PREFACE + SettingsFrame(0, settings=values).serialize())
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()
