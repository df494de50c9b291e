"""Which tasks wait for a connection to Postgres, and how long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal


class Waits:
    """The waits for the connections of one pool."""

    def __init__(self, observe: Callable[[float], None]) -> None:
        """`observe` gets the seconds of each wait when it is over."""
        self._observe = observe
        self.waiting = 0
        """How many tasks wait now."""

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Around a wait."""
        began = time.perf_counter()
        self.waiting += 1
        try:
            yield
        finally:
            self.waiting -= 1
            self._observe(time.perf_counter() - began)


class Gate(asyncio.Semaphore):
    """Lets so many tasks through at once, and measures the waits of the others."""

    def __init__(self, most: int, waits: Waits) -> None:
        super().__init__(most)
        self._waits = waits

    async def acquire(self) -> Literal[True]:
        """Waits for its turn."""
        if not self.locked():
            return await super().acquire()
        with self._waits.measured():
            return await super().acquire()
