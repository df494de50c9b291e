"""A stack of one's own, for a measurement: started in a new folder, and erased afterwards."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from signal import SIGTERM
from typing import Final

from unora_local.env import Env
from unora_local.process import Process, inherited_environment
from unora_local.run_folder import RunFolder

READY_WITHIN: Final = 120.0
STOPS_WITHIN: Final = 60.0


@contextmanager
def new_folder(name: str) -> Iterator[RunFolder]:
    """A new folder for a stack, which is removed afterwards. It is short-lived, so it is where temporary files are."""
    path = Path(tempfile.mkdtemp(prefix=f"unora-{name}-"))
    try:
        yield RunFolder(path / "run")
    finally:
        shutil.rmtree(path, ignore_errors=True)


@asynccontextmanager
async def own_stack(folder: RunFolder) -> AsyncIterator[Env]:
    """A stack in this folder, with the settings of `make up`, as a process of its own; its data are erased afterwards.

    Raises StartFailedError with the end of its output. If this process dies, the stack ends too.
    """
    command = [sys.executable, "-m", "unora_local", "--run", str(folder.path)]
    log = folder.path.parent / "stack.log"
    environment = inherited_environment()
    stack = Process("the stack", [*command, "up"], log, environment, death_signal=SIGTERM, grace=STOPS_WITHIN)

    async def ready() -> bool:
        return folder.env.exists()

    await stack.start()
    try:
        await stack.wait_until(ready, within=READY_WITHIN, every=0.1)
        yield Env.read(folder.env)
    finally:
        await stack.stop()
        clean = Process("clean", [*command, "clean"], log, environment)
        await clean.start()
        await clean.wait()
