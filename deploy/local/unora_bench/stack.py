"""A stack that a measurement has to itself."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from signal import SIGTERM
from typing import Final

from unora_local.env import Env
from unora_local.process import Process, inherited_environment
from unora_local.run_folder import RunFolder
from unora_local.stack_commands import STOPS_WITHIN

READY_WITHIN: Final = 120.0


@contextmanager
def new_folder(name: str) -> Iterator[RunFolder]:
    """A folder for a stack. What the measurement itself writes goes beside it; both are removed afterwards."""
    path = Path(tempfile.mkdtemp(prefix=f"unora-{name}-"))
    try:
        yield RunFolder(path / "run")
    finally:
        shutil.rmtree(path, ignore_errors=True)


@asynccontextmanager
async def own_stack(folder: RunFolder) -> AsyncIterator[Env]:
    """A stack in this folder, on the settings of `make up`, erased at the end. If this process dies, it ends too.

    Raises StartFailedError with the end of its output.
    """
    say("a stack of its own starts")
    command = [sys.executable, "-m", "unora_local", "--run", str(folder.path)]
    settings = (name for name in os.environ if name.startswith("UNORA_"))
    log, environment = folder.path.parent / "stack.log", inherited_environment(*settings)
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


async def until(condition: Callable[[], bool]) -> None:
    """Waits for another process, a minute at most."""
    for _ in range(600):
        if condition():
            return
        await asyncio.sleep(0.1)  # a process takes seconds to start, and needs the processor for that
    raise TimeoutError("waited a minute for a process to start")


def say(text: str) -> None:
    """Progress, beside the report."""
    print(f"  … {text}", file=sys.stderr, flush=True)
