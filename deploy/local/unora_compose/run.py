"""Chooses the engine, builds the images, and has the journey played."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from contextlib import suppress
from typing import Final

import psutil
from unora_demo.run import Wishes
from unora_local.mistakes import Mistake
from unora_local.process import die_with
from unora_local.progress import Progress

from unora_compose import debian, engines, images
from unora_compose.commands import Docker
from unora_compose.engines import CONTAINED
from unora_compose.home import Home
from unora_compose.outcome import outcome
from unora_compose.play import play

ENDS_WITHIN: Final = 180.0
"""Seconds that containers and dockerd get to stop; then the kernel ends all of them at once."""


def main(home: Home, wishes: Wishes) -> int:
    """0 if all went as expected, and if no engine can run here; 1 if not, 130 after Ctrl-C."""
    return outcome(_run(home, wishes), "what was started ends")


def clean(home: Home) -> int:
    """Remove what earlier runs have built. 1 if a run is under way."""
    try:
        with home.taken():
            shutil.rmtree(home.path, ignore_errors=True)
    except Mistake as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def _run(home: Home, wishes: Wishes) -> bool | int:
    reasons = []
    if reason := engines.why_not_docker():
        reasons.append(reason)
    elif await images.pull(Docker()):
        return await _by_docker(home, wishes)
    else:
        reasons.append("docker cannot fetch the images of others, since it reaches no registry")
    if reason := engines.why_no_engine_of_its_own():
        print(engines.not_run([*reasons, f"An engine of Debian's packages cannot run either: {reason}"]))
        return 0
    return await _by_an_engine_of_its_own(home, wishes, reasons[0])


async def _by_docker(home: Home, wishes: Wishes) -> bool:
    progress = Progress()
    progress.say("the docker of this machine runs docker-compose.yml, with the images that it names")
    with home.taken():
        await images.build_by_docker(home, progress)
        return await play(home, Docker(), images.names(), wishes, progress)


async def _by_an_engine_of_its_own(home: Home, wishes: Wishes, why: str) -> int:
    progress = Progress()
    progress.say(f"{why}: an engine of Debian's packages runs docker-compose.yml, with stand-ins for images of others")
    with home.taken():
        with progress.step("a Debian with dockerd") as step:
            if debian.is_made(home.debian):
                step.now("is there")
            else:
                await debian.make(home.debian, home.logs / "debian.log")
        await images.build_by_buildah(home, progress)
        return await _contained(home, wishes)


async def _contained(home: Home, wishes: Wishes) -> int:
    """Play in namespaces that end with this process, whatever happens; returns the exit status."""
    words = (sys.executable, "-m", "unora_compose.inside", str(home.path), wishes.via, str(wishes.members))
    child = await asyncio.create_subprocess_exec(
        *(*CONTAINED, "--net", *words),
        start_new_session=True,  # Ctrl-C comes here only
        preexec_fn=die_with(signal.SIGKILL),
    )
    try:
        return await child.wait()
    finally:
        if child.returncode is None:
            await _end(child)


async def _end(child: asyncio.subprocess.Process) -> None:
    with suppress(psutil.Error):
        for each in psutil.Process(child.pid).children():
            each.send_signal(signal.SIGTERM)
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(child.wait()), ENDS_WITHIN)
    with suppress(ProcessLookupError):
        child.kill()
    await child.wait()
