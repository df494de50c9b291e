"""Connections and transactions. SQL is text, kept as constants beside its use, and goes to Postgres through asyncpg.

READ COMMITTED with explicit row locks. A transaction reads the rule clock only after its lock: see `Tx.lock`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from google.protobuf.message import Message

from unora_common.answers import Answers
from unora_common.outbox import Outbox
from unora_common.writes import Write, together

Row = asyncpg.Record

AWAY = (
    *(OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError),
    *(asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.CannotConnectNowError),
    asyncpg.TooManyConnectionsError,
)
"""What says that Postgres does not answer now, and nothing of the statement."""

COMMAND_TIMEOUT = 20.0
"""Seconds after which a statement is given up from this side too: the server's limit does not help when it is gone."""

SETTINGS = {
    "timezone": "UTC",
    "jit": "off",
    "statement_timeout": "15s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
}


class Session:
    """Reads of one member or caller; each statement by itself."""

    __slots__ = ("_connection", "_user")

    def __init__(self, connection: asyncpg.pool.PoolConnectionProxy[Row], user: UUID | None) -> None:
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
    """One transaction of a use case: what it reads, locks, writes and tells is committed together or not at all."""

    __slots__ = ("_now", "events", "writes")

    def __init__(self, connection: asyncpg.pool.PoolConnectionProxy[Row], user: UUID | None) -> None:
        super().__init__(connection, user)
        self._now: datetime | None = None
        self.events: list[Message] = []
        self.writes: list[Write] = []

    @property
    def now(self) -> datetime:
        """The rule clock (UTC) as it was read after the lock; raises before a lock was taken."""
        if self._now is None:
            raise RuntimeError("tx.now was read before tx.lock or tx.read_clock: the time must be taken under the lock")
        return self._now

    async def lock(self, sql: str, *arguments: object) -> list[Row]:
        """Runs a locking statement and sets `now`. Its rows have a column `now`, read after the locks:

        WITH s AS MATERIALIZED (SELECT … FOR UPDATE) SELECT s.*, clock.now() AS now FROM s

        (`SELECT …, clock.now() … FOR UPDATE` would read the clock before it waits.) With several rows the last time
        counts, since a later row may still have been waited for.
        """
        rows = await self._connection.fetch(sql, *arguments)
        if rows:
            latest: datetime = max(row["now"] for row in rows)
            self._now = latest if self._now is None else max(self._now, latest)
        return rows

    async def read_clock(self) -> datetime:
        """Reads the rule clock where nothing is locked, because the row in question is only now made."""
        self._now = await self._connection.fetchval("SELECT clock.now()")
        return self.now

    async def run(self, sql: str, *arguments: object) -> int:
        """Runs a statement; returns how many rows it touched."""
        status = await self._connection.execute(sql, *arguments)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    def write(self, sql: str, *arguments: object) -> None:
        """Puts a statement off to the commit, where all that was put off goes to Postgres in one round trip, with the
        events. For a use case's last writes, to rows that no other of them touches: they see none of each other's
        effects. What a constraint refuses is raised at the commit.
        """
        self.writes.append(Write(sql, arguments))

    async def run_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Runs a statement once a row, in one round trip."""
        await self._connection.executemany(sql, rows)

    def emit(self, *events: Message) -> None:
        """Tells events: messages of the context's events.proto, whose first field is the aggregate's id and whose
        second its version. They go to the outbox with the commit (XX-02).
        """
        self.events.extend(events)


class Database:
    """The pool of one process, in the role of its context."""

    def __init__(self, pool: asyncpg.Pool[Row], context: str, wake: Callable[[], None]) -> None:
        self._pool = pool
        self._outbox = Outbox(context)
        self.answers = Answers(context)
        self._wake = wake

    @classmethod
    async def open(cls, dsn: str, context: str, *, connections: int, wake: Callable[[], None]) -> Database:
        """Opens the pool; `wake` is called after each commit that told something."""
        pool = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=connections,
            command_timeout=COMMAND_TIMEOUT,
            server_settings={"application_name": f"unora_{context}", **SETTINGS},
            reset=_reset,
        )
        return cls(pool, context, wake)

    async def close(self) -> None:
        """Closes the pool when what is under way has ended."""
        await self._pool.close()

    @asynccontextmanager
    async def session(self, user: UUID | None = None) -> AsyncIterator[Session]:
        """A connection for reads."""
        async with self._pool.acquire() as connection:
            yield Session(connection, user)

    @asynccontextmanager
    async def transaction(self, user: UUID | None = None) -> AsyncIterator[Tx]:
        """A transaction around the work: commits with its events when the block ends, rolls back when it raises."""
        async with self._pool.acquire() as connection:
            async with connection.transaction():
                tx = Tx(connection, user)
                yield tx
                if tx.events:
                    tx.writes.append(self._outbox.write(tx.events))
                if tx.writes:
                    sql, arguments = together(tx.writes)
                    await connection.execute(sql, *arguments)
            if tx.events:
                self._wake()


async def _reset(connection: asyncpg.Connection[Row]) -> None:
    """Giving a connection back costs no round trip: nothing that a session could leave behind is ever used, but for a
    transaction whose end was interrupted.
    """
    if connection.is_in_transaction():
        await connection.execute("ROLLBACK")
