"""The gateway on one machine: one Envoy, with what unora_gateway makes of the contract."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from unora_gateway import targets
from unora_gateway.filters import READY
from unora_gateway.openapi.page import PAGES
from unora_gateway.paths import LOCAL
from unora_gateway.render import CONFIG, write
from unora_gateway.target import Address, Files

from unora_local.binaries import script
from unora_local.keys import private_folder
from unora_local.launcher import READY_WITHIN, Launcher, status_of
from unora_local.process import Process
from unora_local.tls import FRONT, Certificate

PORTS: Final = tuple(targets.LOCAL_PORTS)
"""The names of its ports: with TLS, without, metrics, Envoy's own commands."""
OWN: Final = "gateway"


class Gateway(Launcher):
    """An Envoy with its files in `folder`. `services` has the address of each context as a gRPC client is given it,
    `ports` a port for each name in PORTS, `environ` the variables UNORA_GATEWAY_…. Raises PolicyError.
    """

    def __init__(
        self,
        folder: Path,
        *,
        ports: Mapping[str, int],
        services: Mapping[str, str],
        certificates: Mapping[str, Certificate],
        log: Path,
        environ: Mapping[str, str],
        bridge: str | None = None,
        ready: str = READY,
    ) -> None:
        """`bridge` is the address of what serves the paths below `/local/`, if anything does. `ready` is the probe that
        `start` waits for; by default each service must take calls.
        """
        self.folder = folder
        self._ports = ports
        self._bridge = bridge
        self._probe = ready
        self._services = services
        self._certificates = certificates
        self.log = log
        self._policy = targets.local_policy(environ)

    @property
    def url(self) -> str:
        """Where apps call, with TLS by the authority of this machine."""
        return f"https://127.0.0.1:{self._ports['front']}"

    @property
    def plain_url(self) -> str:
        """The same without TLS, on loopback only."""
        return f"http://127.0.0.1:{self._ports['plain']}"

    @property
    def page_url(self) -> str:
        """Where a browser finds the page; it asks for no certificate."""
        return f"{self.plain_url}{LOCAL}"

    @property
    def watch_url(self) -> str:
        """Probes and metrics."""
        return f"http://127.0.0.1:{self._ports['watch']}"

    @property
    def admin_port(self) -> int:
        """Envoy's own commands."""
        return self._ports["admin"]

    async def start(self) -> None:
        """Write the files, start Envoy, and return when it serves and has found every service ready."""
        private_folder(self.folder)
        target = targets.local(
            self.folder,
            ports=self._ports,
            services={context: Address.all_of(address) for context, address in self._services.items()},
            front=_files(self._certificates[FRONT]),
            own=_files(self._certificates[OWN]),
            policy=self._policy,
            pages=PAGES,
            bridge=Address.of(self._bridge) if self._bridge else None,
        )
        await asyncio.to_thread(write, target, self.folder)
        await self._launch(
            Process(
                OWN,
                [
                    *(str(script("envoy")), "--config-path", str(self.folder / CONFIG), "--disable-hot-restart"),
                    *(
                        "--concurrency",
                        "1",
                        "--log-level",
                        "warning",
                        "--file-flush-interval-msec",
                        "500",
                        "--drain-time-s",
                        "20",
                    ),
                ],
                log=self.log,
                cwd=self.folder,
            )
        )

    async def _ready(self, process: Process) -> None:
        await process.wait_until(self._answers, within=READY_WITHIN, every=0.1)

    async def _answers(self) -> bool:
        return await status_of(self._ports["watch"], self._probe) == 200


def _files(certificate: Certificate) -> Files:
    return Files(certificate.cert, certificate.key, certificate.ca)
