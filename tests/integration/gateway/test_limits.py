"""How many calls an address may make, how long a call may take, and what is sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import grpc
import pytest
from unora_common.budgets import TooManyCalls
from unora_common.grpc_errors import read_details
from unora_gateway.filters import ALIVE
from unora_local.tls import Certificate
from unora_testing.deadlines import eventually, within
from unora_testing.gateway import Door, gateway_of

from tests.integration.gateway import frames
from tests.integration.gateway.recorder import Recorder

ACCOUNT = "/unora.identity.v1.AccountService/GetAccount"
PAUSE = "/unora.identity.v1.AccountService/PauseAccount"


async def test_an_address_that_calls_too_often_is_told_when_to_try_again(
    services: Recorder, certificates: Mapping[str, Certificate]
) -> None:
    """All protocols draw from one bucket, and say it in their own way."""
    policy = {"address_calls_per_second": "1", "address_burst": "3"}
    async with gateway_of(services.addresses, certificates, **policy) as door, door.web() as web:

        async def refused() -> bool:
            return (await web.get("/v1/account")).status_code == 429

        await eventually(refused, "the bucket of the address is empty")
        answer = await web.get("/v1/account")
        while answer.status_code != 429:  # a second may have begun
            answer = await web.get("/v1/account")
        assert answer.json() == {
            "code": "RESOURCE_EXHAUSTED",
            "reason": "TOO_MANY_CALLS",
            "message": TooManyCalls.sentence,
            "metadata": {"retry_after": "1"},
            "violations": [],
        }
        assert answer.headers["retry-after"] == "1"

        async def refused_on_the_web() -> bool:
            found = await frames.call(web, ACCOUNT)
            if found.code == grpc.StatusCode.OK:
                return False
            assert (found.code, found.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS")
            return found.metadata == {"retry_after": "1"}

        await eventually(refused_on_the_web, "gRPC-Web is refused")
        async with door.channel() as channel:

            async def refused_natively() -> bool:
                try:
                    await frames.native(channel, ACCOUNT)
                except grpc.aio.AioRpcError as error:
                    refusal = error
                else:
                    return False
                info = read_details(refusal).info
                assert refusal.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
                return (info.reason, dict(info.metadata)) == ("TOO_MANY_CALLS", {"retry_after": "1"})

            await eventually(refused_natively, "gRPC is refused")


@pytest.mark.rule("ID-11")
async def test_addresses_are_told_apart_by_the_proxies_that_are_known(
    services: Recorder, certificates: Mapping[str, Certificate]
) -> None:
    policy = {"address_calls_per_second": "1", "address_burst": "2", "trusted_proxies": "1"}
    async with gateway_of(services.addresses, certificates, **policy) as door, door.web() as web:

        async def refused(address: str) -> bool:
            headers = {"x-forwarded-for": f"198.51.100.1, {address}"}
            return (await web.get("/v1/account", headers=headers)).status_code == 429

        await eventually(lambda: refused("203.0.113.5"), "one address is refused")
        assert not await refused("203.0.113.6")
        assert services.last().metadata["unora-client-address"] == "203.0.113.6"
        await eventually(lambda: refused("2001:db8::1"), "one network of IPv6 is refused")
        assert not await refused("2001:db8:0:1::1")
        assert services.last().metadata["unora-client-address"] == "2001:db8:0:1::1"


async def test_a_call_that_takes_too_long_is_given_up(
    services: Recorder, certificates: Mapping[str, Certificate]
) -> None:
    services.wait = asyncio.Event().wait
    try:
        async with gateway_of(services.addresses, certificates, call_seconds="0.3") as door, door.web() as web:
            answer = await web.get("/v1/account")
            assert (answer.status_code, answer.json()["reason"]) == (504, "DEADLINE_EXCEEDED")
            found = await frames.call(web, ACCOUNT)
            assert found.code == grpc.StatusCode.DEADLINE_EXCEEDED
            async with door.channel() as channel:
                with pytest.raises(grpc.aio.AioRpcError) as late:
                    await frames.native(channel, ACCOUNT)
                assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    finally:
        services.wait = None


async def test_a_caller_of_rest_sets_no_deadline_and_one_of_grpc_does(door: Door, services: Recorder) -> None:
    async with door.web() as web:
        headers = {"grpc-timeout": "1m", "grpc-encoding": "nothing"}
        assert (await web.get("/v1/account", headers=headers)).status_code == 200
        assert (services.last().seconds_left or 0) > 5
    async with door.channel() as channel:
        await frames.native(channel, ACCOUNT, timeout=40)
        assert 30 < (services.last().seconds_left or 0) < 41
        await frames.native(channel, ACCOUNT, timeout=600)
        assert (services.last().seconds_left or 0) < 61


async def test_a_service_gets_no_more_calls_at_once_than_the_policy_says(
    services: Recorder, certificates: Mapping[str, Certificate]
) -> None:
    release = asyncio.Event()
    services.wait = release.wait
    services.seen.clear()
    try:
        async with gateway_of(services.addresses, certificates, service_calls="1") as door, door.web() as web:
            first = asyncio.create_task(web.post("/v1/account:pause", json={}))
            await eventually(lambda: services.seen, "the first call is under way")
            second = await web.post("/v1/account:pause", json={})
            assert (second.status_code, second.json()["reason"]) == (503, "DEPENDENCY_UNAVAILABLE")
            release.set()
            assert (await first).status_code == 200
    finally:
        release.set()
        services.wait = None


@pytest.mark.parametrize("way", ["grpc", "rest"])
async def test_calls_at_once_wait_for_no_other_call_but_get_connections_of_their_own(
    services: Recorder, certificates: Mapping[str, Certificate], way: str
) -> None:
    """A service takes 16 calls on one connection: the gateway opens as many connections as it needs."""
    release = asyncio.Event()
    services.wait = release.wait
    services.seen.clear()
    try:
        async with gateway_of(services.addresses, certificates) as door, door.web() as web, door.channel() as channel:
            calls: list[Any] = [
                asyncio.ensure_future(web.get("/v1/account") if way == "rest" else frames.native(channel, ACCOUNT))
                for _ in range(64)
            ]
            await eventually(lambda: len(services.seen) == 64, "all calls are under way at once")
            release.set()
            await asyncio.gather(*calls)
    finally:
        release.set()
        services.wait = None


async def test_no_change_is_refused_because_a_service_has_not_ended_the_last_one_yet(
    door: Door, services: Recorder
) -> None:
    """A service may count a call whose answer has left already, and takes 16 on one connection."""
    services.seen.clear()
    async with door.channel() as channel:

        async def change_often() -> None:
            for _ in range(40):
                await frames.native(channel, PAUSE)

        await asyncio.gather(*(change_often() for _ in range(64)))
    assert len(services.seen) == 64 * 40


async def test_a_request_that_does_not_arrive_is_given_up(
    services: Recorder, certificates: Mapping[str, Certificate]
) -> None:
    async with gateway_of(services.addresses, certificates, request_seconds="0.3") as door:
        head = (
            "POST /v1/account:pause HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )
        answer = await frames.raw_http(door.gateway.plain_url, head, b"}")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"reason":"REQUEST_SLOW"' in answer


async def test_reads_are_sent_again_and_changes_are_not(door: Door, services: Recorder) -> None:
    unavailable = grpc.StatusCode.UNAVAILABLE
    async with door.web() as web:
        services.seen.clear()
        services.refusals = [unavailable]
        assert (await web.get("/v1/account")).status_code == 200
        assert len(services.seen) == 2
        services.seen.clear()
        services.refusals = [unavailable]
        answer = await web.post("/v1/account:pause", json={})
        assert (answer.status_code, answer.json()["reason"]) == (503, "DEPENDENCY_UNAVAILABLE")
        assert [seen.path for seen in services.seen] == [PAUSE]


async def test_a_service_that_is_not_ready_gets_no_calls(
    services: Recorder, certificates: Mapping[str, Certificate]
) -> None:
    async with gateway_of(services.addresses, certificates, health_seconds="0.1") as door, door.web() as web:

        async def away() -> bool:
            answer = await web.get("/v1/wallet")
            return (answer.status_code, answer.json().get("reason")) == (503, "DEPENDENCY_UNAVAILABLE")

        async def back() -> bool:
            return (await web.get("/v1/wallet")).status_code == 200

        await services.set_ready("billing", False)
        try:
            await eventually(away, "the gateway knows that billing is not ready")
            assert (await web.get("/v1/account")).status_code == 200, "others go on"
            async with door.channel() as channel:
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await frames.native(channel, "/unora.billing.v1.WalletService/GetWallet")
            assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
            assert read_details(refused.value).info.reason == "DEPENDENCY_UNAVAILABLE"
        finally:
            await services.set_ready("billing", True)
        await eventually(back, "billing gets calls again")


async def test_a_service_with_a_certificate_of_another_name_gets_no_calls(
    services: Recorder, certificates: Mapping[str, Certificate]
) -> None:
    swapped = services.addresses | {"streak": services.addresses["safety"]}
    async with gateway_of(swapped, certificates, ready=ALIVE, health_seconds="0.1") as door, door.web() as web:

        async def others_answer() -> bool:
            return (await web.get("/v1/safety", headers={"authorization": "Bearer a"})).status_code == 200

        await eventually(others_answer, "safety is found ready")
        services.seen.clear()
        answer = await web.get("/v1/dashboard")
        assert (answer.status_code, answer.json()["reason"]) == (503, "DEPENDENCY_UNAVAILABLE")
        assert services.seen == []


async def test_a_call_whose_message_never_ends_takes_no_place_of_others(
    services: Recorder, certificates: Mapping[str, Certificate]
) -> None:
    """It waits in the gateway. At the service, which takes one call at once here, it would keep others out."""
    async with gateway_of(services.addresses, certificates, service_calls="1") as door, door.channel() as channel:
        endless: Any = channel.stream_unary(ACCOUNT)()
        await within(endless.write(b""))
        for _ in range(3):
            await within(frames.native(channel, ACCOUNT))
        endless.cancel()
