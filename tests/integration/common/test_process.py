"""A process from its start to its end: health, reflection, metrics, deadlines, and an end in which nothing is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import msgspec
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
from unora_common.call import Call, seconds_left
from unora_common.clients import Clients
from unora_common.database import Tx
from unora_common.errors import Unavailable
from unora_common.handlers import every
from unora_common.health import READINESS
from unora_common.ids import uuid7
from unora_common.runtime import Runtime
from unora_common.server import ContractError

from tests.integration.common.house import House, Probe, check_in_request
from tests.integration.common.proxy import Wire
from tests.support import refusal

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def health(house: House, name: str) -> int:
    stub = house.stub(health_pb2_grpc.HealthStub, "streak", caller="stranger")
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
    return int(answer.status)


async def test_a_process_lives_before_it_is_ready_and_tells_both_apart(house: House) -> None:
    await house.probe()
    app = house.apps["streak"]
    assert (await health(house, ""), await health(house, READINESS)) == (SERVING, NOT_SERVING)
    told: asyncio.Queue[bool] = asyncio.Queue()
    assert app.server is not None
    tell = app.server.set_ready

    async def set_ready(ready: bool) -> None:
        await tell(ready)
        told.put_nowait(ready)

    app.server.set_ready = set_ready  # type: ignore[method-assign]
    app.watch()
    assert await asyncio.wait_for(told.get(), 5)
    assert (await health(house, ""), await health(house, READINESS)) == (SERVING, SERVING)


async def test_it_is_not_ready_without_the_keys_of_identity(house: House) -> None:
    await house.probe()
    app = house.apps["streak"]
    app.verifier._keys = None

    async def away() -> Any:
        raise Unavailable

    app.verifier._fetch = away
    assert await app.readiness.missing() == ["keys of identity (Unavailable DEPENDENCY_UNAVAILABLE UNAVAILABLE)"]


async def test_reflection_tells_the_contract_where_it_is_switched_on(house: House) -> None:
    await house.probe()
    stub = house.stub(reflection_pb2_grpc.ServerReflectionStub, "streak")

    async def ask(**question: str) -> Any:
        call = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(**question)]))
        return [answer async for answer in call]

    (answer,) = await ask(list_services="")
    names = {service.name for service in answer.list_services_response.service}
    assert {"unora.streak.v1.StreakService", "grpc.health.v1.Health"} <= names
    (answer,) = await ask(file_containing_symbol="unora.streak.v1.StreakService")
    files = answer.file_descriptor_response.file_descriptor_proto
    assert "unora/streak/v1/streak_service.proto" in {FileDescriptorProto.FromString(file).name for file in files}


async def test_reflection_is_off_by_default(house: House) -> None:
    await house.probe(reflection=False)
    stub = house.stub(reflection_pb2_grpc.ServerReflectionStub, "streak")
    call = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        [answer async for answer in call]
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_a_client_connects_anew_now_and_then_so_that_it_finds_new_replicas_and_no_call_fails(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a client that connects anew looks up which addresses there are."""
    monkeypatch.setattr(server, "CONNECTION_AGE", 0.3)
    await house.probe()
    member = house.caller()
    wire = Wire(int(house.address(house.apps["streak"]).rpartition(":")[2]))
    await wire.join()
    ca, certificate, key = house.certificates["gateway"].read()
    credentials = grpc.ssl_channel_credentials(ca, key, certificate)
    options = [("grpc.ssl_target_name_override", "streak.unora")]
    try:
        async with asyncio.timeout(20), grpc.aio.secure_channel(f"127.0.0.1:{wire.port}", credentials, options) as to:
            while wire.accepted < 3:
                await StreakServiceStub(to).GetDashboard(GetDashboardRequest(), metadata=member.metadata)
    finally:
        await wire.cut()


class Slow(Probe):
    """Checks in when it is let go."""

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
async def test_a_call_in_flight_is_finished_while_the_process_ends(house: House) -> None:
    streaks, member, request = await house.probe(Slow, shutdown_grace=20.0), house.caller(), check_in_request()
    app = house.apps["streak"]
    call = asyncio.ensure_future(_check_in(streaks, request, member.metadata))
    await Slow.entered.wait()
    closing = asyncio.ensure_future(app.close())
    while (await refusal(_fresh(house, request, member.metadata))).code != "UNAVAILABLE":
        pass  # the port is closed a moment after
    Slow.leave.set()
    answer = await call
    await closing
    assert answer.streak.streak_id == request.streak_id
    assert await house.keys() == [request.streak_id]
    assert len(await house.events(CheckedIn, request.streak_id)) == 1


async def _check_in(streaks: StreakServiceStub, request: CheckInRequest, metadata: Any) -> CheckInResponse:
    return await streaks.CheckIn(request, metadata=metadata)


async def _fresh(house: House, request: CheckInRequest, metadata: Any) -> Any:
    """A call on a connection of its own."""
    async with house.stub_of(house.apps["streak"]) as stub:
        return await stub.CheckIn(request, metadata=metadata, timeout=0.5)


@pytest.mark.rule("XX-02")
async def test_what_does_not_end_within_its_grace_is_undone(house: House) -> None:
    streaks, member, request = await house.probe(Slow, shutdown_grace=0.05), house.caller(), check_in_request()
    call = asyncio.ensure_future(refusal(streaks.CheckIn(request, metadata=member.metadata)))
    await Slow.entered.wait()
    await house.apps["streak"].close()
    assert (await call).code in ("UNAVAILABLE", "CANCELLED")
    assert await house.keys() == []


async def test_a_servicer_that_lacks_a_method_does_not_start(house: House) -> None:
    class Half:
        service = "unora.streak.v1.StreakService"

        def __init__(self, runtime: Runtime[Any, Any]) -> None:
            self.runtime = runtime

    with pytest.raises(ContractError, match=r"lacks /unora.streak.v1.StreakService/"):
        await house.open(servicers=[Half])


async def test_a_servicer_that_takes_another_message_does_not_start(house: House) -> None:
    class Wrong(Probe):
        async def GetDashboard(  # type: ignore[override]  # noqa: N802
            self, request: GetStreakRequest, call: Call
        ) -> GetDashboardResponse:
            return GetDashboardResponse()

    with pytest.raises(ContractError, match="must take `request: GetDashboardRequest`"):
        await house.open(servicers=[Wrong])


async def test_calls_are_counted_by_method_and_code_and_nothing_else(house: House) -> None:
    streaks, member = await house.probe(), house.caller()
    request = check_in_request()
    await streaks.CheckIn(request, metadata=member.metadata)
    await refusal(streaks.CheckIn(check_in_request(request.streak_id), metadata=member.metadata))
    await refusal(streaks.CheckIn(request))
    metrics = generate_latest(house.apps["streak"].metrics.registry).decode()
    for code in ("OK", "ALREADY_EXISTS", "UNAUTHENTICATED"):
        assert f'unora_rpc_seconds_count{{code="{code}",method="CheckIn"}} 1.0' in metrics
    assert member.id not in metrics
    assert request.streak_id not in metrics


async def test_a_call_is_logged_with_who_and_how_and_not_with_what(house: House) -> None:
    streaks, member, request = await house.probe(), house.caller(), check_in_request()
    parent = f"00-{'a' * 32}-{'b' * 16}-01"
    await streaks.CheckIn(request, metadata=(*member.metadata, ("traceparent", parent)))
    (line,) = [line for line in house.logged() if line["event"] == "call"]
    assert line["method"] == "/unora.streak.v1.StreakService/CheckIn"
    assert (line["caller"], line["user_id"], line["code"], line["trace"]) == ("gateway", member.id, "OK", parent)
    assert request.streak_id not in house.log.getvalue()
    assert member.token not in house.log.getvalue()
    (row,) = await house.superuser.fetch("SELECT trace FROM streak.outbox")
    assert row["trace"] == parent


class Deadlines(Probe):
    left: float

    async def look(self, call: Call) -> None:
        Deadlines.left = seconds_left(99.0)


@pytest.mark.parametrize(("given", "most"), [(3.0, 3.0), (None, 7.0), (100.0, 9.0)])
async def test_the_work_of_a_call_has_the_callers_deadline_or_our_own(
    house: House, given: float | None, most: float
) -> None:
    streaks = await house.probe(Deadlines, default_deadline=7.0, longest_deadline=9.0)
    await streaks.GetDashboard(GetDashboardRequest(), metadata=house.caller().metadata, timeout=given)
    assert most - 2.0 < Deadlines.left <= most


async def test_work_that_lasts_longer_than_we_give_it_is_ended(house: House) -> None:
    streaks = await house.probe(Slow, default_deadline=0.1)
    refused = await refusal(streaks.CheckIn(check_in_request(), metadata=house.caller().metadata))
    assert (refused.code, refused.reason) == ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED")
    assert await house.keys() == []


class Flaky(Probe):
    """Is away for its first two calls of each method."""

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        super().__init__(runtime)
        Flaky.calls = []

    calls: list[str]

    def _answer(self, name: str) -> None:
        Flaky.calls.append(name)
        if Flaky.calls.count(name) <= 2:
            raise Unavailable

    async def look(self, call: Call) -> None:
        self._answer("GetDashboard")

    async def check_in(self, request: CheckInRequest, tx: Tx) -> CheckInResponse:
        self._answer("CheckIn")
        return await super().check_in(request, tx)


def clients_of(house: House) -> Clients:
    """What another context calls streak with."""
    app, gateway = house.apps["streak"], house.certificates["gateway"]
    config = msgspec.structs.replace(
        app.config,
        tls_ca=gateway.ca,
        tls_cert=gateway.cert,
        tls_key=gateway.key,
        peers={"streak": house.address(app)},
    )
    return Clients(config)


async def test_clients_call_only_who_is_ready_and_come_as_soon_as_they_are(house: House) -> None:
    await house.probe()
    server = house.apps["streak"].server
    assert server is not None
    clients, member, request = clients_of(house), house.caller(), check_in_request()
    stub = clients.stub(StreakServiceStub, "unora.streak.v1.StreakService")
    assert (await refusal(stub.CheckIn(request, metadata=member.metadata))).code == "UNAVAILABLE"
    assert await house.keys() == []
    await server.set_ready(True)
    await stub.CheckIn(request, metadata=member.metadata, wait_for_ready=True, timeout=5)
    assert await house.keys() == [request.streak_id]
    began = asyncio.get_running_loop().time()
    await house.apps["streak"].close()
    assert asyncio.get_running_loop().time() - began < house.apps.pop("streak").config.shutdown_grace, "clients let go"
    await clients.close()


async def test_clients_try_reads_again_and_nothing_else(house: House) -> None:
    await house.probe(Flaky)
    app = house.apps["streak"]
    assert app.server is not None
    await app.server.set_ready(True)
    clients, member = clients_of(house), house.caller()
    stub = clients.stub(StreakServiceStub, "unora.streak.v1.StreakService")
    await stub.GetDashboard(GetDashboardRequest(), metadata=member.metadata)
    assert Flaky.calls == ["GetDashboard"] * 3
    refused = await refusal(stub.CheckIn(check_in_request(), metadata=member.metadata))
    assert refused.code == "UNAVAILABLE"
    assert Flaky.calls.count("CheckIn") == 1
    await clients.close()


async def test_a_job_that_fails_runs_again(house: House) -> None:
    class Jobs:
        runs: asyncio.Queue[int] = asyncio.Queue()

        def __init__(self, runtime: Runtime[Any, Any]) -> None:
            self.runtime = runtime

        @every(seconds=0.01)
        async def sweep(self) -> int:
            Jobs.runs.put_nowait(1)
            raise RuntimeError(str(uuid7()))

    app = await house.open(jobs=[Jobs])
    running = asyncio.ensure_future(app.jobs[0].run())
    for _ in range(3):
        await asyncio.wait_for(Jobs.runs.get(), 5)
    running.cancel()
    failed = [line for line in house.logged() if line["event"] == "job failed"]
    assert {(line["job"], line["error"]) for line in failed} == {("sweep", "RuntimeError")}


async def test_a_worker_tells_its_health_and_serves_no_call(house: House) -> None:
    worker = await house.open("streak", servicers=[Probe])
    assert worker.server is not None
    await worker.server.stop()
    await worker.serve(calls=False)
    async with house.stub_of(worker) as stub:
        refused = await refusal(stub.GetDashboard(GetDashboardRequest(), metadata=house.caller().metadata))
    assert refused.code == "UNIMPLEMENTED"
