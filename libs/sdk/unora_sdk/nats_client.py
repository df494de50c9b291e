"""The client of NATS: TLS from the first byte, with the process's own certificate.

The server is known by its name in the certificate, never by its address. Nothing is sent before TLS is agreed, so
nobody on the way can ask for the password in plain text. And no message stops the client: a publisher may put any bytes
into the headers and the subject of a message, and the library's own reader ends at some of them.

Events come and go by the thousand. The library's queue of a subscription, and its publishing one by one, cost more than
all else that is done with them, so there is a way past each: `subscribe_directly` and `send`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.aio.transport import TcpTransport
from nats.errors import ConnectionClosedError, OutboundBufferLimitError
from nats.errors import Error as NatsError

from unora_sdk.certificates import Certificates
from unora_sdk.environment import ConfigError

SERVER_NAME: Final = "nats.unora"
"""The DNS name in the certificate of every server of NATS."""
CRLF: Final = b"\r\n"
FLUSHED_WITHIN: Final = 2.0
"""Seconds for the server's answer when a subscription ends."""
SCHEME: Final = "tls://"
PERMISSION_ERROR: Final = "permissions violation"
"""In the server's words for what a user may not do. The connection goes on."""


class _Transport(TcpTransport):
    """The library's transport, which speaks TLS from the first byte.

    The library starts TLS on a connection in plain text, and asyncio then warns at the end of each connection.
    """

    _agreed = False
    """Whether TLS is agreed on the latest connection."""

    def __bool__(self) -> bool:
        return True  # else the client would put a transport of the library's in its place

    async def connect_tls(
        self, uri: Any, ssl_context: ssl.SSLContext, buffer_size: int, connect_timeout: float
    ) -> None:
        assert self._io_writer is not None
        self._agreed = False
        reader = asyncio.StreamReader(limit=buffer_size)
        protocol = _Protocol(reader)
        loop = asyncio.get_running_loop()
        starting = loop.start_tls(self._io_writer.transport, protocol, ssl_context, server_hostname=str(uri))
        try:
            transport: Any = await asyncio.wait_for(starting, connect_timeout)
        except BaseException:
            self._io_writer.transport.abort()
            raise
        self._io_reader = reader
        self._io_writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        self._agreed = True

    async def wait_closed(self) -> None:
        """Of a connection on which TLS was never agreed, nobody tells the writer that it is closed."""
        if self._agreed:
            await super().wait_closed()  # type: ignore[no-untyped-call]

    def drop(self) -> None:
        """Close the connection at once."""
        if self._io_writer is not None:
            self._io_writer.transport.abort()


class _Protocol(asyncio.StreamReaderProtocol):
    def eof_received(self) -> bool:
        super().eof_received()
        return False  # TLS has no half-closed connections


class NatsClient(Client):
    """The library's client, which survives every message."""

    def __init__(self) -> None:
        super().__init__()
        self._transport = _Transport()  # type: ignore[no-untyped-call]
        self._handlers: dict[int, Callable[[Msg], None]] = {}

    def drop(self) -> None:
        """End a connection that was not let in: the library leaves it open."""
        if isinstance(self._transport, _Transport):
            self._transport.drop()

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """What the library asks for at each connection, also at the one after a loss."""
        tls = self.options["tls"]
        return tls.refresh().context if isinstance(tls, Certificates) else super().ssl_context

    async def flush(self, timeout: float = 10.0) -> None:
        """Returns when the server has received all that was sent: the library's ping overtakes what is not written."""
        await self._flush_pending(force_flush=True)
        await super().flush(timeout)  # type: ignore[arg-type]

    async def _process_err(self, err_msg: str) -> None:
        """The library's client ends for good at most errors, such as after a change of its password. What the server
        refuses today it may allow again, so this one connects again, unless it was told not to.
        """
        if not self.is_connected or PERMISSION_ERROR in err_msg:
            return await super()._process_err(err_msg)
        error = NatsError(f"nats: {err_msg.strip(chr(39))}")
        await self._error_cb(error)
        return await self._process_op_err(error)

    async def _process_headers(self, headers: bytes) -> dict[str, str] | None:
        try:
            return await super()._process_headers(headers)
        except Exception:  # headers that cannot be read are none: who needs them refuses the message
            return None

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        """The headers, as the library reads them; it looks at each letter of a name by itself."""
        found: dict[str, str] = {}
        for line in raw.split(CRLF):
            name, colon, value = line.partition(b":")
            if colon and len(words := name.split()) == 1 and words[0].isascii():
                found[words[0].decode()] = value.strip().decode("utf-8", "replace")
        return found

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        readable = subject.decode("utf-8", "backslashreplace")
        handle = self._handlers.get(sid)
        if handle is None:
            await super()._process_msg(sid, readable.encode(), reply, data, headers)
        elif sid in self._subs:
            handle(Msg(self, readable, reply.decode(), data, await self._process_headers(headers), _sid=sid))

    async def subscribe_directly(self, subject: str, handle: Callable[[Msg], None]) -> Subscription:
        """Subscribes; `handle` gets each message as it is read from the connection. It must be short, raise nothing,
        and know by itself how many messages there can be: nothing holds them back.
        """
        subscription = await self.subscribe(subject)
        self._handlers[subscription._id] = handle
        return subscription

    async def unsubscribe_directly(self, subscription: Subscription) -> None:
        """Ends such a subscription, also while NATS is away."""
        self._handlers.pop(subscription._id, None)
        with suppress(Exception):
            await subscription.unsubscribe()

    async def end_subscription(self, subscription: Subscription) -> None:
        """Tells the server that nothing more is wanted, and returns when all that it had sent before was handled."""
        with suppress(NatsError, OSError):
            await self._send_unsubscribe(subscription._id)
            if self.is_connected:
                await self.flush(FLUSHED_WITHIN)

    async def send(self, publications: Sequence[bytes]) -> None:
        """Publishes messages, each as `publication` wrote it; those before the first connection or after its loss wait
        for the next. Raises NatsError if the connection is closed, or if too much waits already.
        """
        if self.is_closed:
            raise ConnectionClosedError
        data = b"".join(publications)
        if not self.is_connected and len(data) + self._pending_data_size > self._max_pending_size:
            raise OutboundBufferLimitError
        self.stats["out_msgs"] += len(publications)
        self.stats["out_bytes"] += len(data)
        await self._send_command(data)
        if self._flush_queue is not None and self._flush_queue.empty():
            await self._flush_pending()


def publication(subject: str, payload: bytes = b"", *, reply: str = "", headers: bytes = b"") -> bytes:
    """A message as it goes over the connection. Subjects have no spaces; headers begin with NATS/1.0 and end with an
    empty line."""
    if headers:
        return (
            f"HPUB {subject} {reply} {len(headers)} {len(headers) + len(payload)}\r\n".encode()
            + headers
            + payload
            + CRLF
        )
    return f"PUB {subject} {reply} {len(payload)}\r\n".encode() + payload + CRLF


def addresses(url: str) -> list[str]:
    """The servers that `url` names, separated by commas. Raises ConfigError if one of them is not tls://…"""
    found = [each.strip() for each in url.split(",")]
    if not all(each.startswith(SCHEME) for each in found):
        raise ConfigError(f"UNORA_NATS_URL cannot be used: each of its addresses begins with {SCHEME}")
    return found


def tls_options(certificates: Certificates) -> dict[str, Any]:
    """What `connect` needs to speak TLS: at each connection with the certificate that is the newest then."""
    return {"tls": certificates, "tls_hostname": SERVER_NAME, "tls_handshake_first": True}


async def connect(url: str, ca: Path, cert: Path, key: Path, **options: Any) -> NatsClient:
    """A connection of a command or a tool. Raises ConfigError, OSError or NatsError."""
    client = NatsClient()
    try:
        await client.connect(addresses(url), **tls_options(Certificates(ca, cert, key)), **options)
    except BaseException as error:
        client.drop()
        if isinstance(error, ValueError):
            raise NatsError(str(error)) from error
        raise
    return client
