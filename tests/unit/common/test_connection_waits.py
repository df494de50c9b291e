"""Who waits for a connection is counted, and how long it took is measured; who need not wait costs nothing."""

from __future__ import annotations

import asyncio

from unora_common.connection_waits import Gate, Waits
from unora_testing.deadlines import eventually


async def test_only_those_that_wait_are_measured() -> None:
    seconds: list[float] = []
    waits = Waits(seconds.append)
    gate = Gate(1, waits)
    async with gate:
        second = asyncio.ensure_future(gate.acquire())
        await eventually(lambda: waits.waiting == 1, "the second one waits")
        assert seconds == []
    await second
    assert (waits.waiting, len(seconds)) == (0, 1)
    assert seconds[0] > 0


async def test_one_that_gives_up_waits_no_longer() -> None:
    seconds: list[float] = []
    waits = Waits(seconds.append)
    gate = Gate(1, waits)
    async with gate:
        second = asyncio.ensure_future(gate.acquire())
        await eventually(lambda: waits.waiting == 1, "the second one waits")
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        assert waits.waiting == 0
