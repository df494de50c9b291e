"""The port for probes: no TLS, nothing but health, in every role of a process."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from unora.streak.v1.streak_service_pb2 import GetDashboardRequest
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_common.app import App
from unora_common.health import READINESS
from unora_testing.deadlines import GENEROUS, within

from tests.integration.common.bare_world import BareWorld, Probe

ANYWHERE = "127.0.0.1:0"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def address(app: App[Any, Any]) -> str:
    assert app.server is not None
    assert app.server.probes is not None
    return app.server.probes.address


@asynccontextmanager
async def plain(app: App[Any, Any]) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(address(app)) as channel:
        yield channel


async def check(channel: grpc.aio.Channel, name: str) -> int:
    request = health_pb2.HealthCheckRequest(service=name)
    answer = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=GENEROUS)
    return int(answer.status)


async def ask(at: str, *words: str) -> tuple[int, str]:
    """Exit status and output of the command, in a process of its own as a container runtime starts it."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "unora_common.health", "--within", str(GENEROUS), *words],
        env={**os.environ, "UNORA_HEALTH_LISTEN": at},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).strip()


@pytest.mark.parametrize("servicers", [[Probe], []], ids=["api", "worker"])
async def test_probes_read_liveness_and_readiness_without_a_certificate(
    bare_world: BareWorld, servicers: list[type[Probe]]
) -> None:
    app = await bare_world.open(servicers=servicers, changes={"health_listen": ANYWHERE})
    assert app.server is not None
    async with plain(app) as channel:
        assert (await check(channel, ""), await check(channel, READINESS)) == (SERVING, NOT_SERVING)
        await app.server.set_ready(True)
        assert (await check(channel, ""), await check(channel, READINESS)) == (SERVING, SERVING)


async def test_the_port_for_probes_serves_nothing_else(bare_world: BareWorld) -> None:
    app = await bare_world.open(servicers=[Probe], changes={"health_listen": ANYWHERE})
    async with plain(app) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await StreakServiceStub(channel).GetDashboard(GetDashboardRequest(), metadata=bare_world.caller().metadata)
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_there_is_no_port_for_probes_unless_it_is_configured(bare_world: BareWorld) -> None:
    app = await bare_world.open(servicers=[Probe])
    assert app.server is not None
    assert app.server.probes is None


async def test_the_port_is_closed_with_the_process(bare_world: BareWorld) -> None:
    app = await bare_world.open("matching", changes={"health_listen": ANYWHERE})
    at = address(app)
    assert (await ask(at, "--live"))[0] == 0
    del bare_world.apps["matching"]
    await app.close()
    assert await ask(at, "--live") == (1, "UNAVAILABLE")


async def test_the_exit_status_of_the_probe_command_says_whether_the_process_is_ready(bare_world: BareWorld) -> None:
    app = await bare_world.open(changes={"health_listen": ANYWHERE})
    assert app.server is not None
    assert await ask(address(app)) == (1, "NOT_SERVING")
    assert await ask(address(app), "--live") == (0, "SERVING")
    await app.server.set_ready(True)
    assert await ask(address(app)) == (0, "SERVING")
    code, said = await ask("")
    assert (code, "UNORA_HEALTH_LISTEN is not set" in said) == (2, True)


async def test_a_client_that_watches_the_health_does_not_delay_the_end_of_the_process(bare_world: BareWorld) -> None:
    app = await bare_world.open("matching", servicers=[], changes={"shutdown_grace": 10 * GENEROUS})
    watch = bare_world.stub(health_pb2_grpc.HealthStub, "matching").Watch(
        health_pb2.HealthCheckRequest(service=READINESS)
    )
    assert (await watch.read()).status == NOT_SERVING
    del bare_world.apps["matching"]
    await within(app.close())
    assert await watch.code() == grpc.StatusCode.OK
