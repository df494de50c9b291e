"""The NATS connection of one process. The process starts without NATS if it must: events wait in the outbox."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from unora_sdk.certificates import Certificates
from unora_sdk.environment import ConfigError
from unora_sdk.names import inbox
from unora_sdk.nats_client import NatsClient, addresses, tls_options

from unora_common.config import Config
from unora_common.logs import Log
from unora_common.outages import Outage
from unora_common.timeouts import Timeouts

RETRY_DELAY = 1.0
"""Seconds until connecting begins anew after it ended with an error."""


class Messaging:
    """Connects once in the background; after that the client itself reconnects."""

    def __init__(
        self,
        context: str,
        config: Config,
        certificates: Certificates,
        log: Log,
        woken: Callable[[], object],
        timeouts: Timeouts,
    ) -> None:
        """`woken` is called when another replica has committed events (see `wake_relays`). Raises ConfigError for an
        address without TLS.
        """
        self._context = context
        self._urls = addresses(config.nats_url)
        self._tls = tls_options(certificates)
        self._log = log
        self._outage = Outage(log, "nats error")
        self._runs = False
        """Whether `open` has returned without a connection."""
        self._woken = woken
        self._timeouts = timeouts
        self._wake_subject = f"wake.{context}"
        self._connecting: asyncio.Future[None] | None = None
        self.client = NatsClient()
        self.jetstream = self.client.jetstream(timeout=timeouts.nats)

    async def open(self) -> None:
        """Begins to connect, and waits up to `Timeouts.nats_start` for it. Raises ConfigError if that cannot succeed,
        such as for an address that cannot be read.
        """
        self._connecting = asyncio.ensure_future(self._reach())
        await asyncio.wait({self._connecting}, timeout=self._timeouts.nats_start)
        if self._connecting.done():
            try:
                await self._connecting
            except (ValueError, NatsError) as error:
                raise ConfigError(f"UNORA_NATS_URL cannot be used: {error}") from error
        else:
            self._log.warning("nats does not answer yet")
            self._runs = True

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection now."""
        return bool(self.client.is_connected)

    async def connected(self) -> None:
        """Returns when NATS was reached for the first time. Called after `open`."""
        assert self._connecting is not None
        await asyncio.shield(self._connecting)

    async def flush(self) -> None:
        """Returns when NATS has received all that was sent. Raises NatsError if that takes too long."""
        await self.client.flush(self._timeouts.nats)

    def wake_relays(self) -> None:
        """Tells the relays of all replicas that events were committed. A lost message costs one relay interval."""
        if self.client.is_connected:
            task = asyncio.ensure_future(self.client.publish(self._wake_subject, b""))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def close(self) -> None:
        """Stops connecting, and closes the connection."""
        while self._connecting is not None and not self._connecting.done():
            self._connecting.cancel()  # again and again: wait_for of Python 3.11 can lose a cancellation
            await asyncio.wait({self._connecting}, timeout=0.1)
        with suppress(NatsError, AssertionError):  # AssertionError if the client did not begin to connect
            await self.client.close()

    async def _reach(self) -> None:
        """Connects. Once the process runs, it begins anew after an error: events wait for NATS."""
        while True:
            try:
                return await self._connect()
            except Exception as error:
                if not self._runs:
                    raise
                self._log.error("connecting to nats failed", failure=error)
            await asyncio.sleep(RETRY_DELAY)

    async def _connect(self) -> None:
        await self.client.connect(
            self._urls,
            name=f"unora_{self._context}",
            inbox_prefix=inbox(self._context).encode(),
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.5,  # type: ignore[arg-type]  # it is slept
            error_cb=self._on_error,
            reconnected_cb=self._on_connected,
            **self._tls,
        )
        await self.client.subscribe(self._wake_subject, cb=self._on_wake)
        await self._on_connected()

    async def _on_wake(self, _: Msg) -> None:
        self._woken()

    async def _on_error(self, error: Exception) -> None:
        if self.client.is_connected:
            self._log.warning("nats error", failure=error)
        else:
            self._outage.failed(error)

    async def _on_connected(self) -> None:
        self._outage.over()
