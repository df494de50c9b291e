"""What a person sees during a start: a line for each step done, and on a terminal the steps under way."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO


class Progress:
    """Prints lines; on a terminal the last one shows what is under way."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._terminal = self._out.isatty()
        self._under_way: list[str] = []

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self._write(f"\r\x1b[K{text}\n" if self._terminal else f"{text}\n")
        self._show()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show that `name` is under way, and when it is done how long it took."""
        begin = time.monotonic()
        self._under_way.append(name)
        self._show()
        try:
            yield
        finally:
            self._under_way.remove(name)
        mark = "\x1b[32m✓\x1b[0m" if self._terminal else "-"
        self.say(f"  {mark} {name}  {time.monotonic() - begin:.1f} s")

    def _show(self) -> None:
        if self._terminal:
            waiting = f"  \x1b[2m… {', '.join(self._under_way)}\x1b[0m" if self._under_way else ""
            self._write(f"\r\x1b[K{waiting}")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of text in columns."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows))
    return "\n".join(f"  {line.rstrip()}" for line in lines)
