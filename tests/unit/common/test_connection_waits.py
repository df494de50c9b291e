"""Who waits for a connection is counted, and how long it took is measured; who need not wait costs nothing."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from unora_common.connection_waits import Waits
from unora_common.leases import Leases
from unora_testing.deadlines import eventually

from tests.unit.common.test_leases import Pool


class Case:
    """One connection, and a gate that lets one task through."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.waits = Waits(self.seconds.append)
        self.pool = Pool()
        self.leases = Leases(cast("Any", self.pool), 1, self.waits)
        self.gate = asyncio.Semaphore(1)

    async def use(self) -> None:
        async with self.leases.lease(self.gate):
            pass


@pytest.fixture
def case() -> Case:
    return Case()


async def test_only_those_that_wait_are_measured(case: Case) -> None:
    async with case.leases.lease(case.gate):
        second = asyncio.ensure_future(case.use())
        await eventually(lambda: case.waits.waiting == 1, "the second one waits")
        assert case.seconds == []
    await second
    assert (case.waits.waiting, len(case.seconds)) == (0, 1)
    assert case.seconds[0] > 0
    await case.use()
    assert len(case.seconds) == 1


async def test_a_task_that_waits_at_the_gate_and_then_for_a_connection_waits_once(case: Case) -> None:
    async with case.leases.lease():
        await case.gate.acquire()
        second = asyncio.ensure_future(case.use())
        await eventually(lambda: case.waits.waiting == 1, "it waits at the gate")
        case.gate.release()
        await eventually(case.gate.locked, "it waits for the connection")
        assert (case.waits.waiting, case.seconds) == (1, [])
    await second
    assert (case.waits.waiting, len(case.seconds)) == (0, 1)


async def test_one_that_gives_up_waits_no_longer(case: Case) -> None:
    async with case.leases.lease(case.gate):
        second = asyncio.ensure_future(case.use())
        await eventually(lambda: case.waits.waiting == 1, "the second one waits")
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        assert case.waits.waiting == 0
    await case.use()


async def test_one_that_gets_no_connection_gives_its_turn_back(case: Case) -> None:
    case.pool.fails = True
    with pytest.raises(OSError, match="Postgres is away"):
        await case.use()
    case.pool.fails = False
    await case.use()
