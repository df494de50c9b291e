"""docker-compose.yml with deploy/compose/journey.yml, as one project that no other has a part in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from unora_common.config import CONTEXTS
from unora_local.ports import free
from unora_local.process import StartFailedError
from unora_local.run_folder import CLONE

from unora_compose.commands import Docker
from unora_compose.home import Home

NAME: Final = "unora-compose-test"
FILES: Final = (CLONE / "docker-compose.yml", CLONE / "deploy" / "compose" / "journey.yml")
PUBLISHED: Final = ("postgres", "nats", "s3", "gateway", *CONTEXTS)
"""The services with a port of this machine, on loopback."""
PAYMENTS: Final = "payments"
"""The name by which containers reach this machine, where the payment sandbox listens; journey.yml has it too."""
STARTED_WITHIN: Final = 600
"""Seconds that all containers get to become healthy."""


@dataclass(frozen=True)
class Project:
    """The containers, networks and volumes of one run."""

    docker: Docker
    folder: Path
    log: Path
    ports: Mapping[str, int]
    """The port of this machine, by service; `payments` is that of the payment sandbox."""

    async def start(self) -> None:
        """Start all; return when each job has ended well and each server is healthy. Raises StartFailedError."""
        words = self._words("up", "--detach", "--wait", "--wait-timeout", str(STARTED_WITHIN), "--no-build")
        await self.docker.logged(self.log, *words, "--pull", "never")

    async def erase(self) -> None:
        """Stop all, and remove containers, networks and volumes; nothing has to be there."""
        await self.docker.logged(self.log, *self._words("down", "--volumes", "--remove-orphans", "--timeout", "20"))

    async def keep_logs(self, file: Path) -> None:
        """Write what the containers have printed."""
        await self.docker.logged(file, *self._words("logs", "--no-color", "--timestamps"))

    async def states(self) -> dict[str, str]:
        """What docker says of each container, by service: such as `running healthy`, or `exited 0`."""
        said = await self.docker.run(*self._words("ps", "--all", "--format", "json"))
        return dict(sorted(state_of(line) for line in said.splitlines() if line))

    async def identity(self) -> str:
        """The id of identity's container. Raises StartFailedError if it does not run."""
        found = (await self.docker.run(*self._words("ps", "--quiet", "identity"))).strip()
        if not found:
            raise StartFailedError("the container of identity does not run")
        return found

    def _words(self, *words: str) -> tuple[str, ...]:
        files = [word for file in FILES for word in ("--file", str(file))]
        place = ("--project-name", NAME, "--project-directory", str(self.folder))
        return ("compose", "--ansi", "never", "--progress", "plain", *place, *files, *words)


def state_of(line: str) -> tuple[str, str]:
    """A service and its state, of a line of `docker compose ps --format json`."""
    said = json.loads(line)
    detail = said["Health"] if said["State"] == "running" else str(said["ExitCode"])
    return said["Service"], f"{said['State']} {detail}".strip()


def project(home: Home, docker: Docker, images: Mapping[str, str]) -> Project:
    """The project on free ports. `images` by the variables of docker-compose.yml."""
    names = (*PUBLISHED, PAYMENTS)
    ports = dict(zip(names, free(len(names)), strict=True))
    variables = {f"JOURNEY_{name.upper()}": str(ports[name]) for name in PUBLISHED}
    own = {
        "UNORA_STRIPE_API_BASE": f"http://{PAYMENTS}:{ports[PAYMENTS]}",
        "UNORA_S3_PUBLIC_ENDPOINT": f"http://127.0.0.1:{ports['s3']}",
    }
    ready = replace(docker, env={**docker.env, **variables, **own, **images})
    return Project(ready, home.project, home.logs / "compose.log", ports)
