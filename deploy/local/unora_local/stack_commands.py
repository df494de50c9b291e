"""The commands that start and stop the stack of a folder.

What one command alone needs is imported in its function, so that the others start at once.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from unora_local import postgres_home
from unora_local.mistakes import Mistake
from unora_local.process import StartFailedError
from unora_local.progress import Progress
from unora_local.run_folder import RunFolder
from unora_local.stopping import SIGNALS

if TYPE_CHECKING:
    from unora_local.up import Stack

STOPS_WITHIN: Final = 60.0


class StackMaker(Protocol):
    """Makes a stack that is not started."""

    def __call__(self, folder: RunFolder, progress: Progress, *, replicas: int) -> Stack:
        """With so many processes of each context."""


def up(folder: RunFolder, make: StackMaker | None = None, replicas: int = 1, *, observe: bool = False) -> int:
    """Run the stack in the foreground until a signal stops it, with so many processes of each context, and
    Prometheus if it is to be observed.
    """
    from unora_local.up import Stack, describe

    if not folder.lock.acquire():
        if folder.lock.holder() is None:
            raise Mistake("another command is stopping Unora: start it when that one has ended")
        print(f"Unora runs already{'' if folder.env.exists() else ', but is not ready yet'}.")
        print(describe(folder, folder.rows()))
        return 0
    with folder.lock:
        folder.remove_env()
        left = folder.stop_leftovers()
        progress = Progress()
        if left:
            progress.say(f"ended what an earlier run had left: {', '.join(left)}")
        return asyncio.run(_run(folder, progress, make or partial(Stack, observe=observe), replicas))


async def _run(folder: RunFolder, progress: Progress, make: StackMaker, replicas: int) -> int:
    from unora_local.up import describe

    stop = asyncio.Event()
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    begin = time.monotonic()
    progress.say("Unora starts")
    stack = make(folder, progress, replicas=replicas)
    starting = asyncio.create_task(stack.start())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            progress.say(f"Unora is ready after {time.monotonic() - begin:.1f} s")
            progress.say(describe(folder, folder.rows()))
            await stopping
    except (StartFailedError, TimeoutError) as error:
        progress.say(f"\nUnora could not start: {error}")
        return 1
    finally:
        starting.cancel()
        stopping.cancel()
        await asyncio.gather(starting, stopping, return_exceptions=True)
        progress.say("Unora stops")
        with progress.waiting("stopping"):
            await stack.stop()
    progress.say("Unora has stopped; the data stay")
    return 0


def down(folder: RunFolder) -> int:
    """Stop the stack of the folder, and what a killed supervisor has left running."""
    with Progress().waiting("Unora stops"):
        stopped = _stop(folder)
        folder.lock.release()
    print("Unora has stopped" if stopped else "Unora does not run")
    return 0


def clean(folder: RunFolder) -> int:
    """Stop, and remove all state."""
    with Progress().waiting("Unora stops, and its data are erased"):
        _stop(folder)
        postgres_home.erase_data(folder.path / "postgres")
        postgres_home.erase_copy()
        folder.erase()
        folder.lock.release()
    print("the data are erased")
    return 0


def status(folder: RunFolder) -> int:
    """Print the processes that run; exit status 0 if all is ready, else 1."""
    from unora_local.up import describe

    if not folder.path.exists() or folder.lock.holder() is None:
        print("Unora does not run")
        return 1
    ready = folder.env.exists()
    print("Unora is ready" if ready else "Unora is starting or stopping")
    print(describe(folder, folder.rows()))
    return 0 if ready else 1


def _stop(folder: RunFolder) -> bool:
    """Stop the supervisor, take its lock, and stop all processes. Returns whether there were any."""
    if not folder.path.exists():
        return False
    holder = folder.lock.holder()
    if holder is not None:
        os.kill(holder, signal.SIGTERM)
    if not folder.lock.acquire_within(STOPS_WITHIN):
        sys.exit(f"the supervisor {holder} does not stop")
    folder.remove_env()
    return bool(folder.stop_leftovers()) or holder is not None
