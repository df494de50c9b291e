"""Errors that may pass by themselves: a later attempt may succeed."""

from __future__ import annotations

import asyncpg
import grpc

from unora_common.errors import RetryLater, Unavailable
from unora_common.logs import Log

CONFLICTS: tuple[type[Exception], ...] = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""Postgres gave up the transaction because of another one. The same transaction may succeed at once."""
TRANSIENT_ERRORS: tuple[type[Exception], ...] = (
    RetryLater,
    Unavailable,
    TimeoutError,
    # Postgres cannot be reached, shuts down, starts, refuses new connections, or has ended this one.
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    # It is no longer the primary.
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.TargetServerAttributeNotMatched,
    # The password, the role or the database is wrong: it may be about to change, and no event is at fault.
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    # A migration changed a type or a table under a prepared statement; asyncpg has forgotten the statement by now.
    asyncpg.OutdatedSchemaCacheError,
    asyncpg.InvalidCachedStatementError,
    # Postgres gave up the statement because of other work.
    *CONFLICTS,
    asyncpg.LockNotAvailableError,
    asyncpg.TransactionTimeoutError,
)
TRANSIENT_STATUSES = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.CANCELLED,  # the other process stopped, or gRPC dropped the call before anyone read it
        grpc.StatusCode.UNIMPLEMENTED,  # in a rollout: the other process is of the version before, without this method
    }
)


def is_transient(error: BaseException) -> bool:
    """Whether a later attempt may succeed; for an error of a call to another context, its status decides."""
    if isinstance(error, grpc.aio.AioRpcError):
        return error.code() in TRANSIENT_STATUSES
    if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
        return False  # an argument or a setting of this program is wrong: each attempt meets the error again
    return isinstance(error, TRANSIENT_ERRORS)


def log_failure(log: Log, event: str, error: BaseException, **fields: str) -> None:
    """Logs an error of one item of work, after which the others go on: as a warning if it is transient."""
    report = log.warning if is_transient(error) else log.error
    report(event, failure=error, **fields)
