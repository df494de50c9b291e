"""Connections that say nothing: before the TLS handshake, and after it."""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import Final

from unora_attack.orders import Orders, Record, Tally

EACH: Final = 300
"""Silent connections of each kind to each port."""
REST: Final = 0.5
"""Seconds until a connection that was cut is opened again."""


async def silent_connections(orders: Orders) -> Tally:
    """Opens connections to a service's ports for calls and for metrics, and again when they are cut."""
    record = Record(orders.seconds)
    certificate = orders.target.certificate("gateway")
    tls = ssl.create_default_context(cafile=str(certificate.ca))
    tls.load_cert_chain(certificate.cert, certificate.key)
    tls.set_alpn_protocols(["h2"])
    calls, metrics = orders.target.addresses[orders.context], orders.target.metrics[orders.context]

    async def hold(address: str, context: ssl.SSLContext | None, what: str) -> None:
        while record.going_on:
            began = time.monotonic()
            record.count(await _hold(address, context, f"{orders.context}.unora", what))
            record.longest_open = max(record.longest_open, time.monotonic() - began)
            await asyncio.sleep(REST)

    await asyncio.gather(
        *(hold(calls, None, "before TLS") for _ in range(EACH)),
        *(hold(calls, tls, "after TLS") for _ in range(EACH)),
        *(hold(metrics, None, "metrics") for _ in range(EACH)),
    )
    return record.tally()


async def _hold(address: str, context: ssl.SSLContext | None, name: str, what: str) -> str:
    """Holds one connection until the service cuts it."""
    host, _, port = address.rpartition(":")
    try:
        reader, writer = await asyncio.open_connection(
            host,
            int(port),
            ssl=context,
            server_hostname=name if context else None,
            ssl_handshake_timeout=20 if context else None,
        )
    except (OSError, TimeoutError):
        return f"{what}: refused"
    try:
        while await reader.read(1024):
            pass
    except OSError:
        pass
    finally:
        writer.close()
    return f"{what}: cut"
