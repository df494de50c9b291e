"""Work that goes on to its end, although the call that began it may be given up."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from unora_common.errors import Unavailable

T = TypeVar("T")


class Finishing:
    """For what must not stop half-way because a client hangs up. Only the end of the process stops it."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()  # the loop itself holds its tasks only weakly

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Awaits the work. Whoever stops waiting leaves it running, and its outcome to nobody.

        Unavailable if the work is stopped while somebody waits: a call that is not cancelled must have an answer.
        """
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            waiting = asyncio.current_task()
            if task.cancelled() and waiting and not waiting.cancelling():
                raise Unavailable from None
            raise

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # raised where it is awaited; where nobody is left, it is nobody's
