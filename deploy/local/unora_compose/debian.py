"""A small Debian in a folder, with what this machine's packages lack: dockerd with compose, and a Postgres with TLS."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from unora_local.process import StartFailedError
from unora_local.run_folder import CLONE

from unora_compose.commands import logged
from unora_compose.engines import CONTAINED, CannotRun

SUITE: Final = "trixie"
"""The first whose compose knows `!override`, and whose Postgres knows the locale of docker-compose.yml."""
MAKE: Final = CLONE / "deploy" / "compose" / "debian.sh"
READY: Final = ".ready"
"""Written last, with the script that made it: a folder that is half made, or by another script, is made anew."""


def is_made(folder: Path) -> bool:
    """Whether it is there, whole, and as the script makes it today."""
    ready = folder / READY
    return ready.exists() and ready.read_text() == MAKE.read_text()


async def make(folder: Path, log: Path) -> None:
    """Make it. Raises CannotRun if Debian's packages cannot be had."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        await logged([*CONTAINED, str(MAKE), SUITE, str(folder)], log)
    except StartFailedError as error:
        raise CannotRun(f"Debian's packages cannot be had here: {error}") from None
    (folder / READY).write_text(MAKE.read_text())
