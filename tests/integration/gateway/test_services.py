"""The real services behind a real gateway: answers and refusals arrive as the services gave them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import grpc
import pytest
from unora.identity.v1.account_service_pb2 import GetAccountRequest, GetAccountResponse
from unora.identity.v1.account_service_pb2_grpc import AccountServiceStub
from unora_common.grpc_errors import read_details
from unora_local.sandbox.server import sign
from unora_testing.gateway import Door
from unora_testing.world import World

from tests.integration.gateway import frames
from tests.integration.gateway.signing_in import sign_in

ACCOUNT = "/unora.identity.v1.AccountService/GetAccount"


@pytest.fixture(scope="module")
def door(world_door: Door) -> Door:
    return world_door


@pytest.mark.rule("ID-01")
async def test_a_member_signs_in_over_rest_and_reads_the_account_by_all_protocols(world: World, door: Door) -> None:
    async with door.web() as web:
        signed = await sign_in(world, web, "+14155550142")
        bearer = {"authorization": f"Bearer {signed['tokens']['access_token']}"}
        account = (await web.get("/v1/account", headers=bearer)).json()["account"]
        assert account["user_id"] == signed["user_id"]
        assert account["discovery_ready"] is False, "what is false or empty is written, too"
        answer = await frames.call(web, ACCOUNT, headers=bearer)
        by_web = GetAccountResponse.FromString(answer.message).account
    async with door.channel() as channel:
        metadata = tuple(bearer.items())
        native = (await AccountServiceStub(channel).GetAccount(GetAccountRequest(), metadata=metadata)).account
    assert native == by_web
    assert native.user_id == signed["user_id"]


async def test_services_say_themselves_what_is_wrong_with_a_token(world: World, door: Door) -> None:
    wrong = {"": "TOKEN_MISSING", "Bearer a.b.c": "TOKEN_INVALID", "Basic YTpi": "TOKEN_MISSING"}
    async with door.web() as web, door.channel() as channel:
        for given, reason in wrong.items():
            headers = {"authorization": given} if given else {}
            answer = await web.get("/v1/account", headers=headers)
            assert (answer.status_code, answer.json()["reason"]) == (401, reason)
            assert answer.json()["code"] == "UNAUTHENTICATED"
            found = await frames.call(web, ACCOUNT, headers=headers)
            assert (found.code, found.reason) == (grpc.StatusCode.UNAUTHENTICATED, reason)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await AccountServiceStub(channel).GetAccount(GetAccountRequest(), metadata=tuple(headers.items()))
            assert read_details(refused.value).info.reason == reason


async def test_refusals_of_services_keep_reason_sentence_metadata_and_violations(world: World, door: Door) -> None:
    async with door.web() as web:
        tokens = (await sign_in(world, web, "+14155550143"))["tokens"]
        web.headers["authorization"] = f"Bearer {tokens['access_token']}"
        hobbies = [{"hobby_option_id": "chess", "micro_description": "long games"}, {"hobby_option_id": "No!"}]
        answer = await web.put("/v1/hobbies", json={"request_id": "no uuid", "hobbies": hobbies})
        error = answer.json()
        assert (answer.status_code, error["code"], error["reason"]) == (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
        named = {each["field"]: each["reason"] for each in error["violations"]}
        assert named["request_id"] == "must be a valid UUID"
        assert {"hobbies[1].hobby_option_id", "hobbies[1].micro_description"} <= set(named)
        answer = await web.post("/v1/servers/server_type_partner:join", json={"request_id": str(uuid4())})
        error = answer.json()
        assert (answer.status_code, error["code"]) == (400, "FAILED_PRECONDITION")
        assert error["reason"] == "NOT_DISCOVERY_READY"
        assert "photos" in error["metadata"]["missing"]
        assert error["message"].endswith(".")
        answer = await web.get(f"/v1/streaks/{uuid4()}")
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
        answer = await web.get("/v1/audit/logs")
        assert (answer.status_code, answer.json()["code"]) == (403, "PERMISSION_DENIED")


@pytest.mark.rule("BI-07")
async def test_a_webhook_is_verified_by_the_bytes_that_were_sent(world: World, door: Door) -> None:
    body = json.dumps({"id": "evt_gateway", "type": "customer.created", "object": "event", "data": {}}, indent=3)

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 7):
            yield body.encode()[at : at + 7]

    async with door.web(**{"content-type": "application/json"}) as web:
        signature = {"stripe-signature": sign(body.encode(), world.payments_secret)}
        good = await web.post("/v1/webhooks/payments", content=pieces(), headers=signature)
        again = await web.post("/v1/webhooks/payments", content=body.encode(), headers=signature)
        other = await web.post("/v1/webhooks/payments", content=body.replace(" ", "").encode(), headers=signature)
    assert [(each.status_code, each.json()) for each in (good, again)] == [(200, {}), (200, {})]
    assert (other.status_code, other.json()["reason"]) == (400, "SIGNATURE_INVALID")


@pytest.mark.rule("ID-11")
async def test_codes_have_a_budget_per_address_that_no_header_escapes(world: World, door: Door) -> None:
    async with door.web() as web:
        refused = None
        for i in range(200):
            headers = {"unora-client-address": f"203.0.113.{i}", "x-forwarded-for": f"203.0.113.{i}"}
            body = {"request_id": str(uuid4()), "phone_number": f"+1415556{i:04}"}
            answer = await web.post("/v1/phone-verifications", json=body, headers=headers)
            if answer.status_code == 429:
                refused = answer
                break
        assert refused is not None
        assert refused.json()["reason"] == "TOO_MANY_CODES"
        assert int(refused.headers["retry-after"]) > 0


async def test_the_keys_of_tokens_are_public(door: Door, world: World) -> None:
    async with door.web() as web:
        (key,) = (await web.get("/.well-known/jwks.json")).json()["keys"]
    assert (key["kty"], key["alg"]) == ("EC", "ES256")
    assert "d" not in key
