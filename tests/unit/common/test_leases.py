"""Connections that stay taken between two uses."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from unora_common.connection_waits import Waits
from unora_common.leases import Leases
from unora_testing.deadlines import eventually, within


class Connection:
    """A connection without Postgres."""

    def __init__(self) -> None:
        self.closed = False
        self.in_transaction = False

    def is_closed(self) -> bool:
        return self.closed

    def is_in_transaction(self) -> bool:
        return self.in_transaction


class Pool:
    """A pool without Postgres; counts what it is asked."""

    def __init__(self) -> None:
        self.acquired = 0
        self.released: list[Connection] = []
        self.fails = False
        self.all_back = asyncio.Event()
        self.all_back.set()
        self.closing = asyncio.Event()

    async def acquire(self) -> Connection:
        await asyncio.sleep(0)  # others run meanwhile, as they do while the real one connects
        if self.fails:
            raise OSError("Postgres is away")
        self.acquired += 1
        self.all_back.clear()
        return Connection()

    async def release(self, connection: Connection) -> None:
        await asyncio.sleep(0)  # others run meanwhile, as they do while the real one resets the connection
        self.released.append(connection)
        if len(self.released) == self.acquired:
            self.all_back.set()

    async def close(self) -> None:
        """Waits for all connections, as the real one does."""
        self.closing.set()
        await within(self.all_back.wait())


def _leases(pool: Pool, most: int = 1) -> Leases:
    return Leases(cast("Any", pool), most, Waits(lambda _: None))


async def test_a_clean_connection_goes_to_the_next_user_without_the_pool() -> None:
    pool = Pool()
    leases = _leases(pool)
    for _ in range(3):
        async with leases.lease():
            pass
    assert (pool.acquired, pool.released) == (1, [])
    await leases.close()


@pytest.mark.parametrize("state", ["closed", "in_transaction"])
async def test_a_connection_that_is_not_clean_goes_back_to_the_pool(state: str) -> None:
    pool = Pool()
    leases = _leases(pool)
    async with leases.lease() as connection:
        setattr(connection, state, True)
    assert cast("Any", pool.released) == [connection]
    async with leases.lease() as other:
        assert other is not connection
    await leases.close()


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError])
async def test_after_an_error_the_pool_cleans_the_connection(error: type[BaseException]) -> None:
    pool = Pool()
    leases = _leases(pool)
    with pytest.raises(error):
        async with leases.lease():
            raise error
    assert len(pool.released) == 1
    await leases.close()


async def test_a_connection_that_ended_while_it_was_kept_is_not_given_out() -> None:
    pool = Pool()
    leases = _leases(pool)
    async with leases.lease() as connection:
        pass
    cast("Any", connection).closed = True
    async with leases.lease() as other:
        assert other is not connection
    await leases.close()


async def test_who_waits_longest_comes_first_and_no_more_are_taken_than_allowed() -> None:
    pool = Pool()
    leases = _leases(pool, most=2)
    order: list[int] = []
    at_once, both = 0, asyncio.Barrier(2)

    async def use(number: int) -> None:
        nonlocal at_once
        async with leases.lease():
            order.append(number)
            at_once += 1
            assert at_once <= 2
            await both.wait()
            at_once -= 1

    await within(asyncio.gather(*(use(number) for number in range(10))))
    assert order == list(range(10))
    assert pool.acquired == 2
    await leases.close()


async def test_a_place_is_not_lost_when_connecting_fails_or_who_waits_is_cancelled() -> None:
    pool = Pool()
    leases = _leases(pool)
    pool.fails = True
    for _ in range(3):
        with pytest.raises(OSError, match="away"):
            await leases.take()
    pool.fails = False
    connection = await leases.take()
    waiting = [asyncio.ensure_future(leases.take()) for _ in range(3)]
    await eventually(lambda: len(leases._waiting) == 3, "all three wait")
    waiting[0].cancel()
    await eventually(waiting[0].cancelled, "the first has given up")
    leases.keep(connection)  # the second has its turn now, and is cancelled in the same moment
    waiting[1].cancel()
    assert await waiting[2] is connection
    leases.keep(connection)
    await leases.close()


async def test_kept_connections_go_back_to_the_pool_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unora_common.leases.IDLE_SECONDS", 0.0)
    pool = Pool()
    leases = _leases(pool)
    async with leases.lease():
        pass
    await within(pool.all_back.wait())
    assert len(pool.released) == 1
    await leases.close()


async def test_work_in_progress_gives_back_its_connection_while_the_process_closes() -> None:
    pool = Pool()
    leases = _leases(pool)
    connection = await leases.take()
    closing = asyncio.ensure_future(leases.close())
    await within(pool.closing.wait())
    leases.keep(connection)
    await closing
    assert cast("Any", pool.released) == [connection]
