"""A stack that a measurement has to itself."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from unora_local.env import Env


@asynccontextmanager
async def own_stack(folder: Path) -> AsyncIterator[dict[str, str]]:
    """Runs under `folder`/run, on the settings of `make up`, and is erased at the end. Gives its variables."""
    say("a stack of its own starts")
    run = str(folder / "run")
    command = (sys.executable, "-m", "unora_local", "--run", run)
    stack = await asyncio.create_subprocess_exec(*command, "up", stdout=asyncio.subprocess.DEVNULL)
    try:
        env = Path(run) / "env"
        await until(lambda: env.exists() or stack.returncode is not None)
        if stack.returncode is not None:
            raise RuntimeError("the stack did not start; see `make up`")
        yield Env.read(env).values
    finally:
        with suppress(ProcessLookupError):  # it did not start
            stack.terminate()
        await stack.wait()
        clean = await asyncio.create_subprocess_exec(*command, "clean", stdout=asyncio.subprocess.DEVNULL)
        await clean.wait()


async def until(condition: Callable[[], bool]) -> None:
    """Waits for another process, a minute at most."""
    for _ in range(600):
        if condition():
            return
        await asyncio.sleep(0.1)
    raise TimeoutError("waited a minute for a process to start")


def say(text: str) -> None:
    """Progress, beside the report."""
    print(f"  … {text}", file=sys.stderr, flush=True)
