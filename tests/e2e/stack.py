"""The stack as a person starts it, for tests that need real processes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from unora_local.run_folder import Row, RunFolder, start_time

SOON = 60.0
"""Seconds that anything gets that should not take long."""


class Stack:
    """The commands, on a folder of their own."""

    def __init__(self, path: Path) -> None:
        self.folder = RunFolder(path)
        self.output = path.with_suffix(".log")

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "unora_local", "--run", str(self.folder.path), *words]

    def run(self, *words: str, within: float = SOON) -> subprocess.CompletedProcess[str]:
        return _run(self.command(*words), within)

    def demo(self, within: float = SOON) -> subprocess.CompletedProcess[str]:
        return _run([sys.executable, "-m", "unora_demo", "--run", str(self.folder.path)], within)

    @contextmanager
    def up(self) -> Iterator[subprocess.Popen[bytes]]:
        """Runs inside; it is gone afterwards, whatever happened."""
        with self.output.open("wb") as output:
            process = subprocess.Popen(self.command("up"), stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        try:
            self.until(lambda: self.folder.env.exists() or process.poll() is not None)
            yield process
        finally:
            self.run("down")
            process.wait(SOON)

    def until(self, condition: Callable[[], object], within: float = SOON) -> None:
        end = time.monotonic() + within
        while not condition():
            assert time.monotonic() < end, self.output.read_text()
            time.sleep(0.05)

    def row(self, name: str) -> Row:
        (row,) = (row for row in self.folder.rows() if row.name == name)
        return row

    def alive(self) -> list[str]:
        return [row.name for row in self.folder.rows() if start_time(row.pid) == row.started]


def _run(command: list[str], within: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, timeout=within, check=False, stdin=subprocess.DEVNULL
    )
