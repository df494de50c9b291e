"""The stack as a person starts it, for tests that need real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from unora_demo.cast import LEAST
from unora_local.run_folder import Row, RunFolder, start_time
from unora_local.stack_commands import STOPS_WITHIN
from unora_local.supervisor import LONGEST
from unora_local.up import READY_WITHIN
from unora_testing.deadlines import GENEROUS, PATIENCE, wait_until

STARTED_WITHIN = READY_WITHIN * PATIENCE + GENEROUS
STOPPED_WITHIN = STOPS_WITHIN * PATIENCE + GENEROUS
ENVIRONMENT = {"UNORA_REVOCATIONS_INTERVAL": "1", LONGEST: "0"}
"""So that nobody waits ten seconds until the services know of a suspension, or longer after each kill of a service."""
REDELIVERED_AFTER = "3"
"""Seconds until the stream delivers an event again, where services are killed; the default is longer."""


class Stack:
    """The commands, on a folder of their own."""

    def __init__(self, path: Path) -> None:
        self.folder = RunFolder(path)
        self.output = path.with_suffix(".log")

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "unora_local", "--run", str(self.folder.path), *words]

    def run(self, *words: str, within: float = STOPPED_WITHIN) -> subprocess.CompletedProcess[str]:
        return _run(self.command(*words), within)

    def demo(self, within: float, *options: str) -> subprocess.CompletedProcess[str]:
        """With as few members as the story needs; `make demo` plays sixty."""
        words = ["--run", str(self.folder.path), "--members", str(LEAST), *options]
        return _run([sys.executable, "-m", "unora_demo", *words], within)

    @contextmanager
    def up(self, *options: str, then: str = "down", **variables: str) -> Iterator[subprocess.Popen[bytes]]:
        """The stack runs inside the block; afterwards it is stopped, or with `clean` erased. `options` are of the
        command, `variables` more of its environment.
        """
        with self.output.open("wb") as output:
            process = subprocess.Popen(
                self.command("up", *options),
                env=os.environ | ENVIRONMENT | variables,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
            )
        try:
            self.until(lambda: self.folder.env.exists() or process.poll() is not None, STARTED_WITHIN)
            assert self.folder.env.exists(), self.output.read_text()
            yield process
        finally:
            self.run(then)
            process.wait(GENEROUS)

    def until(self, condition: Callable[[], object], seconds: float = GENEROUS) -> None:
        wait_until(condition, self.output.read_text, seconds)

    def row(self, name: str) -> Row:
        """The process of this name. While it is down it may be missing from the table; `runs_again` waits for it."""
        (row,) = (row for row in self.folder.rows() if row.name == name)
        return row

    def runs_again(self, before: Row) -> bool:
        """Whether another process has taken the place of this one, which died."""
        return any(row.name == before.name and row.pid != before.pid for row in self.folder.rows())

    def alive(self) -> list[str]:
        return [row.name for row in self.folder.rows() if start_time(row.pid) == row.started]


def _run(command: list[str], within: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=os.environ | ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
        stdin=subprocess.DEVNULL,
    )
