"""An engine of its own: dockerd of Debian's packages, in namespaces of this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from unora_local.process import Process, StartFailedError
from unora_local.run_folder import CLONE

from unora_compose.commands import Docker
from unora_compose.engines import CannotRun
from unora_compose.home import CGROUP, Home

START: Final = CLONE / "deploy" / "compose" / "dockerd.sh"
READY_WITHIN: Final = 120.0
# The older builder: the newer one is a package more, and stand-ins need nothing of it.
VARIABLES: Final = {"DOCKER_HOST": "unix:///run/docker.sock", "DOCKER_BUILDKIT": "0"}


@asynccontextmanager
async def dockerd(home: Home) -> AsyncIterator[Docker]:
    """It runs inside of this block and reaches no other machine. Raises CannotRun if the kernel does not let it."""
    command = ("unshare", "--mount", str(START), str(home.debian), str(CLONE), f"/{CGROUP}")
    process = Process("dockerd", command, home.logs / "dockerd.log", grace=60.0)
    await process.start()
    try:
        docker = Docker(("nsenter", "--mount", "--target", str(process.pid), "--"), VARIABLES)
        try:
            await process.wait_until(lambda: _answers(docker), within=READY_WITHIN, every=0.5)
        except StartFailedError as error:
            raise CannotRun(f"dockerd does not run here: {error}") from None
        yield docker
    finally:
        await process.stop()


async def _answers(docker: Docker) -> bool:
    try:
        await docker.run("version")
    except StartFailedError:
        return False
    return True
