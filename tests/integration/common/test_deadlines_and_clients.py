"""Deadlines of calls, and what the clients of other contexts do with servers that are not ready or refuse."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from unora.streak.v1.streak_service_pb2 import (
    CheckInRequest,
    CheckInResponse,
    GetDashboardRequest,
)
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_common.call import Call, seconds_left
from unora_common.certificates import of_config
from unora_common.clients import Clients
from unora_common.database import Tx
from unora_common.errors import Unavailable
from unora_common.runtime import Runtime
from unora_testing.deadlines import GENEROUS, TIMEOUTS

from tests.integration.common.bare_world import BareWorld, Probe, check_in_request
from tests.integration.common.test_process import Slow
from tests.support import refusal


class Deadlines(Probe):
    left: float

    async def look(self, call: Call) -> None:
        Deadlines.left = seconds_left(9999.0)


@pytest.mark.parametrize(("given", "most"), [(300.0, 300.0), (None, 700.0), (1000.0, 900.0)])
async def test_a_call_has_its_own_deadline_or_the_default_within_the_longest(
    bare_world: BareWorld, given: float | None, most: float
) -> None:
    streaks = await bare_world.probe(Deadlines, default_deadline=700.0, longest_deadline=900.0)
    await streaks.GetDashboard(GetDashboardRequest(), metadata=bare_world.caller().metadata, timeout=given)
    assert most - GENEROUS < Deadlines.left <= most


async def test_work_that_lasts_longer_than_its_deadline_is_cancelled(bare_world: BareWorld) -> None:
    streaks = await bare_world.probe(Slow, default_deadline=0.1)
    refused = await refusal(streaks.CheckIn(check_in_request(), metadata=bare_world.caller().metadata))
    assert (refused.code, refused.reason) == ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED")
    assert await bare_world.keys() == []


class Flaky(Probe):
    """Refuses the first two calls of each method with Unavailable."""

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


def clients_of(bare_world: BareWorld) -> Clients:
    """The clients with which another context calls streak."""
    app, gateway = bare_world.apps["streak"], bare_world.certificates["gateway"]
    config = msgspec.structs.replace(
        app.config,
        tls_ca=gateway.ca,
        tls_cert=gateway.cert,
        tls_key=gateway.key,
        peers={"streak": bare_world.address(app)},
    )
    return Clients(config, TIMEOUTS, of_config(config))


async def test_clients_call_only_servers_that_are_ready(bare_world: BareWorld) -> None:
    await bare_world.probe(shutdown_grace=GENEROUS)
    server = bare_world.apps["streak"].server
    assert server is not None
    clients, member, request = clients_of(bare_world), bare_world.caller(), check_in_request()
    stub = clients.stub(StreakServiceStub, "unora.streak.v1.StreakService")
    assert (await refusal(stub.CheckIn(request, metadata=member.metadata))).code == "UNAVAILABLE"
    assert await bare_world.keys() == []
    await server.set_ready(True)
    await stub.CheckIn(request, metadata=member.metadata, wait_for_ready=True, timeout=GENEROUS)
    assert await bare_world.keys() == [request.streak_id]
    began = asyncio.get_running_loop().time()
    await bare_world.apps.pop("streak").close()
    assert asyncio.get_running_loop().time() - began < GENEROUS, "clients close their connections"
    await clients.close()


async def test_clients_retry_reads_and_nothing_else(bare_world: BareWorld) -> None:
    await bare_world.probe(Flaky)
    app = bare_world.apps["streak"]
    assert app.server is not None
    await app.server.set_ready(True)
    clients, member = clients_of(bare_world), bare_world.caller()
    stub = clients.stub(StreakServiceStub, "unora.streak.v1.StreakService")
    await stub.GetDashboard(GetDashboardRequest(), metadata=member.metadata)
    assert Flaky.calls == ["GetDashboard"] * 3
    refused = await refusal(stub.CheckIn(check_in_request(), metadata=member.metadata))
    assert refused.code == "UNAVAILABLE"
    assert Flaky.calls.count("CheckIn") == 1
    await clients.close()
