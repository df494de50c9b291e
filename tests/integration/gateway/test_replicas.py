"""One context with two replicas: one that fails gets no calls for a while, although it says that it is ready."""

from __future__ import annotations

from collections.abc import Mapping

import grpc
import pytest
from unora_local.tls import Certificate
from unora_testing.deadlines import eventually
from unora_testing.gateway import Door, gateway_of

from tests.integration.gateway.recorder import Recorder, recorder
from tests.support import plain_http

FAILURES = 1000


async def count(door: Door, name: str) -> int:
    """A number of Envoy's about identity's replicas."""
    async with plain_http(f"http://127.0.0.1:{door.gateway.admin_port}") as client:
        lines = (await client.get("/stats", params={"filter": f"^cluster.identity.{name}$"})).text.split()
    return int(lines[-1])


async def test_a_replica_that_fails_is_left_alone_although_it_says_that_it_is_ready(
    services: Recorder, certificates: Mapping[str, Certificate]
) -> None:
    policy = {"health_seconds": "0.1", "leave_seconds": "120"}
    async with recorder(certificates) as failing:
        both = f"ipv4:{services.addresses['identity']},{failing.addresses['identity']}"
        failing.refusals = [grpc.StatusCode.UNAVAILABLE] * FAILURES
        behind = services.addresses | {"identity": both}
        async with gateway_of(behind, certificates, **policy) as door, door.web() as web:

            async def left() -> bool:
                await web.post("/v1/account:pause", json={})
                return await count(door, "outlier_detection.ejections_active") == 1

            await eventually(left, "the replica that fails is left alone")
            asked = await count(door, "health_check.success")

            async def asked_again() -> bool:
                return await count(door, "health_check.success") > asked + 10

            await eventually(asked_again, "both replicas said that they are ready")
            assert await count(door, "outlier_detection.ejections_active") == 1
            failing.seen.clear()
            answers = [await web.post("/v1/account:pause", json={}) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}
    assert failing.seen == []


@pytest.mark.parametrize(
    ("given", "seconds"), [("", 10), ("200m", 0.2), ("5S", 5), ("1H", 60), ("99999999H", 60), ("soon", 10)]
)
async def test_a_service_has_more_time_than_the_gateway_waits(
    door: Door, services: Recorder, given: str, seconds: float
) -> None:
    """Else its own DEADLINE_EXCEEDED would count as a failure, and a caller could have replicas left out."""
    headers = {"content-type": "application/grpc", "x-unora-deadline": "1m"}
    if given:
        headers["grpc-timeout"] = given
    async with door.web(**headers) as web:

        async def has_more_time() -> bool:  # a call may need long to arrive
            await web.post("/unora.identity.v1.AccountService/PauseAccount", content=b"\0\0\0\0\0")
            assert (services.last().seconds_left or 0) <= seconds + 1
            return (services.last().seconds_left or 0) > seconds

        await eventually(has_more_time, f"the service has more than {seconds} s")
    assert "x-unora-deadline" not in services.last().metadata
