"""Connections that say nothing: before the TLS handshake, and after it."""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import Final

import psutil

from unora_attack.orders import Orders, Record, Tally
from unora_attack.stack import GATEWAY, Target

EACH: Final = 300
"""Silent connections of each kind to each port."""
LONGEST: Final = 15.0
"""Seconds after which the attacker gives up a connection that was not cut."""
REST: Final = 0.5
"""Seconds until a connection that was cut is opened again, so that the attacker needs little power himself."""

CUT, REFUSED, OPEN, UNSEEN = "cut", "refused", "not cut", "not seen by the service"


async def silent_connections(orders: Orders) -> Tally:
    """Opens connections to a service's ports for calls and for metrics, and again when they are cut."""
    record = Record(orders.seconds)
    tls = _tls(orders.target)
    calls, metrics = orders.target.addresses[orders.context], orders.target.metrics[orders.context]

    async def hold(address: str, context: ssl.SSLContext | None, what: str) -> None:
        while record.going_on:
            began = time.monotonic()
            how = await _hold(address, context, f"{orders.context}.unora")
            record.count(f"{what}: {how}")
            if how != UNSEEN:
                record.longest_open = max(record.longest_open, time.monotonic() - began)
            await asyncio.sleep(REST)

    await asyncio.gather(
        *(hold(calls, None, "before TLS") for _ in range(EACH)),
        *(hold(calls, tls, "after TLS") for _ in range(EACH)),
        *(hold(metrics, None, "metrics") for _ in range(EACH)),
    )
    return record.tally()


async def _hold(address: str, context: ssl.SSLContext | None, name: str) -> str:
    """Holds one connection until the service cuts it; how it ended."""
    host, _, port = address.rpartition(":")
    name_if_tls, limit = (name, LONGEST) if context else (None, None)
    try:
        reader, writer = await asyncio.open_connection(
            host, int(port), ssl=context, server_hostname=name_if_tls, ssl_handshake_timeout=limit
        )
    except (OSError, TimeoutError):
        return REFUSED
    try:
        async with asyncio.timeout(LONGEST):
            while await reader.read(1024):
                pass
    except TimeoutError:
        return OPEN if _is_held(writer.get_extra_info("sockname")[1]) else UNSEEN
    except OSError:
        pass
    finally:
        writer.close()
    return CUT


def _is_held(port: int) -> bool:
    """Whether another process has the other end of a connection from this port. When very many come at once, the kernel
    drops the last step of some: the client takes such a connection for open, and the service does not know it.
    """
    return any(each.pid and each.raddr and each.raddr.port == port for each in psutil.net_connections("tcp"))


def _tls(target: Target) -> ssl.SSLContext:
    certificate = target.certificate(GATEWAY)
    context = ssl.create_default_context(cafile=str(certificate.ca))
    context.load_cert_chain(certificate.cert, certificate.key)
    context.set_alpn_protocols(["h2"])
    return context
