"""What a command that works for minutes does when it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

EXIT_INTERRUPTED: Final = 130
"""The exit status after Ctrl-C."""
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def stopped_first(work: asyncio.Task[Any], say: Callable[[], object]) -> bool:
    """Waits until the work ends, or one of `SIGNALS` comes; returns whether a signal came first. Then it calls `say`,
    cancels the work, and waits until it has cleaned up. Raises what the work raises.
    """
    stop = asyncio.Event()
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if work.done():
        await work
        return False
    say()
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work
    return True
