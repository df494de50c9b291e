"""Which tasks wait for a connection to Postgres, and how long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_waits: ContextVar[bool] = ContextVar("unora_waits_for_connection", default=False)


class Waits:
    """The waits for the connections of one pool."""

    def __init__(self, observe: Callable[[float], None]) -> None:
        """`observe` gets the seconds of each wait when it is over."""
        self._observe = observe
        self.waiting = 0
        """How many tasks wait now."""

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Around a wait. One inside of another, of the same task, is a part of it and not measured again."""
        if _waits.get():
            yield
            return
        token = _waits.set(True)
        began = time.perf_counter()
        self.waiting += 1
        try:
            yield
        finally:
            _waits.reset(token)
            self.waiting -= 1
            self._observe(time.perf_counter() - began)
