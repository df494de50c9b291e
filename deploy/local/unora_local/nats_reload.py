"""Has a NATS server that runs read its files again."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Final

RELOADED_WITHIN: Final = 30.0
"""Seconds."""
POLL: Final = 0.02
"""Seconds."""
DONE: Final = "Reloaded server configuration"
REFUSED: Final = "Failed to reload server configuration"


class ReloadError(RuntimeError):
    """The server goes on with what it had before."""


async def reload(pid: int, log: Path) -> None:
    """Return when the server has read its files again, which it says in its log: until then it may close connections
    that it has just let in. Raises ReloadError with its reason if it refuses the files, and if it does not run or says
    nothing.
    """
    begin = _size(log)
    try:
        os.kill(pid, signal.SIGHUP)
    except ProcessLookupError:
        raise ReloadError(f"NATS does not run any more; see {log}") from None
    for _ in range(int(RELOADED_WITHIN / POLL)):
        said = _lines(log, begin)
        if refused := [line for line in said if REFUSED in line]:
            raise ReloadError(f"NATS refuses the change: {refused[0].partition(REFUSED)[2].lstrip(': ')}; see {log}")
        if any(DONE in line for line in said):
            return
        await asyncio.sleep(POLL)
    raise ReloadError(f"NATS did not read its files within {RELOADED_WITHIN:.0f} s; see {log}")


def _size(log: Path) -> int:
    return log.stat().st_size


def _lines(log: Path, begin: int) -> list[str]:
    """What the server has said since, without a line that it is still writing."""
    with log.open("rb") as file:
        file.seek(begin)
        return file.read().decode(errors="replace").split("\n")[:-1]
