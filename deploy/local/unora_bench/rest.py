"""REST for the driver: HTTP/1.1 over TLS with little work, so that this client costs no more than that of gRPC."""

from __future__ import annotations

import asyncio
import ssl
from typing import Self, cast
from urllib.parse import urlsplit

END_OF_HEAD = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"


def request(verb: str, path: str, token: str, body: bytes = b"") -> bytes:
    """A whole request, as it goes over the wire."""
    lines = [f"{verb} {path} HTTP/1.1", "host: localhost", f"authorization: Bearer {token}"]
    lines += ["content-type: application/json", f"content-length: {len(body)}"] if body else []
    return "\r\n".join(lines).encode() + END_OF_HEAD + body


class Connection(asyncio.Protocol):
    """One connection that stays open; it carries one call after the other."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._received = b""
        self._answer: asyncio.Future[bytes]

    @classmethod
    async def open(cls, url: str, ca: str) -> Self:
        """A connection to an https address whose certificate is of the authority in the file `ca`."""
        address = urlsplit(url)
        context = ssl.create_default_context(cafile=ca)
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(cls, str(address.hostname), address.port or 443, ssl=context)
        return made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what bytes are written to."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one, and does not say so

    def data_received(self, data: bytes) -> None:
        """End the call when its answer has arrived as a whole. The gateway says how long each is."""
        self._received += data
        head = self._received.find(END_OF_HEAD)
        if head < 0 or self._answer.done():
            return
        at = self._received.find(LENGTH, 0, head)
        if at < 0:
            self._answer.set_exception(ValueError(f"an answer without a length: {self._received[:head]!r}"))
            return
        after = self._received.find(b"\r\n", at + 2)
        length = int(self._received[at + len(LENGTH) : after])
        if len(self._received) >= head + len(END_OF_HEAD) + length:
            answer, self._received = self._received, b""
            self._answer.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        """End the call that waits, if there is one."""
        if hasattr(self, "_answer") and not self._answer.done():
            self._answer.set_exception(error or ConnectionError("the gateway closed the connection"))

    async def send(self, whole: bytes) -> str:
        """Makes a call. Returns what was refused, or an empty text."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(whole)
        answer = await self._answer
        return "" if answer.startswith(b"HTTP/1.1 200") else answer.decode(errors="replace")

    def close(self) -> None:
        """Close it."""
        self._transport.close()
