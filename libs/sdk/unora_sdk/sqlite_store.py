"""A store in a file: for one process, or few, on one machine."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from unora_sdk.environment import ConfigError
from unora_sdk.sql_store import TABLES, SqlStore
from unora_sdk.stores import TRANSACTION_ENDED, StoreAwayError

PREFIX: Final = "unora_sdk_"
LOCK_TIMEOUT: Final = 10.0
"""Seconds that a transaction waits for those of other processes."""
POLL: Final = 0.02
TRANSIENT_ERRORS: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
"""Errors at the start of a transaction that may be over in a moment."""


class SqliteStore(SqlStore[sqlite3.Connection]):
    """Its tables begin with `unora_sdk_`; a handler has the file's other tables for itself.

    A handler gets the connection inside a transaction, and must neither commit nor roll back. There is one transaction
    at a time: while a handler awaits something else, the others wait for it.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(PREFIX)
        self._path = Path(path)
        self._connection: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._one = asyncio.Lock()

    async def open(self) -> None:
        """See Store. The file is made if it is missing, its folder is not. Raises ConfigError for a file of another
        kind.
        """
        if self._connection is not None:
            return
        try:
            connection, reader = self._connect(), self._connect()
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # what is acknowledged must survive a loss of power
            connection.executescript(TABLES.format(PREFIX, index=PREFIX, moment="text", bytes="blob"))
            connection.execute("PRAGMA busy_timeout = 0")  # `transaction` waits without holding up the loop
        except sqlite3.OperationalError as error:
            raise StoreAwayError(f"{self._path} cannot be used: {error}") from error
        except sqlite3.DatabaseError as error:
            raise ConfigError(f"{self._path} is no file of SQLite, or a broken one: {error}. Name another") from error
        self._connection, self._reader = connection, reader

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=LOCK_TIMEOUT)
        connection.row_factory = sqlite3.Row
        return connection

    async def close(self) -> None:
        """See Store."""
        async with self._one:
            for connection in filter(None, (self._reader, self._connection)):
                connection.close()
            self._connection = self._reader = None

    def is_away(self, error: BaseException) -> bool:
        """See Store: the disk is full or fails. What else may be wrong with a file may be one of the handler's own."""
        return _code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[sqlite3.Connection]:
        """See Store."""
        async with self._one:
            connection = self._connection
            if connection is None:
                raise StoreAwayError(f"{self._path} is not open")
            await self._begin(connection)
            try:
                yield connection
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.rollback()
                raise
            if not connection.in_transaction:
                raise RuntimeError(TRANSACTION_ENDED)
            try:
                connection.execute("COMMIT")
            except sqlite3.OperationalError as error:
                with suppress(sqlite3.Error):
                    connection.rollback()
                raise StoreAwayError(f"{self._path} cannot be written: {error}") from error

    async def _begin(self, connection: sqlite3.Connection) -> None:
        """Waits for the transactions of other processes."""
        end = time.monotonic() + LOCK_TIMEOUT
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if _code(error) not in TRANSIENT_ERRORS or time.monotonic() > end:
                    raise StoreAwayError(f"{self._path} cannot be written: {error}") from error
                await asyncio.sleep(POLL)
            else:
                return

    async def _read(self, statement: str, *values: object) -> Sequence[Mapping[str, Any]]:
        """Reads what is committed, on a connection of its own, and so waits for no transaction."""
        if self._reader is None:
            raise StoreAwayError(f"{self._path} is not open")
        return await self._rows(self._reader, statement, *values)

    async def _rows(
        self, transaction: sqlite3.Connection, statement: str, *values: object
    ) -> Sequence[Mapping[str, Any]]:
        named = {str(number): _value(value) for number, value in enumerate(values, start=1)}
        try:
            return [dict(row) for row in transaction.execute(statement, named).fetchall()]
        except sqlite3.OperationalError as error:
            raise StoreAwayError(f"{self._path} cannot be used: {error}") from error


def _code(error: BaseException) -> int:
    """The kind of an error of SQLite; 0 for any other."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF if isinstance(error, sqlite3.OperationalError) else 0


def _value(value: object) -> object:
    """Times are texts of one length, so that they compare as times do."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value
