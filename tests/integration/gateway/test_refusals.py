"""What the gateway itself refuses, in one shape for REST, and with details for gRPC and gRPC-Web."""

from __future__ import annotations

from typing import Any

import grpc
import httpx
import pytest
from unora.billing.v1.billing_service_pb2 import CreatePaymentRequest
from unora.identity.v1.account_service_pb2 import GetAccountRequest, GetAccountResponse
from unora.identity.v1.account_service_pb2_grpc import AccountServiceStub
from unora_common.grpc_errors import read_details
from unora_gateway import contract
from unora_testing.gateway import Door

from tests.integration.gateway import frames
from tests.integration.gateway.recorder import Recorder

CHALLENGES = "/v1/phone-verifications"
HOBBIES = "/v1/hobbies"
ID = "6b1f3f7e-3a52-4a5e-9a43-1f6f9f6b7b10"


NOT_NAMED = "is not one of the values that the contract names"


def judged(answer: httpx.Response, status: int, code: str, reason: str) -> dict[str, Any]:
    """The error of an answer, which has the one shape."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), answer.text
    error: dict[str, Any] = answer.json()
    assert list(error) == ["code", "reason", "message", "metadata", "violations"]
    assert (error["code"], error["reason"]) == (code, reason), error
    assert error["message"]
    return error


def fields(error: dict[str, Any]) -> dict[str, str]:
    return {each["field"]: each["reason"] for each in error["violations"]}


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/", "/v1/nothing", "/v1/account/", "/v1/account:fly", "/v2/account"])
async def test_a_path_that_is_not_there(door: Door, path: str) -> None:
    async with door.web() as web:
        judged(await web.get(path), 404, "NOT_FOUND", "PATH_UNKNOWN")


async def test_a_verb_that_the_path_does_not_take(door: Door) -> None:
    async with door.web() as web:
        answer = await web.put(HOBBIES + "?x=1")
        assert answer.status_code in (400, 405)
        answer = await web.patch("/v1/account")
        error = judged(answer, 405, "UNIMPLEMENTED", "VERB_UNKNOWN")
        assert error["metadata"]["allow"] == answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
async def test_a_body_that_is_not_json(door: Door, kind: str) -> None:
    async with door.web() as web:
        answer = await web.post(CHALLENGES, content=b"{}", headers={"content-type": kind})
        judged(answer, 415, "INVALID_ARGUMENT", "MEDIA_TYPE_UNSUPPORTED")


@pytest.mark.parametrize(
    "text",
    [
        '{"request_id":',
        "[]",
        "null",
        '"text"',
        "7",
        "{} {}",
        '{"request_id": "a", "request_id": "b"}',
        '{"request_id": "a",}',
        '{"request_id": 01}',
        '{"request_id": "\\ud800"}',
        '{"request_id": "\n"}',
        '{"a":' * 100 + "1" + "}" * 100,
        "\ufeff{}",
    ],
)
async def test_a_body_that_cannot_be_read(door: Door, services: Recorder, text: str) -> None:
    calls = len(services.seen)
    async with door.web(**{"content-type": "application/json"}) as web:
        error = judged(await web.post(CHALLENGES, content=text.encode()), 400, "INVALID_ARGUMENT", "JSON_INVALID")
    assert int(error["metadata"]["byte"]) >= 1
    assert len(services.seen) == calls


async def test_unknown_fields_are_named_with_their_place(door: Door) -> None:
    hobbies = [{"option_id": ID, "nope": 1}, {"why": {"deep": 1}}]
    async with door.web() as web:
        answer = await web.put(HOBBIES, json={"request_id": ID, "hobbies": hobbies, 'a"b': 1})
    found = fields(judged(answer, 400, "INVALID_ARGUMENT", "FIELD_UNKNOWN"))
    assert {"hobbies[0].nope", "hobbies[1].why", "a?b"} <= set(found)
    assert set(found.values()) == {"is not a field of this request"}


async def test_a_field_of_another_kind_is_named_with_its_place(door: Door) -> None:
    async with door.web() as web:
        body = {"request_id": 7, "hobbies": [{"micro_description": []}, "text", None]}
        answer = await web.put(HOBBIES, json=body)
        found = fields(judged(answer, 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"))
        assert found == {
            "request_id": "must be text",
            "hobbies[0].micro_description": "must be text",
            "hobbies[1]": "must be an object",
            "hobbies[2]": "must be given",
        }
        answer = await web.put(HOBBIES, json={"hobbies": {}})
        assert fields(answer.json()) == {"hobbies": "must be a list"}


@pytest.mark.parametrize(
    ("path", "body", "field", "why"),
    [
        ("/v1/account:pause", {"request_id": ID, "requestId": ID}, "request_id", "is given twice"),
        ("/v1/subscription", {"tier": 99}, "tier", NOT_NAMED),
        ("/v1/subscription", {"tier": True}, "tier", NOT_NAMED),
        ("/v1/payments", {"quote": {"amount": "99999999999999999999"}}, "quote.amount", "must be a whole number"),
        ("/v1/payments", {"quote": {"amount": 1.5}}, "quote.amount", "must be a whole number"),
        ("/v1/payments", {"quote": [1]}, "quote", "must be an object"),
    ],
)
async def test_other_values_that_cannot_be_read_are_named(
    door: Door, services: Recorder, path: str, body: dict[str, Any], field: str, why: str
) -> None:
    calls = len(services.seen)
    async with door.web() as web:
        error = judged(await web.post(path, json=body), 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
    assert fields(error) == {field: why}
    assert len(services.seen) == calls


FURTHEST = (-9223372036854775808, 9223372036854775807)


@pytest.mark.parametrize("amount", [*FURTHEST, 0, -1, 10**15, 10**16 + 1, *map(str, FURTHEST)])
async def test_each_number_of_64_bits_arrives_as_it_was_sent(door: Door, services: Recorder, amount: int | str) -> None:
    """Also one that JavaScript, or Lua, would round."""
    async with door.web() as web:
        assert (await web.post("/v1/payments", json={"quote": {"amount": amount}})).status_code == 200
    arrived = CreatePaymentRequest.FromString(services.last().body)
    assert arrived.quote.amount == int(amount)


@pytest.mark.parametrize(
    "amount", [FURTHEST[0] - 1, FURTHEST[1] + 1, 10**18 * 10, 1e19, -1e300, *(str(each * 2) for each in FURTHEST)]
)
async def test_a_number_beyond_64_bits_is_refused_and_not_read_as_the_last_one(
    door: Door, services: Recorder, amount: float | str
) -> None:
    calls = len(services.seen)
    async with door.web() as web:
        answer = await web.post("/v1/payments", json={"quote": {"amount": amount}})
    assert fields(judged(answer, 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")) == {
        "quote.amount": "must be a whole number"
    }
    assert len(services.seen) == calls


@pytest.mark.parametrize("wide", [12345678901234567890, -1234567890123456])
async def test_a_number_of_many_digits_is_no_text_no_object_and_no_list(door: Door, wide: int) -> None:
    async with door.web() as web:
        answer = await web.put(HOBBIES, json={"request_id": wide, "hobbies": wide})
        assert fields(judged(answer, 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")) == {
            "request_id": "must be text",
            "hobbies": "must be a list",
        }
        answer = await web.post("/v1/payments", json={"quote": wide})
        assert fields(answer.json()) == {"quote": "must be an object"}
        answer = await web.post("/v1/subscription", json={"tier": wide})
        assert fields(answer.json()) == {"tier": NOT_NAMED}
        answer = await web.post("/v1/payments", json=wide)
        judged(answer, 400, "INVALID_ARGUMENT", "JSON_INVALID")


async def test_two_fields_of_which_one_may_be_given(door: Door) -> None:
    async with door.web() as web:
        answer = await web.post("/v1/reports", json={"target": {"card_id": ID, "connection_id": ID}})
        error = judged(answer, 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
    ((field, why),) = fields(error).items()
    names = {"target.card_id": "connection_id", "target.connection_id": "card_id"}
    assert why == f"cannot be given together with {names[field]}"


@pytest.mark.parametrize("text", ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123456789+02:00"])
async def test_times_are_taken_by_rfc_3339(door: Door, text: str) -> None:
    async with door.web() as web:
        assert (await web.get("/v1/audit/logs", params={"recorded_from": text})).status_code == 200


@pytest.mark.parametrize("text", ["yesterday", "2026-01-31", "2026-01-31 12:00:00", "1767225600", ""])
async def test_other_times_are_named(door: Door, text: str) -> None:
    async with door.web() as web:
        answer = await web.get("/v1/audit/logs", params={"recorded_from": text})
    error = judged(answer, 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
    assert fields(error) == {"recorded_from": "must be a time such as 2026-01-31T12:00:00Z"}


async def test_text_that_is_not_utf8(door: Door) -> None:
    async with door.web(**{"content-type": "application/json"}) as web:
        answer = await web.post(CHALLENGES, content=b'{"request_id": "\xff"}')
    judged(answer, 400, "INVALID_ARGUMENT", "JSON_INVALID")


async def test_both_names_of_a_field_are_taken(door: Door, services: Recorder) -> None:
    async with door.web() as web:
        for body in ({"request_id": ID}, {"requestId": ID}):
            assert (await web.post("/v1/account:pause", json=body)).status_code == 200
            assert ID.encode() in services.last().body


async def test_unknown_parameters_are_named(door: Door) -> None:
    async with door.web() as web:
        answer = await web.get("/v1/sessions?page_size=5&pagesize=5&x.y=1&")
        found = fields(judged(answer, 400, "INVALID_ARGUMENT", "QUERY_PARAMETER_UNKNOWN"))
        assert found == dict.fromkeys(["pagesize", "x.y"], "is not a parameter of this request")
        answer = await web.post("/v1/account:pause?request_id=" + ID)
        judged(answer, 400, "INVALID_ARGUMENT", "QUERY_PARAMETER_UNKNOWN")


async def test_parameters_of_another_kind_or_twice_are_named(door: Door) -> None:
    async with door.web() as web:
        for value in ("five", "1.5", "99999999999", "", "0x10"):
            answer = await web.get("/v1/sessions", params={"page_size": value})
            assert fields(judged(answer, 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")) == {
                "page_size": "must be a whole number of 32 bits"
            }
        answer = await web.get("/v1/sessions?page_size=1&page_size=2")
        assert fields(answer.json()) == {"page_size": "is given more than once"}


async def test_a_field_cannot_come_in_the_path_and_elsewhere(door: Door) -> None:
    path = f"/v1/streaks/{ID}:checkIn"
    async with door.web() as web:
        for name in ("streak_id", "streakId"):
            answer = await web.post(path, json={"request_id": ID, name: ID})
            error = judged(answer, 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
            assert fields(error) == {"streak_id": "comes in the path, and cannot come in the body too"}
        answer = await web.get(f"/v1/streaks/{ID}?streak_id={ID}")
        judged(answer, 400, "INVALID_ARGUMENT", "QUERY_PARAMETER_UNKNOWN")


async def test_a_body_where_none_is_taken(door: Door) -> None:
    async with door.web() as web:
        answer = await web.request("GET", "/v1/account", json={"a": 1})
        judged(answer, 400, "INVALID_ARGUMENT", "BODY_UNEXPECTED")


@pytest.mark.parametrize("written", ["SERVER_TYPE_PARTNER", "server_type_partner", "Server_Type_Partner", "1"])
async def test_values_of_an_enum_are_taken_in_any_case(door: Door, services: Recorder, written: str) -> None:
    async with door.web() as web:
        assert (await web.get(f"/v1/servers/{written}/filters")).status_code == 200
        assert services.last().body.endswith(b"\x08\x01")
        body = {"request_id": ID, "target_server": written}
        assert (await web.post("/v1/subscription", json={"request_id": ID, "tier": "tier_plus"})).status_code == 200
        assert services.last().body.endswith(b"\x02"), body


async def test_a_value_that_an_enum_does_not_have(door: Door) -> None:
    async with door.web() as web:
        answer = await web.get("/v1/servers/partner/filters")
        assert fields(judged(answer, 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")) == {"server_type": NOT_NAMED}
        answer = await web.post("/v1/subscription", json={"request_id": ID, "tier": "gold"})
        assert fields(judged(answer, 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")) == {"tier": NOT_NAMED}


async def test_what_is_too_large(door: Door, services: Recorder) -> None:
    calls = len(services.seen)
    async with door.web(**{"content-type": "application/json"}) as web:
        for path in (CHALLENGES, "/v1/webhooks/payments"):
            answer = await web.post(path, content=b" " * ((1 << 20) + 1))
            judged(answer, 413, "INVALID_ARGUMENT", "BODY_TOO_LARGE")
        answer = await web.get("/v1/account", headers={"x-much": "a" * 20_000})
        judged(answer, 431, "INVALID_ARGUMENT", "HEADERS_TOO_LARGE")
        answer = await web.get("/v1/account", headers={f"x-{i}": "a" for i in range(100)})
        judged(answer, 431, "INVALID_ARGUMENT", "HEADERS_TOO_LARGE")
    assert len(services.seen) == calls


@pytest.mark.rule("XX-03")
async def test_no_internal_method_is_reached_by_any_protocol(door: Door, services: Recorder) -> None:
    calls = len(services.seen)
    async with door.web() as web, door.channel() as channel:
        for path in contract.internal_paths():
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await frames.native(channel, path)
            assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED
            assert read_details(refused.value).info.reason == "METHOD_UNKNOWN"
            answer = await frames.call(web, path)
            assert (answer.code, answer.reason) == (grpc.StatusCode.UNIMPLEMENTED, "METHOD_UNKNOWN")
            judged(await web.post(path, json={}), 404, "NOT_FOUND", "PATH_UNKNOWN")
            judged(await web.get(path + "?x=1"), 404, "NOT_FOUND", "PATH_UNKNOWN")
            twisted = await web.post("/v1/.." + path, headers={"content-type": "application/grpc"})
            assert twisted.headers["grpc-status"] == "12"
    assert len(services.seen) == calls


@pytest.mark.rule("XX-03")
async def test_health_and_reflection_of_services_are_not_reached(door: Door) -> None:
    async with door.channel() as channel:
        for path in ("/grpc.health.v1.Health/Check", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await frames.native(channel, path)
            assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_each_open_method_reaches_its_service_by_all_three_protocols(door: Door, services: Recorder) -> None:
    async with door.web() as web, door.channel() as channel:
        for route in contract.routes():
            await frames.native(channel, route.path)
            assert (services.last().path, services.last().context) == (route.path, route.context)
            assert (await frames.call(web, route.path)).code == grpc.StatusCode.OK
            assert services.last().path == route.path
            services.seen.clear()
            answer = await web.request(route.verb, filled(route.template), **content(route))
            assert answer.status_code == 200, (route, answer.text)
            assert services.last().path == route.path


def filled(template: str) -> str:
    """A path with values that fit its variables."""
    path = template.replace("{server_type}", "server_type_friend")
    path = path.replace("{reveal_number}", "3").replace("{question_id}", "4")
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + ID + rest.partition("}")[2]
    return path


def content(route: contract.Route) -> dict[str, Any]:
    if route.takes_bytes:
        return {"content": b"\x00\xff", "headers": {"content-type": "application/octet-stream"}}
    return {"json": {}} if route.body else {}


async def test_native_grpc_keeps_answers_and_details(door: Door, services: Recorder) -> None:
    services.answer = GetAccountResponse().SerializeToString()
    async with door.channel() as channel:
        answer = await AccountServiceStub(channel).GetAccount(GetAccountRequest())
    assert answer == GetAccountResponse()
