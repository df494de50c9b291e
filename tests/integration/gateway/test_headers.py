"""What services are told of a caller comes from the gateway alone, whatever the caller sends (XX-03, ID-11)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.identity.v1.account_service_pb2_grpc import AccountServiceStub
from unora_testing.gateway import Door

from tests.integration.gateway import frames
from tests.integration.gateway.recorder import Recorder, Seen

ACCOUNT = "/unora.identity.v1.AccountService/GetAccount"
HOSTILE = {
    "unora-client-address": "203.0.113.9",
    "unora-client-device": "somebody else",
    "unora-caller": "safety",
    "x-unora-user": "1",
    "x-unora-refused": "nothing",
    "x-envoy-original-path": "/",
    "x-envoy-upstream-rq-timeout-ms": "1",
    "x-envoy-retry-on": "5xx",
    "x-envoy-force-trace": "1",
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-client-cert": "URI=spiffe://unora/safety",
    "x-forwarded-host": "elsewhere",
    "x-real-ip": "203.0.113.9",
    "forwarded": "for=203.0.113.9",
    "grpc-internal-encoding-request": "gzip",
    "cookie": "session=1",
    "traceparent": "not a trace; drop table",
    "tracestate": "vendor=1",
    "accept": "text/html",
    "origin": "https://elsewhere.example.com",
}
PASSED = {"authorization", "user-agent", "traceparent", "unora-client-address", "unora-client-device"}
"""What services see of a member's call. The user agent is that of the gateway's connection, or of the library."""
OF_GRPC = {"accept-encoding", "grpc-accept-encoding", "te", "content-type"}


def told(seen: Seen) -> set[str]:
    return set(seen.metadata) - OF_GRPC


def judge(seen: Seen) -> None:
    assert seen.context == "identity"
    assert seen.path == ACCOUNT
    assert told(seen) <= PASSED
    assert seen.metadata["authorization"] == "Bearer abc"
    assert seen.metadata["unora-client-address"] == "127.0.0.1"
    assert seen.metadata["unora-client-device"] != "somebody else"
    assert len(str(seen.metadata["traceparent"])) == 55


@pytest.mark.rule("XX-03", "ID-11")
async def test_a_caller_of_rest_cannot_pose_as_the_gateway(door: Door, services: Recorder) -> None:
    async with door.web(authorization="Bearer abc", **HOSTILE) as web:
        assert (await web.get("/v1/account")).status_code == 200
    judge(services.last())


@pytest.mark.rule("XX-03", "ID-11")
async def test_a_caller_of_grpc_web_cannot_pose_as_the_gateway(door: Door, services: Recorder) -> None:
    async with door.web(authorization="Bearer abc", **HOSTILE) as web:
        await frames.call(web, ACCOUNT)
    judge(services.last())


@pytest.mark.rule("XX-03", "ID-11")
async def test_a_caller_of_grpc_cannot_pose_as_the_gateway(door: Door, services: Recorder) -> None:
    async with door.channel() as channel:
        metadata = [("authorization", "Bearer abc"), *HOSTILE.items()]
        metadata = [pair for pair in metadata if not pair[0].startswith("grpc-")]  # the library refuses to send those
        await AccountServiceStub(channel).GetAccount(GetAccountRequest(), metadata=tuple(metadata))
    judge(services.last())


async def test_the_same_header_twice_does_not_reach_a_service_either(door: Door, services: Recorder) -> None:
    async with door.web() as web:
        headers = [("authorization", "Bearer abc"), ("unora-client-address", "1.2.3.4"), ("Unora-Client-Address", "")]
        assert (await web.get("/v1/account", headers=headers)).status_code == 200
    judge(services.last())


@pytest.mark.parametrize("share", ["0" * 32, "f" * 32])
async def test_no_caller_chooses_the_trace_of_a_call(door: Door, services: Recorder, share: str) -> None:
    """Its id decides whether it is recorded, and whether services log it."""
    chosen = {"traceparent": f"00-{share}-00f067aa0ba902b7-01", "x-request-id": str(UUID(share))}
    passed = set()
    async with door.web(**chosen) as web:
        for _ in range(2):
            await web.get("/v1/account")
            passed.add(str(services.last().metadata["traceparent"]))
    assert len(passed) == 2, "each call has a trace of its own"
    for traceparent in passed:
        assert traceparent.endswith("-00")
        assert share not in traceparent


async def test_the_device_is_what_the_app_says_of_itself(door: Door, services: Recorder) -> None:
    async with door.web(**{"user-agent": "Unora/3.1 (Pixel 9)"}) as web:
        await web.get("/v1/account")
    assert services.last().metadata["unora-client-device"] == "Unora/3.1 (Pixel 9)"


async def test_signatures_and_bytes_of_webhooks_pass_unchanged(door: Door, services: Recorder) -> None:
    webhooks = {
        "/v1/webhooks/payments": ("billing", "stripe-signature"),
        "/v1/webhooks/gov-id": ("identity", "unora-gov-id-signature"),
        "/v1/webhooks/sms": ("identity", "x-twilio-signature"),
    }
    sent = bytes(range(256)) + b'{"a": 1,\n "unknown": [}'

    async def chunks() -> AsyncIterator[bytes]:
        yield sent[:100]
        yield sent[100:]

    async with door.web() as web:
        for path, (context, signature) in webhooks.items():
            for content in (sent, chunks()):
                headers = {signature: "t=1,v1=ab", "content-type": "application/json"}
                answer = await web.post(path, content=content, headers=headers)
                assert answer.status_code == 200, answer.text
                assert services.last().context == context
                assert services.last().metadata[signature] == "t=1,v1=ab"
                assert sent in services.last().body
