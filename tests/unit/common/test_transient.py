"""Which errors may pass by themselves: no event is buried by them, and no caller is told that the service is broken."""

from __future__ import annotations

import asyncpg
import grpc
import pytest
from unora_common.transient import is_transient

AWAY = [
    ConnectionResetError,
    asyncpg.InterfaceError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.ProtocolViolationError,  # a pooler's word for a server that it lost
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.DatabaseDroppedError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionTimeoutError,
    asyncpg.TooManyConnectionsError,
    asyncpg.DiskFullError,
    asyncpg.PostgresIOError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.TargetServerAttributeNotMatched,
    asyncpg.InvalidPasswordError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.OutdatedSchemaCacheError,
    asyncpg.InvalidCachedStatementError,
]
OURS = [
    asyncpg.InternalClientError,
    asyncpg.UndefinedTableError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.UniqueViolationError,
    AttributeError,
]


@pytest.mark.parametrize("error", AWAY)
def test_a_postgres_that_is_away_or_refuses_connections_is_transient(error: type[Exception]) -> None:
    assert is_transient(error("text"))


@pytest.mark.parametrize(
    ("code", "transient"),
    [
        (grpc.StatusCode.UNAVAILABLE, True),
        (grpc.StatusCode.DEADLINE_EXCEEDED, True),
        (grpc.StatusCode.UNIMPLEMENTED, True),
        (grpc.StatusCode.INVALID_ARGUMENT, False),
        (grpc.StatusCode.INTERNAL, False),
    ],
)
def test_no_event_is_buried_because_another_service_is_away_or_still_of_the_version_before(
    code: grpc.StatusCode, transient: bool
) -> None:
    assert is_transient(grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata())) is transient


@pytest.mark.parametrize("error", OURS)
def test_an_error_of_the_code_is_not(error: type[Exception]) -> None:
    assert not is_transient(error("text"))
