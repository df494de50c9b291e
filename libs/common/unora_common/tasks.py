"""The work of a process that goes on until the process ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from unora_common.logs import Log

CANCELLED_AGAIN: Final = 2.0
"""Seconds that work gets to end before it is cancelled once more."""


class Tasks:
    """Work that runs in the background, and must not end by itself."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._running: list[asyncio.Task[None]] = []
        self._ending = False

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Starts work."""
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._ended)
        self._running.append(task)

    async def end(self) -> None:
        """Cancels all work, and waits until it has ended. It may be called twice."""
        self._ending = True
        while running := [task for task in self._running if not task.done()]:
            for task in running:
                task.cancel()  # again and again: wait_for of Python 3.11 can lose a cancellation
            await asyncio.wait(running, timeout=CANCELLED_AGAIN)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """If work ends before `end`, only this line tells."""
        if not self._ending:
            self._log.error("work ended", failure=None if task.cancelled() else task.exception())
