"""A store in Postgres: for any number of replicas. It needs asyncpg: `pip install unora-sdk[postgres]`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from asyncpg.transaction import Transaction

from unora_sdk.sql_store import TABLES, SqlStore
from unora_sdk.stores import ENDED, StoreAwayError

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"

AWAY = (
    # It shuts down, starts, or its disk is full or fails.
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.DiskFullError,
    asyncpg.PostgresSystemError,
    # It is no longer the primary.
    asyncpg.ReadOnlySQLTransactionError,
    # It gave up the transaction because of another one: the same may succeed at once.
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
)
"""Errors that say so whoever meets them, also a handler."""
UNREACHABLE = (
    *AWAY,
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    # The password or the role may be about to change.
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
"""Errors of the store's own statements and connections, which are always the same and right."""
UNDONE_WITHIN: Final = 5.0
"""Seconds for ROLLBACK."""
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class PostgresStore(SqlStore[Connection]):
    """Its tables are in a schema of their own, which is made if it is missing; the rest of the database is the
    handler's. A handler gets a connection inside a transaction.
    """

    def __init__(self, pool_or_dsn: Pool | str, schema: str = "unora_sdk", connections: int = 10) -> None:
        """With an address, `connections` is the most that are opened. A pool stays the caller's, who closes it."""
        if not _NAME.fullmatch(schema):
            raise ValueError(f"{schema!r} is no name for a schema: small letters, digits and _, a letter first")
        super().__init__(f"{schema}.")
        self._schema = schema
        self._given = pool_or_dsn
        self._connections = connections
        self._pool: Pool | None = None if isinstance(pool_or_dsn, str) else pool_or_dsn
        self._made = False

    async def open(self) -> None:
        """See Store."""
        if self._pool is None:
            assert isinstance(self._given, str)
            with _reaching():
                self._pool = await asyncpg.create_pool(self._given, min_size=0, max_size=self._connections)
        if not self._made:
            tables = TABLES.format(self._prefix, index="", moment="timestamptz", bytes="bytea")
            async with self.transaction() as connection:
                # Two replicas that start together would both make the schema, and one of them would fail.
                await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", f"unora-sdk {self._schema}")
                found = await connection.fetchval("SELECT to_regnamespace($1)", self._schema)
                if found is None:  # who may not make schemas may still use one
                    await connection.execute(f"CREATE SCHEMA {self._schema}")
                await connection.execute(tables)
            self._made = True

    async def close(self) -> None:
        """See Store."""
        if isinstance(self._given, str) and self._pool is not None:
            pool, self._pool, self._made = self._pool, None, False
            await pool.close()

    def is_away(self, error: BaseException) -> bool:
        """See Store. That its own connection is lost, `transaction` sees."""
        return isinstance(error, AWAY)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """See Store."""
        if self._pool is None:
            raise StoreAwayError("the store is not open")
        with _reaching():
            connection = await self._pool.acquire()
        try:
            transaction = connection.transaction()
            with _reaching():
                await transaction.start()
            try:
                yield connection
                await self._require_open(connection)
            except BaseException as error:
                reached = await self._undo(connection, transaction)
                if not reached and isinstance(error, Exception):
                    raise StoreAwayError(f"Postgres has ended the connection: {error}") from error
                raise
            with _reaching():
                await transaction.commit()
        finally:
            with _reaching():
                await self._pool.release(connection)

    @staticmethod
    async def _require_open(connection: Connection) -> None:
        """COMMIT of a transaction that is aborted or ended raises nothing, and keeps nothing of it."""
        if not connection.is_in_transaction():
            raise RuntimeError(ENDED)
        await connection.execute("SELECT 1")  # raises if an error that the handler caught has aborted the transaction

    @staticmethod
    async def _undo(connection: Connection, transaction: Transaction) -> bool:
        """Rolls back. False if Postgres could not be asked to, which undoes the transaction by itself then."""
        if connection.is_closed():
            return False
        try:
            async with asyncio.timeout(UNDONE_WITHIN):
                await transaction.rollback()
        except asyncpg.InterfaceError:  # the handler has left a statement running
            connection.terminate()
        except UNREACHABLE:
            connection.terminate()
            return False
        return True

    async def _rows(self, transaction: Connection, statement: str, *values: object) -> Sequence[Mapping[str, Any]]:
        with _reaching():
            found: list[Any] = await transaction.fetch(statement, *values)
        return found


@contextmanager
def _reaching() -> Iterator[None]:
    """Around what the store asks of Postgres by itself."""
    try:
        yield
    except UNREACHABLE as error:
        if isinstance(error, ValueError):  # the address cannot be read
            raise
        raise StoreAwayError(f"Postgres cannot be reached: {error or type(error).__name__}") from error
