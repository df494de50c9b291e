"""A real gateway for tests: an Envoy on this machine, before the services of a world or before others."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import httpx
from unora_gateway.filters import READY
from unora_local import ports
from unora_local.gateway import PORTS, Gateway
from unora_local.tls import FRONT, Certificate

from unora_testing.deadlines import GENEROUS
from unora_testing.world import World


class Door:
    """A gateway that runs, with clients that trust its certificate."""

    def __init__(self, gateway: Gateway, authority: Path) -> None:
        self.gateway = gateway
        self.log = gateway.log
        self.authority = authority
        """The file of the authority that its certificate is from."""

    @property
    def url(self) -> str:
        """Where apps call, with TLS."""
        return self.gateway.url

    @property
    def target(self) -> str:
        """Host and port, as a channel of gRPC wants them."""
        return self.url.removeprefix("https://")

    def web(self, **headers: str) -> httpx.AsyncClient:
        """A client of REST and gRPC-Web, with headers that it sends each time."""
        context = ssl.create_default_context(cafile=str(self.authority))
        return httpx.AsyncClient(base_url=self.url, verify=context, timeout=GENEROUS, headers=headers)

    def channel(self) -> grpc.aio.Channel:
        """A channel of gRPC, without a certificate of its own."""
        return grpc.aio.secure_channel(self.target, grpc.ssl_channel_credentials(self.authority.read_bytes()))


@asynccontextmanager
async def gateway_before(world: World, **policy: str) -> AsyncIterator[Door]:
    """A gateway before the services of a world. `policy` has fields of unora_gateway.policy as they are written in
    variables: `address_burst="3"`.
    """
    services = {context: app.server.address for context, app in world.apps.items() if app.server}
    async with gateway_of(services, world.certificates, **policy) as door:
        yield door


@asynccontextmanager
async def gateway_of(
    services: Mapping[str, str], certificates: Mapping[str, Certificate], *, ready: str = READY, **policy: str
) -> AsyncIterator[Door]:
    """A gateway before the services at these addresses; it is waited for until its probe `ready` says yes. Afterwards
    AssertionError is raised if its script has failed in any call.
    """
    with tempfile.TemporaryDirectory(prefix="unora-gateway-") as folder:
        gateway = Gateway(
            Path(folder) / "gateway",
            ports=dict(zip(PORTS, ports.free(len(PORTS)), strict=True)),
            services=services,
            certificates=certificates,
            log=Path(folder) / "gateway.log",
            environ={f"UNORA_GATEWAY_{name.upper()}": value for name, value in policy.items()},
            ready=ready,
        )
        async with gateway:
            yield Door(gateway, certificates[FRONT].ca)
        # Envoy lets a call go on when the script fails, so that no answer would show it.
        faults = [line for line in gateway.log.read_text().splitlines() if "[lua]" in line]
        assert not faults, faults[0]
