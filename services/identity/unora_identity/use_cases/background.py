"""Work that runs to its end, even if the call that started it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from unora_common.errors import Unavailable

T = TypeVar("T")
_running: Final[set[asyncio.Task[Any]]] = set()
"""The tasks in progress: the event loop itself holds only weak references to its tasks."""


async def run_to_completion(work: Coroutine[Any, Any, T]) -> T:
    """Awaits work that must not stop half-way when a client hangs up; only the end of the process stops it. If the
    caller is cancelled, the work goes on and its result is dropped.

    Raises Unavailable if the work is cancelled while the caller waits: a call that is not cancelled must get an answer.
    """
    task = asyncio.create_task(work)
    _running.add(task)
    task.add_done_callback(_ended)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        caller = asyncio.current_task()
        if task.cancelled() and caller and not caller.cancelling():
            raise Unavailable from None
        raise


def run_in_background(work: Coroutine[Any, Any, None]) -> None:
    """Begins work for which no answer waits. It handles its own errors, and ends at the latest with the process."""
    task = asyncio.create_task(work)
    _running.add(task)
    task.add_done_callback(_ended)


async def finish_first(work: Coroutine[Any, Any, T]) -> T:
    """Awaits work that cannot be stopped, such as a thread's. If the caller is cancelled, it stops only when the work
    has ended: until then the work takes what the caller gives back.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.done():
            await asyncio.wait([task])
        _ended(task)
        raise


def _ended(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled():
        task.exception()  # marks it as retrieved: it is raised in the caller, or dropped if the caller is gone
