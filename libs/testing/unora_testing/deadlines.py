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
"""Seconds allowed for a step that normally takes at most a few."""
TIMEOUTS: Final = Timeouts(
    peer=GENEROUS,
    nats_start=GENEROUS,
    nats=GENEROUS,
    ping=GENEROUS,
    statement=GENEROUS,
    lock=GENEROUS,
    idle_transaction=GENEROUS,
    command=GENEROUS,
)
"""The time limits of services in tests."""
POLL: Final = 0.02
"""Seconds between two checks of a condition: many tests wait, and what they wait for needs the processor."""


async def within(work: Awaitable[T], seconds: float = GENEROUS) -> T:
    """Await something that must happen. Raises TimeoutError if it does not happen in time."""
    async with asyncio.timeout(seconds):
        return await work


@overload
async def eventually(check: Callable[[], Awaitable[T]], what: str, seconds: float = GENEROUS) -> T: ...


@overload
async def eventually(check: Callable[[], object], what: str, seconds: float = GENEROUS) -> object: ...


async def eventually(check: Callable[[], Any], what: str, seconds: float = GENEROUS) -> Any:
    """Call `check` until its result is true, and return the result. `what` names the condition in the failure."""
    try:
        async with asyncio.timeout(seconds):
            while not (found := await _result(check)):  # noqa: ASYNC110 - there is no event to wait for
                await asyncio.sleep(POLL)
            return found
    except TimeoutError:
        raise AssertionError(f"not within {seconds:.0f} s: {what}") from None


def wait_until(check: Callable[[], T], describe: Callable[[], str], seconds: float = GENEROUS) -> T:
    """As `eventually`, for tests without a loop; `describe` is called for the failure."""
    end = time.monotonic() + seconds
    while not (found := check()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:.0f} s: {describe()}")
        time.sleep(POLL)
    return found


async def _result(check: Callable[[], Any]) -> Any:
    found = check()
    return await found if isawaitable(found) else found
