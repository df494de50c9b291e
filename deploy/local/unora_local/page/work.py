"""Work that goes on to its end whatever its caller does, so that a page that is closed leaves nothing half-done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

from unora_common.errors import DomainError

A = TypeVar("A")
STOPS_WITHIN: Final = 10.0
"""Seconds that work gets to end when the bridge stops; the supervisor waits for fifteen."""


class Work:
    """The work under way, one of each name at a time."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[Any]] = {}

    async def alone(self, name: str, begin: Callable[[], Coroutine[Any, Any, A]], busy: type[DomainError]) -> A:
        """Begin work and wait for it; raises `busy` if there is work of this name. If the caller is cancelled, the work
        goes on.
        """
        if name in self._under_way:
            raise busy
        return await asyncio.shield(self._begin(name, begin))

    async def shared(self, name: str, begin: Callable[[], Coroutine[Any, Any, A]]) -> A:
        """As `alone`, but who comes meanwhile gets the result of the work that is under way."""
        return await asyncio.shield(self._under_way.get(name) or self._begin(name, begin))

    async def stop(self) -> None:
        """Wait for what is under way, and give up what does not end."""
        tasks = list(self._under_way.values())
        with suppress(TimeoutError):
            async with asyncio.timeout(STOPS_WITHIN):
                await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, name: str, begin: Callable[[], Coroutine[Any, Any, A]]) -> asyncio.Task[A]:
        task = asyncio.create_task(begin(), name=name)
        self._under_way[name] = task
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        del self._under_way[task.get_name()]
        if not task.cancelled():
            task.exception()  # its caller may be gone, and asyncio would complain that nobody looked
