"""Errors that may pass by themselves: a later attempt may succeed."""

from __future__ import annotations

import asyncpg
import grpc

from unora_common.errors import RetryLater, Unavailable

CONFLICTS: tuple[type[Exception], ...] = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""Postgres gave up the transaction because of another one. The same transaction may succeed at once."""
TRANSIENT_ERRORS: tuple[type[Exception], ...] = (
    RetryLater,
    Unavailable,
    TimeoutError,
    # Postgres cannot be reached.
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    # Postgres gave up the statement because of other work.
    *CONFLICTS,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
)
TRANSIENT_STATUSES = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.CANCELLED,  # the other process stopped, or gRPC dropped the call before anyone read it
    }
)


def is_transient(error: BaseException) -> bool:
    """Whether a later attempt may succeed; for an error of a call to another context, its status decides."""
    if isinstance(error, grpc.aio.AioRpcError):
        return error.code() in TRANSIENT_STATUSES
    return isinstance(error, TRANSIENT_ERRORS)
