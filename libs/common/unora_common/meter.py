"""Shows on stderr how far long work is: one line that changes on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from typing import Final

INTERVAL: Final = 5.0
"""Seconds between two lines where they stay, such as in a file or a pipe."""
ON_A_TERMINAL: Final = 0.2


class Meter:
    """The line of one piece of work."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._every = ON_A_TERMINAL if self._terminal else INTERVAL
        self._shown = float("-inf")

    def show(self, text: str) -> None:
        """Shows the text, unless one was shown just now."""
        now = time.monotonic()
        if now - self._shown >= self._every:
            self._shown = now
            self._print(text, "" if self._terminal else "\n")

    def end(self, text: str) -> None:
        """Shows the last text, and ends its line."""
        self._print(text, "\n")

    def _print(self, text: str, end: str) -> None:
        # The line before may have been longer, so the rest of the line is cleared.
        print(f"\r{text}\x1b[K" if self._terminal else text, end=end, file=sys.stderr, flush=True)
