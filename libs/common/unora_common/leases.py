"""Connections of a pool that stay taken between two uses.

To take a connection from asyncpg's pool and to give it back costs a task, a timer and several objects each time: about
as much as the usual statement. So a connection that is clean is kept here and given to the next user. After an error it
goes back to the pool, which knows how to clean it; and every few seconds all kept ones do, so that the pool can close
those that it does not need.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final, TypeAlias

import asyncpg

from unora_common.common_metrics import DATABASE_CONNECTIONS, DATABASE_CONNECTIONS_LIMIT, DATABASE_WAITING
from unora_common.connection_waits import Waits
from unora_common.metrics import Metrics

Pooled: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
IDLE_SECONDS: Final = 10.0
"""Seconds after which connections that nobody uses go back to the pool. It closes them after some minutes."""


class Leases:
    """The connections of one pool, `most` at once. Who comes first gets one first."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], most: int, waits: Waits) -> None:
        self._pool = pool
        self._most = most
        self._waits = waits
        self._taken = 0
        """Connections that are taken from the pool, or are being taken: in use, or kept."""
        self._kept: list[Pooled] = []
        self._waiting: deque[asyncio.Future[Pooled | None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._returning: set[asyncio.Task[None]] = set()
        self._closing = False

    def measure(self, metrics: Metrics) -> None:
        """Shows in the metrics how many connections there are, and how many tasks wait for one, when they are asked."""
        states = metrics.of(DATABASE_CONNECTIONS)
        states.labels("in_use").set_function(lambda: self.in_use)
        states.labels("idle").set_function(lambda: max(self._pool.get_size() - self.in_use, 0))
        metrics.of(DATABASE_CONNECTIONS_LIMIT).set(self._most)
        metrics.of(DATABASE_WAITING).set_function(lambda: self._waits.waiting)

    @property
    def in_use(self) -> int:
        """How many connections are in use now."""
        return self._taken - len(self._kept)

    def lease(self, gate: asyncio.Semaphore | None = None) -> Lease:
        """A connection for an `async with` block, whose task also takes a turn of `gate`. Raises what asyncpg does if
        it cannot connect.
        """
        return Lease(self, gate)

    async def close(self) -> None:
        """Closes the pool when the work in progress has ended."""
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
        self._return_kept()
        await self._pool.close()

    async def take_by(self, gate: asyncio.Semaphore) -> Pooled:
        """As `take`, after a turn of the gate: both waits are one."""
        if gate.locked():
            with self._waits.measured():
                return await self._take_behind(gate)
        return await self._take_behind(gate)

    async def _take_behind(self, gate: asyncio.Semaphore) -> Pooled:
        await gate.acquire()
        try:
            return await self.take()
        except BaseException:
            gate.release()
            raise

    async def take(self) -> Pooled:
        """A connection; `keep` or `give_back` ends its use."""
        while True:
            if self._kept:
                connection: Pooled | None = self._kept.pop()
            elif self._taken < self._most:
                self._taken += 1
                connection = None
            else:
                connection = await self._wait()
            if connection is None:
                return await self._acquire()
            if not is_closed(connection):
                return connection
            await self.give_back(connection)

    def keep(self, connection: Pooled) -> None:
        """Ends the use of a connection that is clean: the next user gets it."""
        if self._closing:
            self._return(connection)
        elif not self._wake(connection):
            self._kept.append(connection)
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._return_kept)

    async def give_back(self, connection: Pooled) -> None:
        """Ends the use of a connection whose state is unknown: the pool cleans it, or opens another one."""
        try:
            await self._pool.release(connection)
        finally:
            self._free_place()

    async def _acquire(self) -> Pooled:
        """A connection of the pool, for a place that is counted in `_taken` already."""
        try:
            return await self._pool.acquire()
        except BaseException:
            self._free_place()
            raise

    async def _wait(self) -> Pooled | None:
        """Waits for a connection, or for a place to take one (None)."""
        turn: asyncio.Future[Pooled | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            with self._waits.measured():
                return await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                if turn in self._waiting:
                    self._waiting.remove(turn)
            elif (connection := turn.result()) is not None:  # its turn came in the same moment
                self.keep(connection)
            else:
                self._free_place()
            raise

    def _wake(self, connection: Pooled | None) -> bool:
        """Gives a connection, or a place to take one, to who has waited longest. Returns whether anybody waited."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return True
        return False

    def _free_place(self) -> None:
        if not self._wake(None):
            self._taken -= 1

    def _return_kept(self) -> None:
        self._timer = None
        kept, self._kept = self._kept, []
        for connection in kept:
            self._return(connection)

    def _return(self, connection: Pooled) -> None:
        task = asyncio.ensure_future(self.give_back(connection))
        self._returning.add(task)
        task.add_done_callback(self._returned)

    def _returned(self, task: asyncio.Task[None]) -> None:
        self._returning.discard(task)
        if not task.cancelled():
            task.exception()  # if the connection broke, the pool has dropped it


class Lease:
    """The use of one connection, as an asynchronous context manager."""

    __slots__ = ("_connection", "_gate", "_leases")
    _connection: Pooled

    def __init__(self, leases: Leases, gate: asyncio.Semaphore | None) -> None:
        self._leases = leases
        self._gate = gate

    async def __aenter__(self) -> Pooled:
        gate = self._gate
        self._connection = await (self._leases.take() if gate is None else self._leases.take_by(gate))
        return self._connection

    async def __aexit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        connection = self._connection
        try:
            if kind is None and not is_closed(connection) and not connection.is_in_transaction():
                self._leases.keep(connection)
            else:
                await self._leases.give_back(connection)
        finally:
            if self._gate is not None:
                self._gate.release()


def is_closed(connection: Pooled) -> bool:
    """Whether it can no longer be used."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # the pool has taken it back
        return True
