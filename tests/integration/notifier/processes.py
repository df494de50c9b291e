"""The examples as processes of their own."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

NODE = Path(__file__).resolve().parents[3] / "examples" / "notifier-node"


@asynccontextmanager
async def _running(*command: str, variables: Mapping[str, str], folder: Path | None = None) -> AsyncIterator[Process]:
    """The process runs inside the block, with these variables and no others, and has ended after it."""
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, env=variables, stdout=PIPE, stderr=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def notifier(variables: Mapping[str, str]) -> AbstractAsyncContextManager[Process]:
    """The example in Python."""
    return _running(sys.executable, "-m", "unora_notifier", variables=os.environ | dict(variables))


def node(variables: Mapping[str, str]) -> AbstractAsyncContextManager[Process]:
    """The example in Node."""
    return _running("node", "src/index.js", variables={"PATH": os.environ["PATH"]} | dict(variables), folder=NODE)
