"""The connection of a subscriber, which outlives the loss of NATS."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any, Final

from nats.errors import Error as NatsError

from unora_sdk.certificates import Certificates
from unora_sdk.nats_client import NatsClient, addresses, tls_options
from unora_sdk.outages import Outage
from unora_sdk.settings import Settings

RETRY_DELAY: Final = 1.0
"""Seconds until connecting begins anew."""

log = logging.getLogger("unora_sdk")


class Connection:
    """Connects, again and again if it must; after that the client itself reconnects."""

    def __init__(self, settings: Settings) -> None:
        """Raises ConfigError for an address or a certificate that cannot be used."""
        self._addresses = addresses(settings.nats_url)
        self._tls = tls_options(Certificates(settings.tls_ca, settings.tls_cert, settings.tls_key))
        self._inbox = settings.inbox.encode()
        self._outage = Outage(log, "NATS is away")
        self.client = NatsClient()

    async def open(self) -> None:
        """Returns when NATS has let the subscriber in."""
        while True:
            try:
                return await self._connect(reconnects=-1)
            except (NatsError, OSError, ValueError) as error:
                self._outage.failed(error)
                self.client.drop()
                self.client = NatsClient()
            await asyncio.sleep(RETRY_DELAY)

    async def open_once(self) -> None:
        """The same for a command, which does not wait. Raises NatsError or OSError."""
        try:
            await self._connect(reconnects=0)
        except BaseException:
            self.client.drop()
            raise

    async def close(self) -> None:
        """Sends what is to be sent, and closes the connection."""
        with suppress(NatsError, OSError, AssertionError, TimeoutError):
            if self.client.is_connected:
                await self.client.flush(2.0)
            await self.client.close()

    async def _connect(self, reconnects: int) -> None:
        options: dict[str, Any] = {"allow_reconnect": False} if not reconnects else {"max_reconnect_attempts": -1}
        await self.client.connect(
            self._addresses,
            name="unora-sdk",
            inbox_prefix=self._inbox,
            reconnect_time_wait=0.5,  # type: ignore[arg-type]  # it is slept
            error_cb=self._on_error,
            disconnected_cb=self._on_lost,
            reconnected_cb=self._on_connected,
            **options,
            **self._tls,
        )
        self._outage.over()

    async def _on_error(self, error: Exception) -> None:
        if not self.client.is_connected:
            self._outage.failed(error)
        else:
            log.warning("NATS: %s", error)

    async def _on_lost(self) -> None:
        pass

    async def _on_connected(self) -> None:
        self._outage.over()
