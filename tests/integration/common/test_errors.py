"""What leaves a service when a call is refused or fails: a status, a stable reason, and nothing else (XX-04)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from unora.streak.v1.streak_service_pb2 import CheckInRequest, CheckInResponse
from unora_common.database import Tx
from unora_common.errors import DomainError, InvalidArgument
from unora_common.grpc_errors import DETAILS

from tests.integration.common.bare_world import BareWorld, Probe, check_in_request
from tests.integration.common.proxy import Wire
from tests.support import refusal

pytestmark = pytest.mark.rule("XX-04")

SECRET = "Anna, +15555550100"


class Refused(DomainError):
    code = "RESOURCE_EXHAUSTED"
    reason = "TOO_OFTEN"
    sentence = "Too often."


class WrongArgument(asyncpg.InterfaceError, ValueError):
    """As asyncpg's error for an argument that does not fit its statement, which has no public name."""


def _rpc_error(code: grpc.StatusCode) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details=SECRET)


def raising(error: Callable[[], BaseException]) -> type[Probe]:
    class Raising(Probe):
        async def check_in(self, request: CheckInRequest, tx: Tx) -> CheckInResponse:
            await super().check_in(request, tx)
            raise error()

    return Raising


async def failed(bare_world: BareWorld, error: Callable[[], BaseException]) -> grpc.aio.AioRpcError:
    """Makes a call whose work raises `error`."""
    streaks = await bare_world.probe(raising(error))
    with pytest.raises(grpc.aio.AioRpcError) as found:
        await streaks.CheckIn(check_in_request(), metadata=bare_world.caller().metadata)
    assert await bare_world.keys() == []
    return found.value


def status_of(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    pairs = dict(tuple(pair) for pair in error.trailing_metadata())
    status = status_pb2.Status.FromString(pairs[DETAILS])
    assert (status.code, status.message) == (error.code().value[0], error.details())
    return status


async def test_an_unknown_error_leaves_as_internal_and_is_logged_without_its_message(
    bare_world: BareWorld,
) -> None:
    error = await failed(bare_world, lambda: RuntimeError(SECRET))
    status = status_of(error)
    info = error_details_pb2.ErrorInfo()
    detail, _ = status.details
    assert detail.Unpack(info)
    assert (error.code().name, error.details()) == ("INTERNAL", "INTERNAL")
    assert (info.reason, info.domain, dict(info.metadata)) == ("INTERNAL", "unora.streak", {})
    assert SECRET not in bare_world.log.getvalue()
    (line,) = [line for line in bare_world.logged() if line["level"] == "error"]
    assert (line["error"], line["code"], line["method"]) == (
        *("RuntimeError", "INTERNAL"),
        "/unora.streak.v1.StreakService/CheckIn",
    )
    assert any("check_in" in frame for frame in line["exception"])
    assert line["trace"].startswith("00-")


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (lambda: Refused(retry_at="noon"), "RESOURCE_EXHAUSTED", "TOO_OFTEN"),
        (lambda: InvalidArgument({"streak_id": "why"}), "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
        (lambda: _rpc_error(grpc.StatusCode.UNAVAILABLE), "UNAVAILABLE", "DEPENDENCY_UNAVAILABLE"),
        (lambda: _rpc_error(grpc.StatusCode.RESOURCE_EXHAUSTED), "UNAVAILABLE", "DEPENDENCY_UNAVAILABLE"),
        (lambda: _rpc_error(grpc.StatusCode.CANCELLED), "UNAVAILABLE", "DEPENDENCY_UNAVAILABLE"),
        (asyncio.CancelledError, "UNAVAILABLE", "DEPENDENCY_UNAVAILABLE"),  # of a dependency, not of the call
        (lambda: _rpc_error(grpc.StatusCode.DEADLINE_EXCEEDED), "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"),
        (lambda: _rpc_error(grpc.StatusCode.NOT_FOUND), "INTERNAL", "INTERNAL"),
        (lambda: _rpc_error(grpc.StatusCode.PERMISSION_DENIED), "INTERNAL", "INTERNAL"),
        (TimeoutError, "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"),
        (lambda: ConnectionRefusedError(SECRET), "UNAVAILABLE", "DEPENDENCY_UNAVAILABLE"),
        (lambda: asyncpg.AdminShutdownError(SECRET), "UNAVAILABLE", "DEPENDENCY_UNAVAILABLE"),
        (lambda: asyncpg.CannotConnectNowError(SECRET), "UNAVAILABLE", "DEPENDENCY_UNAVAILABLE"),
        (lambda: asyncpg.TooManyConnectionsError(SECRET), "UNAVAILABLE", "DEPENDENCY_UNAVAILABLE"),
        (lambda: asyncpg.QueryCanceledError(SECRET), "UNAVAILABLE", "DEPENDENCY_UNAVAILABLE"),
        (lambda: asyncpg.LockNotAvailableError(SECRET), "UNAVAILABLE", "DEPENDENCY_UNAVAILABLE"),
        (lambda: asyncpg.DeadlockDetectedError(SECRET), "UNAVAILABLE", "DEPENDENCY_UNAVAILABLE"),
        (lambda: asyncpg.SerializationError(SECRET), "UNAVAILABLE", "DEPENDENCY_UNAVAILABLE"),
        (lambda: asyncpg.UndefinedTableError(SECRET), "INTERNAL", "INTERNAL"),
        (lambda: asyncpg.InsufficientPrivilegeError(SECRET), "INTERNAL", "INTERNAL"),
        (lambda: KeyError(SECRET), "INTERNAL", "INTERNAL"),
        (lambda: WrongArgument(SECRET), "INTERNAL", "INTERNAL"),
    ],
)
async def test_every_error_has_its_status(
    bare_world: BareWorld, error: Callable[[], BaseException], code: str, reason: str
) -> None:
    found = await failed(bare_world, error)
    assert (found.code().name, found.details()) == (code, reason)
    assert SECRET not in str(status_of(found))
    assert SECRET not in str(found.trailing_metadata())
    assert SECRET not in bare_world.log.getvalue()


async def test_a_refusal_has_the_metadata_that_a_client_needs(bare_world: BareWorld) -> None:
    streaks = await bare_world.probe(raising(lambda: Refused(retry_at="noon", left=0)))
    refused = await refusal(streaks.CheckIn(check_in_request(), metadata=bare_world.caller().metadata))
    assert (refused.reason, refused.domain) == ("TOO_OFTEN", "unora.streak")
    assert refused.metadata == {"retry_at": "noon", "left": "0"}


async def test_a_violated_constraint_becomes_its_refusal(bare_world: BareWorld) -> None:
    streaks, request = await bare_world.probe(), check_in_request()
    await streaks.CheckIn(request, metadata=bare_world.caller().metadata)
    again = check_in_request(request.streak_id)
    refused = await refusal(streaks.CheckIn(again, metadata=bare_world.caller().metadata))
    assert (refused.code, refused.reason) == ("ALREADY_EXISTS", "PROBE_TAKEN")


async def test_of_twenty_calls_at_once_one_succeeds_and_nineteen_are_refused(bare_world: BareWorld) -> None:
    streaks, request = await bare_world.probe(), check_in_request()

    async def race() -> str:
        try:
            await streaks.CheckIn(check_in_request(request.streak_id), metadata=bare_world.caller().metadata)
        except grpc.aio.AioRpcError as error:
            return str(error.details())
        return "OK"

    assert sorted(await asyncio.gather(*(race() for _ in range(20)))) == ["OK", *["PROBE_TAKEN"] * 19]


async def test_a_violated_constraint_without_a_refusal_is_internal_and_not_named(bare_world: BareWorld) -> None:
    class Breaking(Probe):
        async def check_in(self, request: CheckInRequest, tx: Tx) -> CheckInResponse:
            await tx.run("INSERT INTO streak.probe (key, value) VALUES ($1, 'never')", request.streak_id)
            return CheckInResponse()

    streaks = await bare_world.probe(Breaking)
    with pytest.raises(grpc.aio.AioRpcError) as found:
        await streaks.CheckIn(check_in_request(), metadata=bare_world.caller().metadata)
    assert (found.value.code().name, found.value.details()) == ("INTERNAL", "INTERNAL")
    assert "ck_probe_value" not in str(found.value.trailing_metadata())
    (line,) = [line for line in bare_world.logged() if line["level"] == "error"]
    assert line["error"] == "CheckViolationError 23514 ck_probe_value"


async def test_a_field_that_breaks_its_rule_is_named_and_not_repeated(bare_world: BareWorld) -> None:
    streaks = await bare_world.probe()
    request = CheckInRequest(request_id="not-a-uuid-47", streak_id="", effort_signal=99)  # type: ignore[arg-type]
    refused = await refusal(streaks.CheckIn(request, metadata=bare_world.caller().metadata))
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")
    assert set(refused.violations) == {"request_id", "streak_id", "effort_signal"}
    assert refused.sentence == "Some of what you sent cannot be accepted."
    assert "not-a-uuid-47" not in str(refused)
    assert "not-a-uuid-47" not in bare_world.log.getvalue()


async def _raw(bare_world: BareWorld, body: bytes, **more: Any) -> Any:
    method: Any = bare_world.channel("streak").unary_unary("/unora.streak.v1.StreakService/CheckIn")
    return await method(body, **more)


@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"\x0a\x03\xff\xfe\xfd", b"\x0a\xff\x01x", b"{}"])
async def test_bytes_that_are_not_a_message_are_an_invalid_argument(bare_world: BareWorld, body: bytes) -> None:
    """The second is a string that is not UTF-8."""
    await bare_world.probe()
    refused = await refusal(_raw(bare_world, body, metadata=bare_world.caller().metadata))
    assert (refused.code, refused.reason, refused.domain) == ("INVALID_ARGUMENT", "REQUEST_UNREADABLE", "unora.streak")
    assert (await refusal(_raw(bare_world, body))).reason == "TOKEN_MISSING"


async def test_more_than_a_megabyte_is_refused(bare_world: BareWorld) -> None:
    await bare_world.probe()
    refused = await refusal(_raw(bare_world, b"\0" * (1024 * 1024 + 1), metadata=bare_world.caller().metadata))
    assert refused.code == "RESOURCE_EXHAUSTED"


async def test_a_method_that_does_not_exist_says_so(bare_world: BareWorld) -> None:
    await bare_world.probe()
    method: Any = bare_world.channel("streak").unary_unary("/unora.streak.v1.StreakService/Steal")
    assert (await refusal(method(b"", metadata=bare_world.caller().metadata))).code == "UNIMPLEMENTED"


async def test_a_call_that_its_caller_cancels_changes_nothing(bare_world: BareWorld) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    class Slow(Probe):
        async def check_in(self, request: CheckInRequest, tx: Tx) -> CheckInResponse:
            answer = await super().check_in(request, tx)
            entered.set()
            await leave.wait()
            return answer

    streaks, member, seconds = await bare_world.probe(Slow), bare_world.caller(), 0.1
    while not entered.is_set():  # on a busy machine a call may be over before its work has begun
        seconds *= 2
        call = streaks.CheckIn(check_in_request(), metadata=member.metadata, timeout=seconds)
        assert (await refusal(call)).code == "DEADLINE_EXCEEDED"
    leave.set()
    await bare_world.apps["streak"].close()
    assert await bare_world.keys() == []


async def test_a_service_without_its_database_refuses_with_unavailable(bare_world: BareWorld) -> None:
    host = bare_world.testbed.postgres.rpartition("@")[2]
    wire = Wire(int(host.rpartition(":")[2]))
    await wire.join()
    direct = bare_world.testbed.dsn(bare_world.database, "unora_streak")
    streaks = await bare_world.probe(database_url=direct.replace(host, f"127.0.0.1:{wire.port}"))
    await wire.cut()
    request, member = check_in_request(), bare_world.caller()
    refused = await refusal(streaks.CheckIn(request, metadata=member.metadata))
    assert (refused.code, refused.reason) == ("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE")
    await wire.join()
    await streaks.CheckIn(request, metadata=member.metadata)
    await bare_world.apps["streak"].close()
    await wire.cut()
