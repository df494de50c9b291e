"""A store in Postgres: for any number of replicas. It needs asyncpg: `pip install unora-sdk[postgres]`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from asyncpg.transaction import Transaction

from unora_sdk.sql_store import TABLES, SqlStore
from unora_sdk.stores import TRANSACTION_ENDED, StoreAwayError

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"

TRANSIENT_ERRORS = (
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
    *TRANSIENT_ERRORS,
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # of a statement between the notice that the connection ends, and its end
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    # The password or the role may be about to change.
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
"""Errors of the store's own statements and connections, which are always the same and right."""
STATEMENT_TIMEOUT: Final = 90.0
"""Seconds for what the store asks by itself. A record may have to wait for another replica's handler with the event."""
UNDONE_WITHIN: Final = 5.0
"""Seconds for ROLLBACK, and for making a connection ready for its next use: a stop waits for both."""
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class PostgresStore(SqlStore[Connection]):
    """Its tables are in a schema of their own, which is made if it is missing; the rest of the database is the
    handler's. A handler gets a connection inside a transaction.
    """

    def __init__(
        self,
        pool_or_dsn: Pool | str,
        schema: str = "unora_sdk",
        connections: int = 10,
        patience: float = STATEMENT_TIMEOUT,
    ) -> None:
        """With an address, `connections` is the most that are opened. A pool stays the caller's, who closes it. If
        Postgres does not answer the store for `patience` seconds, it is away.
        """
        if not _NAME.fullmatch(schema):
            raise ValueError(f"{schema!r} is no name for a schema: small letters, digits and _, a letter first")
        super().__init__(f"{schema}.")
        self._schema = schema
        self._given = pool_or_dsn
        self._connections = connections
        self._patience = patience
        self._pool: Pool | None = None if isinstance(pool_or_dsn, str) else pool_or_dsn
        self._made = False

    async def open(self) -> None:
        """See Store."""
        if self._pool is None:
            assert isinstance(self._given, str)
            async with _reaching(self._patience):
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
            with suppress(TimeoutError):  # then it has ended the connections without a word to the server
                async with asyncio.timeout(UNDONE_WITHIN):
                    await pool.close()

    def is_away(self, error: BaseException) -> bool:
        """See Store. That its own connection is lost, `transaction` sees."""
        return isinstance(error, TRANSIENT_ERRORS)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """See Store."""
        if self._pool is None:
            raise StoreAwayError("the store is not open")
        async with _reaching(self._patience):
            connection = await self._pool.acquire()
        try:
            transaction = connection.transaction()
            async with _reaching(self._patience):
                await transaction.start()
            try:
                yield connection
                await self._require_open(connection)
            except BaseException as error:
                reached = await self._undo(connection, transaction)
                if not reached and isinstance(error, Exception):
                    raise StoreAwayError(f"Postgres has ended the connection: {error}") from error
                raise
            async with _reaching(self._patience):
                await transaction.commit()
        finally:
            async with _reaching(self._patience):
                await self._pool.release(connection, timeout=UNDONE_WITHIN)

    @staticmethod
    async def _require_open(connection: Connection) -> None:
        """COMMIT of a transaction that is aborted or ended raises nothing, and keeps nothing of it."""
        if not connection.is_in_transaction():
            raise RuntimeError(TRANSACTION_ENDED)
        # It raises if an error that the handler caught has aborted the transaction.
        await connection.execute("SELECT 1", timeout=UNDONE_WITHIN)

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
        async with _reaching(self._patience):
            found: list[Any] = await transaction.fetch(statement, *values)
        return found


@asynccontextmanager
async def _reaching(seconds: float) -> AsyncIterator[None]:
    """Around what the store asks of Postgres by itself."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except UNREACHABLE as error:
        if isinstance(error, ValueError):  # the address cannot be read
            raise
        raise StoreAwayError(f"Postgres cannot be reached: {error or type(error).__name__}") from error
