"""What a person sees of long work: a line for each step done, and what is under way.

`python -m unora_local.progress NAME COMMAND…` runs a command as one step; it needs no other package.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TextIO

EVERY: Final = 5.0
"""Seconds between two signs of life where lines stay, such as in a file or a pipe."""
ON_A_TERMINAL: Final = 1.0


@dataclass(eq=False)
class Step:
    """Work under way, and how far it is."""

    name: str
    show: Callable[[], None]
    begin: float = field(default_factory=time.monotonic)
    detail: str = ""

    def now(self, detail: str) -> None:
        """How far it is, such as `12 of 60`: shown at once on a terminal, elsewhere at the next sign of life."""
        self.detail = detail
        self.show()

    def __str__(self) -> str:
        seconds = time.monotonic() - self.begin
        took = f"{seconds:.0f} s" if seconds >= ON_A_TERMINAL else ""
        return " ".join(filter(None, (self.name, self.detail, took)))


class Progress:
    """Prints lines; on a terminal the last one shows what is under way, elsewhere a line says so every five seconds."""

    def __init__(self, out: TextIO | None = None, every: float = EVERY) -> None:
        self._out = out or sys.stdout
        self._terminal = self._out.isatty()
        self._every = ON_A_TERMINAL if self._terminal else every
        self._under_way: list[Step] = []
        self._writing = threading.RLock()
        self._idle = threading.Event()

    def say(self, text: str) -> None:
        """Print a line that stays."""
        with self._writing:
            self._write(f"\r\x1b[K{text}\n" if self._terminal else f"{text}\n")
            self._show()

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Show that `name` is under way, and when it is done how long it took."""
        with self.waiting(name) as step:
            yield step
        mark = "\x1b[32m✓\x1b[0m" if self._terminal else "-"
        self.say(f"  {mark} {name}  {time.monotonic() - step.begin:.1f} s{f'  {step.detail}' if step.detail else ''}")

    @contextmanager
    def waiting(self, name: str) -> Iterator[Step]:
        """Show that `name` is under way; nothing is said if it is done soon."""
        step = Step(name, self._show)
        with self._writing:
            self._under_way.append(step)
            if len(self._under_way) == 1:
                self._idle = threading.Event()
                threading.Thread(target=self._tick, args=(self._idle,), daemon=True).start()
            self._show()
        try:
            yield step
        finally:
            with self._writing:
                self._under_way.remove(step)
                if not self._under_way:
                    self._idle.set()
                self._show()

    def _tick(self, idle: threading.Event) -> None:
        """Give a sign of life every so often, until nothing is under way."""
        while not idle.wait(self._every):
            with self._writing:
                if self._terminal:
                    self._show()
                elif self._under_way:
                    self._write(f"  … {', '.join(map(str, self._under_way))}\n")

    def _show(self) -> None:
        if not self._terminal:
            return
        with self._writing:
            under_way = ", ".join(map(str, self._under_way))
            self._write(f"\r\x1b[K  \x1b[2m… {under_way}\x1b[0m" if under_way else "\r\x1b[K")

    def _write(self, text: str) -> None:
        try:
            self._out.write(text)
            self._out.flush()
        except OSError:  # nobody reads: a pipe or a terminal that is closed. The work goes on, or is stopped in order.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of text in columns."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows))
    return "\n".join(f"  {line.rstrip()}" for line in lines)


def run(name: str, command: Sequence[str]) -> int:
    """Run a command as a step that says nothing if it is done soon; returns the command's exit status."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}  # it led here
    with Progress(sys.stderr).waiting(name):
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(run(sys.argv[1], sys.argv[2:]))
    except KeyboardInterrupt:
        sys.exit(130)
