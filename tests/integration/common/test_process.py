"""A process from its start to its end: health, reflection, metrics, deadlines, and an end in which nothing is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from prometheus_client import generate_latest
from unora.streak.v1.events_pb2 import CheckedIn
from unora.streak.v1.streak_service_pb2 import (
    CheckInRequest,
    CheckInResponse,
    GetDashboardRequest,
    GetDashboardResponse,
    GetStreakRequest,
)
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_common import server
from unora_common.call import Call
from unora_common.database import Tx
from unora_common.errors import Unavailable
from unora_common.handlers import every
from unora_common.health import READINESS
from unora_common.ids import uuid7
from unora_common.runtime import Runtime
from unora_common.server import ContractError
from unora_testing.deadlines import GENEROUS, eventually, within

from tests.integration.common.bare_world import BareWorld, Probe, check_in_request
from tests.integration.common.proxy import Wire
from tests.support import refusal

SERVING = health_pb2.HealthCheckResponse.SERVING


NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def health(bare_world: BareWorld, name: str) -> int:
    stub = bare_world.stub(health_pb2_grpc.HealthStub, "streak", caller="stranger")
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
    return int(answer.status)


async def test_a_process_is_alive_before_it_is_ready(bare_world: BareWorld) -> None:
    await bare_world.probe()
    app = bare_world.apps["streak"]
    assert (await health(bare_world, ""), await health(bare_world, READINESS)) == (SERVING, NOT_SERVING)
    changes: asyncio.Queue[bool] = asyncio.Queue()
    assert app.server is not None
    set_server_ready = app.server.set_ready

    async def set_ready(ready: bool) -> None:
        await set_server_ready(ready)
        changes.put_nowait(ready)

    app.server.set_ready = set_ready  # type: ignore[method-assign]
    app.watch()
    assert await within(changes.get())
    assert (await health(bare_world, ""), await health(bare_world, READINESS)) == (SERVING, SERVING)


async def test_a_process_is_not_ready_without_the_keys_of_identity(bare_world: BareWorld) -> None:
    await bare_world.probe()
    app = bare_world.apps["streak"]
    app.verifier._keys = None

    async def away() -> Any:
        raise Unavailable

    app.verifier._fetch = away
    assert await app.readiness.missing() == ["keys of identity (Unavailable DEPENDENCY_UNAVAILABLE UNAVAILABLE)"]


async def test_reflection_describes_the_contract_where_it_is_switched_on(bare_world: BareWorld) -> None:
    await bare_world.probe()
    stub = bare_world.stub(reflection_pb2_grpc.ServerReflectionStub, "streak")

    async def ask(**question: str) -> Any:
        call = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(**question)]))
        return [answer async for answer in call]

    (answer,) = await ask(list_services="")
    names = {service.name for service in answer.list_services_response.service}
    assert {"unora.streak.v1.StreakService", "grpc.health.v1.Health"} <= names
    (answer,) = await ask(file_containing_symbol="unora.streak.v1.StreakService")
    files = answer.file_descriptor_response.file_descriptor_proto
    assert "unora/streak/v1/streak_service.proto" in {FileDescriptorProto.FromString(file).name for file in files}


async def test_reflection_is_off_by_default(bare_world: BareWorld) -> None:
    await bare_world.probe(reflection=False)
    stub = bare_world.stub(reflection_pb2_grpc.ServerReflectionStub, "streak")
    call = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        [answer async for answer in call]
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_a_client_reconnects_regularly_to_find_new_replicas_and_no_call_fails(
    bare_world: BareWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client looks up the addresses only when it connects."""
    monkeypatch.setattr(server, "CONNECTION_AGE", 0.3)
    await bare_world.probe()
    member = bare_world.caller()
    wire = Wire(int(bare_world.address(bare_world.apps["streak"]).rpartition(":")[2]))
    await wire.join()
    ca, certificate, key = bare_world.certificates["gateway"].read()
    credentials = grpc.ssl_channel_credentials(ca, key, certificate)
    options = [("grpc.ssl_target_name_override", "streak.unora")]
    try:
        async with (
            asyncio.timeout(GENEROUS),
            grpc.aio.secure_channel(f"127.0.0.1:{wire.port}", credentials, options) as to,
        ):
            while wire.accepted < 3:
                await StreakServiceStub(to).GetDashboard(GetDashboardRequest(), metadata=member.metadata)
    finally:
        await wire.cut()


class Slow(Probe):
    """Answers CheckIn only after `leave` is set."""

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        super().__init__(runtime)
        Slow.entered, Slow.leave = asyncio.Event(), asyncio.Event()

    entered: asyncio.Event
    leave: asyncio.Event

    async def check_in(self, request: CheckInRequest, tx: Tx) -> CheckInResponse:
        answer = await super().check_in(request, tx)
        Slow.entered.set()
        await Slow.leave.wait()
        return answer


@pytest.mark.rule("XX-02")
async def test_a_call_in_flight_is_finished_while_the_process_ends(bare_world: BareWorld) -> None:
    streaks, member, request = (
        await bare_world.probe(Slow, shutdown_grace=GENEROUS),
        bare_world.caller(),
        check_in_request(),
    )
    app = bare_world.apps["streak"]
    call = asyncio.ensure_future(_check_in(streaks, request, member.metadata))
    await within(Slow.entered.wait())
    closing = asyncio.ensure_future(app.close())

    async def closed() -> bool:
        return (await refusal(_fresh(bare_world, request, member.metadata))).code == "UNAVAILABLE"

    await eventually(closed, "the port is closed")
    Slow.leave.set()
    answer = await call
    await closing
    assert answer.streak.streak_id == request.streak_id
    assert await bare_world.keys() == [request.streak_id]
    assert len(await bare_world.events(CheckedIn, request.streak_id)) == 1


async def _check_in(streaks: StreakServiceStub, request: CheckInRequest, metadata: Any) -> CheckInResponse:
    return await streaks.CheckIn(request, metadata=metadata)


async def _fresh(bare_world: BareWorld, request: CheckInRequest, metadata: Any) -> Any:
    """A call over a new connection."""
    async with bare_world.stub_of(bare_world.apps["streak"]) as stub:
        return await stub.CheckIn(request, metadata=metadata, timeout=0.5)


@pytest.mark.rule("XX-02")
async def test_a_call_that_does_not_end_within_the_grace_period_is_rolled_back(bare_world: BareWorld) -> None:
    streaks, member, request = (
        await bare_world.probe(Slow, shutdown_grace=0.05),
        bare_world.caller(),
        check_in_request(),
    )
    call = asyncio.ensure_future(refusal(streaks.CheckIn(request, metadata=member.metadata)))
    await within(Slow.entered.wait())
    await bare_world.apps["streak"].close()
    assert (await call).code in ("UNAVAILABLE", "CANCELLED")
    assert await bare_world.keys() == []


async def test_a_servicer_that_lacks_a_method_does_not_start(bare_world: BareWorld) -> None:
    class Half:
        service = "unora.streak.v1.StreakService"

        def __init__(self, runtime: Runtime[Any, Any]) -> None:
            self.runtime = runtime

    with pytest.raises(ContractError, match=r"lacks /unora.streak.v1.StreakService/"):
        await bare_world.open(servicers=[Half])


async def test_a_servicer_that_takes_another_message_does_not_start(bare_world: BareWorld) -> None:
    class Wrong(Probe):
        async def GetDashboard(  # type: ignore[override]  # noqa: N802
            self, request: GetStreakRequest, call: Call
        ) -> GetDashboardResponse:
            return GetDashboardResponse()

    with pytest.raises(ContractError, match="must take `request: GetDashboardRequest`"):
        await bare_world.open(servicers=[Wrong])


async def test_calls_are_counted_by_method_and_code_and_nothing_else(bare_world: BareWorld) -> None:
    streaks, member = await bare_world.probe(), bare_world.caller()
    request = check_in_request()
    await streaks.CheckIn(request, metadata=member.metadata)
    await refusal(streaks.CheckIn(check_in_request(request.streak_id), metadata=member.metadata))
    await refusal(streaks.CheckIn(request))
    metrics = generate_latest(bare_world.apps["streak"].metrics.registry).decode()
    for code in ("OK", "ALREADY_EXISTS", "UNAUTHENTICATED"):
        assert f'unora_rpc_duration_seconds_count{{access="user",code="{code}",method="CheckIn"}} 1.0' in metrics
    assert 'unora_rpc_refusals_total{method="CheckIn",reason="TOKEN_MISSING"} 1.0' in metrics
    assert member.id not in metrics
    assert request.streak_id not in metrics


async def test_a_call_is_logged_with_its_caller_and_result_and_not_with_its_content(bare_world: BareWorld) -> None:
    streaks, member, request = await bare_world.probe(), bare_world.caller(), check_in_request()
    parent = f"00-{'a' * 32}-{'b' * 16}-01"
    await streaks.CheckIn(request, metadata=(*member.metadata, ("traceparent", parent)))
    (line,) = [line for line in bare_world.logged() if line["event"] == "call"]
    assert line["method"] == "/unora.streak.v1.StreakService/CheckIn"
    assert (line["caller"], line["user_id"], line["code"], line["trace"]) == ("gateway", member.id, "OK", parent)
    assert request.streak_id not in bare_world.log.getvalue()
    assert member.token not in bare_world.log.getvalue()
    (row,) = await bare_world.superuser.fetch("SELECT trace FROM streak.outbox")
    assert row["trace"] == parent


async def test_a_job_that_fails_runs_again(bare_world: BareWorld) -> None:
    class Jobs:
        runs: asyncio.Queue[int] = asyncio.Queue()

        def __init__(self, runtime: Runtime[Any, Any]) -> None:
            self.runtime = runtime

        @every(seconds=0.01)
        async def sweep(self) -> int:
            Jobs.runs.put_nowait(1)
            raise RuntimeError(str(uuid7()))

    app = await bare_world.open(jobs=[Jobs])
    running = asyncio.ensure_future(app.jobs[0].run())
    for _ in range(3):
        await within(Jobs.runs.get())
    running.cancel()
    failed = [line for line in bare_world.logged() if line["event"] == "job failed"]
    assert {(line["job"], line["error"]) for line in failed} == {("sweep", "RuntimeError")}


async def test_a_worker_reports_its_health_and_serves_no_call(bare_world: BareWorld) -> None:
    worker = await bare_world.open("streak", servicers=[Probe])
    assert worker.server is not None
    await worker.server.stop()
    await worker.serve(calls=False)
    async with bare_world.stub_of(worker) as stub:
        refused = await refusal(stub.GetDashboard(GetDashboardRequest(), metadata=bare_world.caller().metadata))
    assert refused.code == "UNIMPLEMENTED"
