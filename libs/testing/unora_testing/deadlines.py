"""How long tests wait for what must happen: far longer than it takes, so that they do not fail on a busy machine.

A long deadline costs nothing in a test that passes. A wait whose end is what the test is about, such as a call that
must time out, has a short deadline of its own.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, Final, TypeVar, overload

from unora_common.timeouts import Timeouts

T = TypeVar("T")

PATIENCE: Final = float(os.environ.get("UNORA_TEST_PATIENCE", "1"))
"""Multiplies every deadline of the tests; for a machine on which a minute is too short."""
GENEROUS: Final = 60.0 * PATIENCE
"""Seconds that anything may take that should take less than a few."""
TIMEOUTS: Final = Timeouts(
    peer=GENEROUS,
    nats_start=GENEROUS,
    nats=GENEROUS,
    statement=GENEROUS,
    lock=GENEROUS,
    idle_transaction=GENEROUS,
    command=GENEROUS,
)
"""What services wait for in tests."""
POLL: Final = 0.02
"""Seconds between two looks at a condition."""


async def within(work: Awaitable[T], seconds: float = GENEROUS) -> T:
    """Await something that must happen. Raises TimeoutError if it does not happen in time."""
    async with asyncio.timeout(seconds):
        return await work


@overload
async def eventually(look: Callable[[], Awaitable[T]], what: str, seconds: float = GENEROUS) -> T: ...


@overload
async def eventually(look: Callable[[], object], what: str, seconds: float = GENEROUS) -> object: ...


async def eventually(look: Callable[[], Any], what: str, seconds: float = GENEROUS) -> Any:
    """Look until there is something true to see, and return it. `what` says in the failure what was awaited."""
    try:
        async with asyncio.timeout(seconds):
            while not (found := await _seen(look)):  # noqa: ASYNC110 - what is awaited sets no event of ours
                await asyncio.sleep(POLL)
            return found
    except TimeoutError:
        raise AssertionError(f"not within {seconds:.0f} s: {what}") from None


def wait_until(look: Callable[[], T], describe: Callable[[], str], seconds: float = GENEROUS) -> T:
    """As `eventually`, for tests without a loop; `describe` is called for the failure."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:.0f} s: {describe()}")
        time.sleep(POLL)
    return found


async def _seen(look: Callable[[], Any]) -> Any:
    found = look()
    return await found if isawaitable(found) else found
