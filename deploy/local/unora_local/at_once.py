"""Work for many members, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")
AT_ONCE: Final = 4
"""Members who act at the same time: the machine may have two cores, and photos keep them busy."""


async def for_all(items: Iterable[T], work: Callable[[T], Awaitable[R]], done: Callable[[int], None]) -> list[R]:
    """Do the work for each item, a few at a time; `done` gets the number of finished items. Results are in order."""
    gate = asyncio.Semaphore(AT_ONCE)
    ready = 0

    async def one(item: T) -> R:
        nonlocal ready
        async with gate:
            result = await work(item)
        ready += 1
        done(ready)
        return result

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None  # the first error cancelled the other items
    return [task.result() for task in tasks]
