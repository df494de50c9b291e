"""The containers start, the journey is played on them, and they are erased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from unora_common import declarations
from unora_common.config import CONTEXTS
from unora_demo import run
from unora_demo.run import Wishes
from unora_gateway import policy, targets
from unora_local import compose_files
from unora_local.keys import private_folder
from unora_local.mistakes import Mistake
from unora_local.process import StartFailedError
from unora_local.progress import Progress

from unora_compose.commands import Docker
from unora_compose.home import Home
from unora_compose.project import Project, project
from unora_compose.venue import venue

LIMITS: Final = {f"{policy.PREFIX}{name.upper()}": str(value) for name, value in targets.LOCAL_LIMITS.items()}
"""The journey calls as sixty members from one address."""


async def play(home: Home, docker: Docker, images: Mapping[str, str], wishes: Wishes, progress: Progress) -> bool:
    """Whether all went as expected. `images` by the variables of docker-compose.yml. Raises StartFailedError."""
    private_folder(home.project)
    compose_files.write(home.files, declarations.consumed_subjects(CONTEXTS), environ=LIMITS)
    made = project(home, docker, images)
    await made.erase()  # what a run has left that was killed
    try:
        await _start(made, progress)
        async with venue(home, made) as place:
            return (await run.play(place, wishes)).ok
    finally:
        with progress.step("the containers are erased"):
            await _erase(home, made)


async def _start(made: Project, progress: Progress) -> None:
    with progress.step("docker compose up") as step:
        try:
            await made.start()
        except StartFailedError as error:
            states = "\n".join(f"  {service}: {state}" for service, state in (await made.states()).items())
            raise Mistake(f"docker-compose.yml does not start: {error}\n{states}") from None
        found = await made.states()
        healthy, done = (list(found.values()).count(state) for state in ("running healthy", "exited 0"))
        step.now(f"{healthy} servers healthy, {done} jobs done")
    if healthy + done != len(found):
        raise Mistake(f"not all containers are as they must be: {found}")


async def _erase(home: Home, made: Project) -> None:
    try:
        await made.keep_logs(home.logs / "containers.log")
    finally:
        await made.erase()
