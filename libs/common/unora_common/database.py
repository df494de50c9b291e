"""Connections and transactions. SQL is text, kept as constants beside its use, and goes to Postgres through asyncpg.

READ COMMITTED with explicit row locks. A transaction reads the rule clock only after its lock: see `Tx.lock`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
from google.protobuf.message import Message
from prometheus_client import Counter, Histogram

from unora_common import database_url, trace
from unora_common.batching import Write, combine
from unora_common.call import is_from_gateway
from unora_common.common_metrics import DATABASE_WAIT
from unora_common.connection_waits import Waits
from unora_common.connections import BROKEN_CONNECTION_ERRORS, drop, pooled_settings, reset, session_settings
from unora_common.errors import DomainError
from unora_common.leases import Leases, Pooled
from unora_common.metrics import Metric, Metrics
from unora_common.outbox import Outbox
from unora_common.timeouts import Timeouts
from unora_common.tracing.statements import watched

Row = asyncpg.Record
STATEMENTS: Final = 100
"""Prepared statements of a connection, as many as asyncpg keeps by default."""


class Session:
    """Reads for one member or caller. Each statement stands by itself."""

    __slots__ = ("_connection", "_user")

    def __init__(self, connection: Pooled, user: UUID | None) -> None:
        self._connection = connection
        self._user = user

    @property
    def user(self) -> UUID:
        """The member whose token the call carries; only in methods with USER or ADMIN access."""
        if self._user is None:
            raise RuntimeError("this call carries no member")
        return self._user

    async def rows(self, sql: str, *arguments: object) -> list[Row]:
        """All rows."""
        return await self._connection.fetch(sql, *arguments)

    async def row(self, sql: str, *arguments: object) -> Row | None:
        """The first row, or None."""
        return await self._connection.fetchrow(sql, *arguments)

    async def value(self, sql: str, *arguments: object) -> Any:
        """The first column of the first row, or None."""
        return await self._connection.fetchval(sql, *arguments)


class Tx(Session):
    """One transaction of a use case: its writes and its events are committed together or not at all."""

    __slots__ = ("_now", "deferred", "emitted", "events", "measured", "refusal")

    def __init__(self, connection: Pooled, user: UUID | None) -> None:
        super().__init__(connection, user)
        self._now: datetime | None = None
        self.events: list[Message] = []
        self.emitted = False
        self.deferred: list[Write] = []
        self.refusal: DomainError | None = None
        self.measured: list[tuple[Metric[Counter] | Metric[Histogram], float]] = []

    @property
    def now(self) -> datetime:
        """The rule clock (UTC) as it was read after the lock. Raises RuntimeError before a lock was taken."""
        if self._now is None:
            raise RuntimeError("tx.now was read before tx.lock or tx.read_clock: the time must be taken under the lock")
        return self._now

    async def lock(self, sql: str, *arguments: object) -> list[Row]:
        """Runs a locking statement and sets `now`. Its rows have a column `now`, read after the locks:

        WITH s AS MATERIALIZED (SELECT … FOR UPDATE) SELECT s.*, clock.now() AS now FROM s

        (`SELECT …, clock.now() … FOR UPDATE` would read the clock before it waits for the lock.) With several rows the
        latest time counts: the statement may have waited for a later row.
        """
        rows = await self._connection.fetch(sql, *arguments)
        if rows:
            latest: datetime = max(row["now"] for row in rows)
            self._now = latest if self._now is None else max(self._now, latest)
        return rows

    async def read_clock(self) -> datetime:
        """Reads the rule clock without a lock, for a row that the transaction is about to insert."""
        self._now = await self._connection.fetchval("SELECT clock.now()")
        return self.now

    async def run(self, sql: str, *arguments: object) -> int:
        """Runs a statement; returns the number of rows that it changed."""
        status = await self._connection.execute(sql, *arguments)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    def defer(self, sql: str, *arguments: object) -> None:
        """Defers a statement to the commit, where all deferred statements and events go to Postgres in one round trip.

        For the last writes of a use case, each to rows that no other deferred write touches: they do not see each
        other's effects. An error of a constraint is raised at the commit.
        """
        self.deferred.append(Write(sql, arguments))

    async def run_emitting(self, sql: str, *arguments: object) -> int:
        """Runs a statement that writes rows of the outbox itself, for changes of many aggregates at once; returns the
        number of rows (XX-02).
        """
        self.emitted = True
        return await self.run(sql, *arguments)

    async def run_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Runs a statement once for each row, in one round trip."""
        await self._connection.executemany(sql, rows)

    def refuse(self, refusal: DomainError) -> None:
        """Refuses the call although it leaves something behind, such as a count of refusals: the transaction commits,
        and then raises this. For the answer of a use case that stores what it must and returns.
        """
        self.refusal = refusal

    def measure(self, metric: Metric[Counter] | Metric[Histogram], amount: float) -> None:
        """Adds to a counter without labels, or to a histogram without, once the transaction is committed."""
        self.measured.append((metric, amount))

    def emit(self, *events: Message) -> None:
        """Emits events: messages of the context's events.proto, whose first field is the aggregate's id and whose
        second is its version. They are written to the outbox in this transaction (XX-02).
        """
        self.events.extend(events)


class Database:
    """The pool of one process, in the role of its context."""

    def __init__(
        self,
        leases: Leases,
        context: str,
        wake: Callable[[], None],
        for_gateways: asyncio.Semaphore,
        for_consumers: int,
        metrics: Metrics,
    ) -> None:
        self._leases = leases
        self._metrics = metrics
        self._for_gateways = for_gateways
        self.for_consumers = asyncio.Semaphore(for_consumers)
        """Held by a consumer around its transaction: a backlog of events must not take the connections of calls."""
        self._outbox = Outbox(context)
        self.schema = context
        self._wake = wake

    @classmethod
    async def open(
        cls,
        dsn: str,
        context: str,
        *,
        connections: int,
        kept: int,
        timeouts: Timeouts,
        wake: Callable[[], None],
        metrics: Metrics,
        is_pooler: bool = False,
    ) -> Database:
        """Opens the pool; it connects at the first use, so a process may start before Postgres. Calls of gateways leave
        `kept` of its connections to other work, and consumers leave half of them to others (XX-06). `wake` is called
        after each commit that emitted an event. `is_pooler` says that `dsn` leads to a pooler by transaction: each
        transaction may have another session, so none prepares statements, and its limits are those that `provision.py`
        gives the role. Raises ConfigError for what is no address of Postgres, or one that leads elsewhere without TLS.
        """
        pool = await asyncpg.create_pool(
            database_url.checked(dsn),
            min_size=0,
            max_size=connections,
            command_timeout=timeouts.command,
            server_settings=pooled_settings(context) if is_pooler else session_settings(f"unora_{context}", timeouts),
            statement_cache_size=0 if is_pooler else STATEMENTS,
            reset=reset,
        )
        leases = Leases(pool, connections, Waits(metrics.of(DATABASE_WAIT).observe))
        leases.measure(metrics)
        gate = asyncio.Semaphore(max(connections - kept, 1))
        return cls(leases, context, wake, gate, max(connections // 2, 1), metrics)

    async def check(self) -> None:
        """Returns if Postgres answers. Raises what asyncpg does, or OSError."""
        async with self.session() as session:
            await session.value("SELECT 1")

    async def close(self) -> None:
        """Closes the pool when the work in progress has ended."""
        await self._leases.close()

    @asynccontextmanager
    async def session(self, user: UUID | None = None) -> AsyncIterator[Session]:
        """A connection for reads."""
        async with self._leases.lease(self._gate()) as connection:
            try:
                yield Session(watched(connection), user)
            except BROKEN_CONNECTION_ERRORS as error:
                await drop(connection, error)

    @asynccontextmanager
    async def transaction(self, user: UUID | None = None) -> AsyncIterator[Tx]:
        """A transaction around the work: commits with its events when the block ends, rolls back when it raises. After
        `tx.refuse` it commits, and raises then.
        """
        async with trace.part("transaction"), self._leases.lease(self._gate()) as leased:
            connection = watched(leased)
            try:
                async with connection.transaction():
                    tx = Tx(connection, user)
                    yield tx
                    if tx.events:
                        tx.deferred.append(self._outbox.write(tx.events))
                    if tx.deferred:
                        sql, arguments = combine(tx.deferred)
                        await connection.execute(sql, *arguments)
            except BROKEN_CONNECTION_ERRORS as error:
                await drop(connection, error)
            if tx.events or tx.emitted:
                self._wake()
            for metric, amount in tx.measured:
                self._metrics.add(metric, amount)
        if tx.refusal:
            raise tx.refusal

    def _gate(self) -> asyncio.Semaphore | None:
        return self._for_gateways if is_from_gateway() else None
