"""A command that works for minutes ends in order when it is told to stop, and says so."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest
from unora_local.stopping import SIGNALS, stopped_first


@pytest.fixture(autouse=True)
async def handlers() -> AsyncIterator[None]:
    """A command keeps its handlers to its end; those of these tests go with each test."""
    yield
    for number in SIGNALS:
        asyncio.get_running_loop().remove_signal_handler(number)


async def test_work_that_ends_by_itself_is_not_stopped() -> None:
    said: list[str] = []
    work = asyncio.create_task(asyncio.sleep(0, "done"))
    assert not await stopped_first(work, lambda: said.append("stopped"))
    assert work.result() == "done"
    assert said == []


async def test_an_error_of_the_work_is_raised() -> None:
    async def fail() -> None:
        raise OSError("no place")

    with pytest.raises(OSError, match="no place"):
        await stopped_first(asyncio.create_task(fail()), lambda: None)


@pytest.mark.parametrize("number", SIGNALS)
async def test_a_signal_is_told_before_the_work_cleans_up(number: signal.Signals) -> None:
    seen: list[str] = []

    async def work() -> None:
        os.kill(os.getpid(), number)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            seen.append("cleaned up")

    assert await stopped_first(asyncio.create_task(work()), lambda: seen.append("stopped"))
    assert seen == ["stopped", "cleaned up"]


async def test_an_error_while_the_work_cleans_up_is_raised() -> None:
    async def work() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("the stack does not end")

    with pytest.raises(OSError, match="the stack does not end"):
        await stopped_first(asyncio.create_task(work()), lambda: None)
