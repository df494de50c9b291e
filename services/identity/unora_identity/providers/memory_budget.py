"""XX-07: pictures in work share a budget of memory, and a large one waits until it fits."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class MemoryBudget:
    """The memory that pictures may take together, given in the order in which it was asked for."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def reserved(self, wanted: int) -> AsyncIterator[None]:
        """Reserves `wanted` bytes for the block, as soon as they are free."""
        if self._waiting or wanted > self._free:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append((wanted, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._give_back(wanted)
                raise
        else:
            self._free -= wanted
        try:
            yield
        finally:
            self._give_back(wanted)

    def _give_back(self, wanted: int) -> None:
        self._free += wanted
        while self._waiting and (self._waiting[0][1].done() or self._waiting[0][0] <= self._free):
            next_wanted, turn = self._waiting.popleft()
            if not turn.done():
                self._free -= next_wanted
                turn.set_result(None)
