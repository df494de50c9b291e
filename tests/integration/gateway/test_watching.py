"""Pages of other origins, probes, metrics, and what the log says of a call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
from unora_local.tls import FRONT, Certificate
from unora_testing.deadlines import eventually
from unora_testing.gateway import Door, gateway_of
from unora_testing.mounted import Authority, Mounted

from tests.integration.gateway import frames
from tests.integration.gateway.recorder import Recorder
from tests.support import plain_http

ACCOUNT = "/unora.identity.v1.AccountService/GetAccount"
STREAK = "4a3b2c1d-0000-4000-8000-000000000001"
PAGE = "https://app.example.com"


def preflight(origin: str, verb: str = "POST") -> dict[str, str]:
    return {
        "origin": origin,
        "access-control-request-method": verb,
        "access-control-request-headers": "authorization,content-type",
    }


async def test_pages_of_configured_origins_may_call_and_no_others(
    services: Recorder, certificates: Mapping[str, Certificate]
) -> None:
    origins = f"{PAGE},http://*.dev.test"
    async with gateway_of(services.addresses, certificates, origins=origins) as door, door.web() as web:
        for path in ("/v1/account", ACCOUNT):
            for origin in (PAGE, "http://a.dev.test"):
                answer = await web.options(path, headers=preflight(origin))
                assert answer.status_code == 200
                assert answer.headers["access-control-allow-origin"] == origin
                assert "authorization" in answer.headers["access-control-allow-headers"]
            for origin in ("https://app.example.com.evil.test", "https://evil.test", "http://a/x.dev.test"):
                answer = await web.options(path, headers=preflight(origin))
                assert "access-control-allow-origin" not in answer.headers
        answer = await web.get("/v1/account", headers={"origin": PAGE})
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert "grpc-status-details-bin" in answer.headers["access-control-expose-headers"]
        refused = await web.get("/v1/nothing", headers={"origin": PAGE})
        assert refused.status_code == 404
        assert refused.headers["access-control-allow-origin"] == PAGE, "a page can read refusals too"


async def test_probes_answer_on_both_sides_and_metrics_only_inside(door: Door) -> None:
    async with door.web() as web, plain_http(door.gateway.watch_url) as inside:
        assert (await web.get("/healthz")).status_code == 200
        for path in ("/healthz", "/readyz"):
            assert (await inside.get(path)).status_code == 200
        metrics = await inside.get("/metrics")
        assert "envoy_cluster_upstream_rq_total" in metrics.text
        for path in ("/metrics", "/readyz", "/stats", "/quitquitquit", "/config_dump"):
            assert (await web.get(path)).status_code == 404
        for path in ("/stats", "/quitquitquit", "/config_dump", "/unora.identity.v1.AccountService/GetAccount"):
            assert (await inside.post(path)).status_code == 404


async def number_of(door: Door, series: str) -> int | None:
    """A series of the gateway's metrics, if it is there."""
    async with plain_http(door.gateway.watch_url) as inside:
        lines = (await inside.get("/metrics")).text.splitlines()
    return next((int(line.removeprefix(series)) for line in lines if line.startswith(f"{series} ")), None)


async def test_metrics_tell_of_the_certificate_that_apps_see(
    services: Recorder, certificates: Mapping[str, Certificate], tmp_path: Path
) -> None:
    """How long it is valid, if it is the first to end, and that a new one cannot be used."""
    authority = Authority(tmp_path / "ca")
    front = Mounted(tmp_path / "front", [authority], authority.issue(FRONT, timedelta(days=10, hours=1)))
    async with gateway_of(services.addresses, {**certificates, FRONT: front.files}) as door:
        assert await number_of(door, "envoy_server_days_until_first_cert_expiring{}") == 10
        one, other = authority.issue(FRONT), authority.issue(FRONT)
        front.put_bytes(authority.pem, one.cert, other.key)
        failed = 'envoy_sds_key_rotation_failed{envoy_xds_resource_name="front_certificate"}'

        async def is_refused() -> bool:
            return bool(await number_of(door, failed))

        await eventually(is_refused, "the gateway has refused the pair")


async def test_what_reaches_no_replica_counts_as_an_error_of_its_service_in_each_protocol(
    services: Recorder, certificates: Mapping[str, Certificate]
) -> None:
    """The rules count it, since the service cannot; what the service refuses itself is no such error."""
    path = "/unora.streak.v1.StreakService/CheckIn"

    async def counted(door: Door, code: str) -> int:
        series = f'envoy_cluster_upstream_rq{{envoy_response_code="{code}",envoy_cluster_name="streak"}}'
        return await number_of(door, series) or 0

    async def call_in_each_protocol(door: Door) -> None:
        async with door.web() as web, door.channel() as channel:
            await web.post(f"/v1/streaks/{STREAK}:checkIn", json={"request_id": STREAK})
            await frames.call(web, path)
            with suppress(grpc.aio.AioRpcError):
                await frames.native(channel, path)

    async with gateway_of(services.addresses, certificates, health_seconds="0.1", failures_to_leave="1000") as door:
        services.refusals = [grpc.StatusCode.INTERNAL] * 3
        await call_in_each_protocol(door)
        assert (await counted(door, "200"), await counted(door, "503")) == (3, 0)
        await services.set_ready("streak", False)
        try:

            async def refuses() -> bool:
                async with door.web() as web:
                    return (await frames.call(web, path)).reason == "DEPENDENCY_UNAVAILABLE"

            await eventually(refuses, "the gateway knows that no replica is ready")
            before = await counted(door, "503")
            await call_in_each_protocol(door)
            assert await counted(door, "503") == before + 3
        finally:
            await services.set_ready("streak", True)


async def test_the_log_says_what_happened_and_nothing_of_the_member(door: Door) -> None:
    secret = "eyJhbGciOiJFUzI1NiJ9.c2VjcmV0.c2ln"
    trace = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01"
    headers = {"authorization": f"Bearer {secret}", "user-agent": "Hidden/1", "traceparent": trace}
    async with door.web(**headers) as web:
        await web.get("/v1/sessions?page_size=7&page_token=privacy")
        await web.get("/v1/hidden-path?q=hidden-query")
        await web.post("/v1/phone-verifications", json={"phone_number": "+14155550199", "hidden": 1})
        await frames.call(web, ACCOUNT)

    def lines() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in door.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in found if line.get("client_trace") == trace]

    await eventually(lambda: len(lines()) == 4, "all four calls are logged")
    assert len({line["trace"] for line in lines()}) == 4, "each has a trace of its own"
    said = {(line["method"], line["status"], line.get("reason")) for line in lines()}
    assert said == {
        ("unora.identity.v1.AccountService/ListSessions", 200, None),
        ("rest", 404, "PATH_UNKNOWN"),
        ("rest", 400, "FIELD_UNKNOWN"),
        ("unora.identity.v1.AccountService/GetAccount", 200, None),
    }
    text = door.log.read_text()
    for private in (secret, "c2VjcmV0", "Hidden/1", "privacy", "hidden", "+14155550199", "4155550199"):
        assert private not in text
    assert "127.0.0.1" not in "".join(json.dumps(line) for line in lines())


async def test_answers_are_kept_by_nobody(door: Door) -> None:
    async with door.web() as web:
        for path in ("/v1/account", "/v1/nothing"):
            answer = await web.get(path)
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert not [name for name in answer.headers if name.startswith(("x-envoy", "x-unora", "grpc-"))]
