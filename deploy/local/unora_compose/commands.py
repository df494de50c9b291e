"""Runs the commands of others, with their output in a log."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unora_local.process import Process, StartFailedError


async def logged(argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
    """Run a command to its end; its output goes to the log. Raises StartFailedError with the end of the log if it
    fails. If it is not waited for, it is ended.
    """
    process = Process(argv[0], argv, log, env={**os.environ, **(env or {})}, grace=1.0)
    await process.start()
    try:
        status = await process.wait()
    finally:
        await process.stop()
    if status:
        raise process.failure(f"ended with status {status}")


@dataclass(frozen=True)
class Docker:
    """How docker is called: as on this machine, or within the namespaces of an engine of its own."""

    before: tuple[str, ...] = ()
    """The words before `docker`."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Further variables."""

    def argv(self, *words: str) -> list[str]:
        """The whole command."""
        return [*self.before, "docker", *words]

    async def run(self, *words: str) -> str:
        """Run it; what it printed. Raises StartFailedError with what it said if it fails."""
        return (await asyncio.to_thread(self.output, *words)).decode()

    def output(self, *words: str) -> bytes:
        """As `run`, but it blocks, and returns the bytes."""
        done = subprocess.run(self.argv(*words), env={**os.environ, **self.env}, capture_output=True, check=False)
        if done.returncode:
            said = (done.stderr or done.stdout).decode(errors="replace").strip()
            raise StartFailedError(f"docker {' '.join(words)}: {said}")
        return done.stdout

    async def logged(self, log: Path, *words: str) -> None:
        """Run it with its output in a log. Raises StartFailedError with the end of the log if it fails."""
        await logged(self.argv(*words), log, self.env)
