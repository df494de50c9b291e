"""One connection to Postgres: what it sets as it opens, and what becomes of one that broke."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final, NoReturn

import asyncpg

from unora_common.leases import Pooled, is_closed
from unora_common.timeouts import Timeouts

BROKEN_CONNECTION_ERRORS = (asyncpg.InternalClientError, asyncpg.ReadOnlySQLTransactionError)
"""Errors after which a connection must not go back to the pool: its state is unknown, or it leads to a server that is
no longer the primary.
"""
LOST_WITHIN = 1.0
"""Seconds in which a connection that Postgres has ended is closed on this side too."""
END_SESSION: Final = """
    SELECT pg_terminate_backend(pg_backend_pid()) WHERE current_setting('transaction_read_only')::boolean"""
"""Ends a session on a server that is no longer the primary. Behind a pooler a session outlives the connection that used
it, and the pooler would give it to the next one.
"""


def session_settings(name: str, timeouts: Timeouts) -> dict[str, str]:
    """What each connection sets as it opens; `name` is how the server calls it."""
    return {
        "application_name": name,
        "timezone": "UTC",
        "jit": "off",
        "statement_timeout": _milliseconds(timeouts.statement),
        "lock_timeout": _milliseconds(timeouts.lock),
        "idle_in_transaction_session_timeout": _milliseconds(timeouts.idle_transaction),
    }


def pooled_settings(context: str) -> dict[str, str]:
    """What pgbouncer sets anew in each session that it gives. It refuses a connection that asks for more."""
    return {"application_name": f"unora_{context}", "timezone": "UTC"}


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f}ms"


async def reset(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Costs no round trip when a connection goes back to the pool: services use no session state, so the only thing to
    clear is a transaction whose end was interrupted.
    """
    if connection.is_in_transaction():
        await connection.execute("ROLLBACK")


async def drop(connection: Pooled, error: Exception) -> NoReturn:
    """Ends a connection that broke, and raises the error, or ConnectionDoesNotExistError if Postgres had ended it.

    When Postgres ends an idle connection, asyncpg gets the notice before the end. A statement between the two raises
    InternalClientError, which may just as well be an error of this program: then the connection stays open.
    """
    if isinstance(error, asyncpg.InternalClientError):
        try:
            async with asyncio.timeout(LOST_WITHIN):
                while not is_closed(connection):  # noqa: ASYNC110 - asyncpg has nothing to wait for
                    await asyncio.sleep(0.01)
        except TimeoutError:
            pass
        else:
            raise asyncpg.ConnectionDoesNotExistError("Postgres had ended the connection") from error
    elif not is_closed(connection):
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
            async with asyncio.timeout(LOST_WITHIN):
                await connection.execute(END_SESSION)
    if not is_closed(connection):
        connection.terminate()
    raise error
