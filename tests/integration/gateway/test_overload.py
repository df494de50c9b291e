"""What a caller makes the gateway hold in memory has an end: a process over its limit would be killed."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final

import grpc
import httpx
import pytest
import yaml
from unora_common.budgets import RETRY_AFTER
from unora_common.grpc_errors import read_details, reason_of
from unora_gateway.policy import Policy
from unora_local.tls import Certificate
from unora_testing.deadlines import eventually
from unora_testing.gateway import Door, gateway_of

from tests.integration.gateway import frames
from tests.integration.gateway.http2 import ACCOUNT, connect
from tests.integration.gateway.recorder import Recorder
from tests.rules import ROOT

PRESSURE: Final = "envoy_overload_envoy_resource_monitors"
MEBIBYTE: Final = 1 << 20
SMALL: Final = 96 * MEBIBYTE
"""Memory of which a gateway at rest has some 30 MiB."""


async def figure(door: Door, name: str) -> float:
    """A metric of the gateway."""
    async with httpx.AsyncClient(base_url=door.gateway.watch_url) as inside:
        text = (await inside.get("/metrics")).text
    found = re.search(rf"^{name}\{{[^}}]*\}} (\d+)$", text, re.MULTILINE)
    assert found, f"the gateway has no metric {name}"
    return float(found[1])


@asynccontextmanager
async def unfinished(door: Door, calls: int, size: int) -> AsyncIterator[None]:
    """Calls at once of one client, with a message of `size` bytes each that does not end."""
    async with door.channel() as channel:

        async def begin() -> Any:
            call: Any = channel.stream_unary(ACCOUNT)()
            with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):  # it is given up already
                await call.write(b"x" * size)
            return call

        made = [await begin() for _ in range(calls)]
        yield
        for call in made:
            call.cancel()


async def answered(door: Door) -> bool:
    """Whether a call of another client is answered, not refused because memory is nearly full for a moment."""
    try:
        async with door.channel() as other:
            await frames.native(other, ACCOUNT)
    except grpc.aio.AioRpcError as error:
        if reason_of(error) != "SERVICE_BUSY":
            raise
        return False
    return True


async def test_calls_that_hold_the_most_are_given_up_before_memory_is_full(
    services: Recorder, certificates: Mapping[str, Certificate]
) -> None:
    async with AsyncExitStack() as stack:
        door = await stack.enter_async_context(
            gateway_of(services.addresses, certificates, memory_bytes=str(SMALL), request_seconds="600")
        )
        highest = 0.0
        for _ in range(4):
            await stack.enter_async_context(unfinished(door, 90, 1_000_000))
            highest = max(highest, await figure(door, "envoy_server_memory_allocated"))
            await eventually(lambda: answered(door), "another client's call is answered")

        async def given_up() -> bool:
            return await figure(door, "envoy_envoy_overload_actions_reset_high_memory_stream_count") > 0

        await eventually(given_up, "calls are given up")
        assert highest < 1.5 * SMALL, "360 messages of a megabyte are not held"


async def test_without_memory_calls_are_refused_in_the_one_shape_and_probes_go_on(
    services: Recorder, certificates: Mapping[str, Certificate]
) -> None:
    async with gateway_of(services.addresses, certificates, memory_bytes="1") as door:
        async with door.web() as web:

            async def refused() -> httpx.Response | None:
                answer = await web.get("/v1/account")
                return answer if answer.status_code == 429 else None

            answer = await eventually(refused, "the gateway has measured its memory")
            assert answer is not None
            assert (answer.json()["reason"], answer.json()["violations"]) == ("SERVICE_BUSY", [])
            assert answer.json()["metadata"] == {"retry_after": f"{RETRY_AFTER:g}"}
            assert answer.headers["retry-after"] == f"{RETRY_AFTER:g}"
            services.seen.clear()
            assert not [name for name in answer.headers if name.startswith(("x-unora", "grpc-"))]
        async with door.channel() as channel:
            with pytest.raises(grpc.aio.AioRpcError) as busy:
                await frames.native(channel, ACCOUNT)
        assert busy.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert read_details(busy.value).info.reason == "SERVICE_BUSY"
        async with httpx.AsyncClient(base_url=door.gateway.watch_url) as inside:
            assert (await inside.get("/healthz")).status_code == 200, "a gateway that is busy is not to be killed"
    assert not services.seen


async def test_without_room_for_connections_probes_go_on(
    services: Recorder, certificates: Mapping[str, Certificate]
) -> None:
    async with (
        gateway_of(services.addresses, certificates, client_connections="3") as door,
        AsyncExitStack() as stack,
    ):
        for _ in range(3):
            await stack.enter_async_context(connect(door))

        async def refused() -> bool:
            try:
                async with connect(door) as connection:
                    await connection.ended()
            except (OSError, ssl.SSLError):
                return True
            return False

        await eventually(refused, "a further connection is refused")
        async with httpx.AsyncClient(base_url=door.gateway.watch_url) as inside:
            assert (await inside.get("/healthz")).status_code == 200
        assert await figure(door, f"{PRESSURE}_global_downstream_max_connections_pressure") == 100


async def test_connections_without_a_call_end_sooner_the_less_memory_is_left(
    services: Recorder, certificates: Mapping[str, Certificate]
) -> None:
    async with (
        gateway_of(services.addresses, certificates, memory_bytes="1", idle_seconds="86400") as door,
        AsyncExitStack() as stack,
    ):
        silent = [await stack.enter_async_context(connect(door)) for _ in range(20)]
        await asyncio.gather(*(each.ended() for each in silent))


def test_the_memory_of_the_gateway_is_below_what_a_pod_may_use() -> None:
    (deployment,) = (
        each
        for each in yaml.safe_load_all((ROOT.parent / "deploy/k8s/base/gateway/processes.yaml").read_text())
        if each["kind"] == "Deployment"
    )
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    limit = int(container["resources"]["limits"]["memory"].removesuffix("Mi")) * MEBIBYTE
    assert Policy().memory_bytes <= 0.75 * limit
