"""A real process that records traces: what it prints, and what it sends before it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.identity.v1.account_service_pb2_grpc import AccountServiceStub
from unora_local import ports
from unora_testing.collector import collector

from tests.integration.common.bare_world import BareWorld
from tests.integration.common.processes import ServiceProcess
from tests.replicas import stub_at
from tests.support import refusal

Make = Callable[..., ServiceProcess]
NEVER = "600000"


@pytest.fixture
async def make(bare_world: BareWorld, tmp_path: Path) -> AsyncIterator[Make]:
    """Makes processes of identity, which needs no other service; they are stopped after the test."""
    made: list[ServiceProcess] = []

    def make(endpoint: str, milliseconds: str) -> ServiceProcess:
        process = ServiceProcess(
            bare_world, "identity", tmp_path, SHUTDOWN_DELAY="0", TRACES_ENDPOINT=endpoint, TRACES_RATIO="1"
        )
        process.env = {**process.env, "OTEL_BSP_SCHEDULE_DELAY": milliseconds, "OTEL_EXPORTER_OTLP_TIMEOUT": "0.5"}
        made.append(process)
        return process

    yield make
    for process in made:
        await process.end()


async def call(bare_world: BareWorld, process: ServiceProcess) -> None:
    """A call that is refused, and recorded."""
    async with stub_at(bare_world, "identity", process.address, AccountServiceStub) as accounts:
        assert (await refusal(accounts.GetAccount(GetAccountRequest()))).reason == "TOKEN_MISSING"


async def test_a_collector_that_is_away_is_one_line_of_the_log_and_does_not_hold_up_the_end(
    bare_world: BareWorld, make: Make
) -> None:
    process = make(f"http://127.0.0.1:{ports.free(1)[0]}", "50")
    await process.start()
    await process.until("SERVING")
    await call(bare_world, process)
    await process.until_logged("traces not sent")
    await call(bare_world, process)
    assert await process.stop() == 0
    lines = [msgspec.json.decode(line) for line in process.process.log.read_text().splitlines()]
    assert [line["error"] for line in lines if line["event"] == "traces not sent"] == ["NotExportedError"]
    assert "library message" not in {line["event"] for line in lines}


async def test_a_process_that_ends_sends_what_it_has_not_sent_yet(bare_world: BareWorld, make: Make) -> None:
    async with collector() as traces:
        process = make(traces.endpoint, NEVER)
        await process.start()
        await process.until("SERVING")
        await call(bare_world, process)
        assert not traces.spans
        assert await process.stop() == 0
        spans = await traces.wait_for("identity unora.identity.v1.AccountService/GetAccount")
    assert {each["service.version"] for each in traces.resources} == {"0.1.0"}
    assert [span for span in spans if span.attributes.get("unora.reason") == "TOKEN_MISSING"]
