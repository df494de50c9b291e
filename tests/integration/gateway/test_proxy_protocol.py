"""A balancer that passes TLS on tells the client's address by the PROXY protocol, before TLS begins."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping

import pytest
from unora_local.tls import Certificate
from unora_testing.deadlines import within
from unora_testing.gateway import Door, gateway_of

from tests.integration.gateway.recorder import Recorder

GET = b"GET /v1/account HTTP/1.1\r\nhost: api.example.com\r\nconnection: close\r\n\r\n"


def version_1(address: str) -> bytes:
    family = "TCP6" if ":" in address else "TCP4"
    own = "::1" if ":" in address else "127.0.0.1"
    return f"PROXY {family} {address} {own} 40000 443\r\n".encode()


def version_2(address: str) -> bytes:
    addresses = socket.inet_aton(address) + socket.inet_aton("127.0.0.1") + (40000).to_bytes(2) + (443).to_bytes(2)
    return b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + len(addresses).to_bytes(2) + addresses


@pytest.fixture(scope="module")
async def behind(services: Recorder, certificates: Mapping[str, Certificate]) -> AsyncIterator[Door]:
    """A gateway behind such a balancer; an address may call twice."""
    policy = {"proxy_protocol": "true", "address_burst": "2", "address_calls_per_second": "1"}
    async with gateway_of(services.addresses, certificates, **policy) as door:
        yield door


async def status(door: Door, before_tls: bytes) -> int:
    """Of a call over a new connection; 0 if the gateway ends it before it has answered."""
    host, _, port = door.target.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(before_tls)
        await writer.start_tls(ssl.create_default_context(cafile=str(door.authority)), server_hostname=host)
        writer.write(GET)
        line = await reader.readline()
    except (ConnectionError, ssl.SSLError):
        return 0
    finally:
        writer.close()
    return int(line.split()[1]) if line else 0


@pytest.mark.parametrize(
    ("address", "before_tls"),
    [
        ("203.0.113.7", version_1("203.0.113.7")),
        ("203.0.113.8", version_2("203.0.113.8")),
        ("2001:db8::7", version_1("2001:db8::7")),
    ],
    ids=["version 1", "version 2", "IPv6"],
)
async def test_services_are_told_the_address_of_the_client(
    behind: Door, services: Recorder, address: str, before_tls: bytes
) -> None:
    assert await within(status(behind, before_tls)) == 200
    assert services.last().metadata["unora-client-address"] == address


async def test_each_client_has_a_limit_of_its_own(behind: Door) -> None:
    """Behind a balancer that tells nothing, all members together would have one."""
    greedy, other = version_1("198.51.100.1"), version_1("198.51.100.2")
    answers = await within(asyncio.gather(*(status(behind, greedy) for _ in range(8))))
    assert 429 in answers
    assert await within(status(behind, other)) == 200


async def test_a_connection_that_does_not_tell_an_address_is_refused(behind: Door, services: Recorder) -> None:
    """Else whoever reaches the gateway past the balancer would have its address."""
    services.seen.clear()
    assert await within(status(behind, b"")) == 0
    assert services.seen == []


async def test_without_the_variable_nobody_can_say_what_address_they_have(door: Door, services: Recorder) -> None:
    services.seen.clear()
    assert await within(status(door, version_1("203.0.113.7"))) == 0
    assert services.seen == []
