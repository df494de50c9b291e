"""Requests that no app sends: they are refused in the one shape, and what they hold does not reach services."""

from __future__ import annotations

import grpc
import pytest
from unora.identity.v1.place_service_pb2 import SearchPlacesRequest
from unora_testing.gateway import Door

from tests.integration.gateway import frames
from tests.integration.gateway.recorder import Recorder
from tests.integration.gateway.test_refusals import fields, judged

PAUSE = "/unora.identity.v1.AccountService/PauseAccount"
NO_TEXT = ["%ff", "%E2%82", "%C0%AF", "%ED%A0%80", "%F4%90%80%80", "a%80"]
"""Bytes that are not UTF-8: cut off, longer than needed, half of a pair, beyond the last letter."""


@pytest.mark.parametrize("text", NO_TEXT)
async def test_a_path_or_query_that_is_not_utf8_names_its_field(door: Door, services: Recorder, text: str) -> None:
    calls = len(services.seen)
    async with door.web() as web:
        for path, field in ((f"/v1/streaks/{text}", "streak_id"), (f"/v1/sessions?page_token={text}", "page_token")):
            error = judged(await web.get(path), 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
            assert fields(error) == {field: "must be text"}
    assert len(services.seen) == calls


@pytest.mark.parametrize("text", ["Köln", "東京", "\U0001f600", "\u07ff\u0800\ufffd\U0010ffff", "São Paulo & more"])
async def test_a_query_may_hold_any_letters(door: Door, services: Recorder, text: str) -> None:
    async with door.web() as web:
        assert (await web.get("/v1/places:search", params={"query": text})).status_code == 200
    assert SearchPlacesRequest.FromString(services.last().body).query == text


@pytest.mark.parametrize(
    ("written", "meant"), [("new+york", "new york"), ("new%20york", "new york"), ("c%2B%2B", "c++")]
)
async def test_a_plus_in_a_query_is_a_space(door: Door, services: Recorder, written: str, meant: str) -> None:
    async with door.web() as web:
        assert (await web.get(f"/v1/places:search?query={written}")).status_code == 200
    assert SearchPlacesRequest.FromString(services.last().body).query == meant


@pytest.mark.parametrize("query", ["page_size=1&pageSize=2", "pageSize=1&page_size=2", "page%5Fsize=1&page_size=2"])
async def test_a_parameter_by_both_its_names_is_given_twice(door: Door, query: str) -> None:
    async with door.web() as web:
        error = judged(await web.get(f"/v1/sessions?{query}"), 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
    assert fields(error) == {"page_size": "is given more than once"}


@pytest.mark.parametrize("name", [".page_size", "page_size.", "page_size..", ".", "page_size.x"])
async def test_a_parameter_with_an_empty_part_is_unknown(door: Door, name: str) -> None:
    async with door.web() as web:
        error = judged(await web.get(f"/v1/sessions?{name}=1"), 400, "INVALID_ARGUMENT", "QUERY_PARAMETER_UNKNOWN")
    assert list(fields(error)) == [name]


@pytest.mark.parametrize(
    "text",
    [
        *("2026-19-31T12:00:00Z", "2026-02-29T12:00:00Z", "2026-04-31T12:00:00Z", "2026-00-01T12:00:00Z"),
        *("2026-01-00T12:00:00Z", "2026-01-31T29:00:00Z", "0000-01-31T12:00:00Z", "2026-01-31t12:00:00z"),
    ],
)
async def test_a_time_that_no_calendar_has_is_named(door: Door, text: str) -> None:
    async with door.web() as web:
        answer = await web.get("/v1/audit/logs", params={"recorded_from": text})
        assert list(fields(judged(answer, 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"))) == ["recorded_from"]
        assert (await web.get("/v1/audit/logs", params={"recorded_from": "2028-02-29T12:00:00Z"})).status_code == 200


@pytest.mark.parametrize("number", ["9.25e18", "-9.25e18", '"9250000000000000000"', "1e400"])
async def test_a_number_of_more_than_64_bits_is_named(door: Door, number: str) -> None:
    async with door.web(**{"content-type": "application/json"}) as web:
        answer = await web.post("/v1/payments", content=f'{{"quote": {{"amount": {number}}}}}')
        assert list(fields(judged(answer, 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"))) == ["quote.amount"]
        answer = await web.post("/v1/payments", content='{"quote": {"amount": 9223372036854775807}}')
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "kind", ["application/grpc;x", "application/grpc-web;x", "application/grpc-webby", "Application/GRPC"]
)
async def test_what_is_nearly_grpc_is_rest_with_errors_of_rest(door: Door, kind: str) -> None:
    headers = {"content-type": kind}
    async with door.web(**headers) as web:
        judged(await web.post(PAUSE, content=b"\0\0\0\0\0"), 415, "INVALID_ARGUMENT", "MEDIA_TYPE_UNSUPPORTED")
        judged(await web.post("/v1/account:pause", content=b"{}"), 415, "INVALID_ARGUMENT", "MEDIA_TYPE_UNSUPPORTED")
        judged(await web.get("/v1/nothing"), 404, "NOT_FOUND", "PATH_UNKNOWN")


async def test_a_webhook_whose_content_type_is_no_text_is_refused(door: Door, services: Recorder) -> None:
    calls = len(services.seen)
    async with door.web() as web:
        answer = await web.post("/v1/webhooks/payments", content=b"{}", headers={b"content-type": b"a/\xff"})
    judged(answer, 415, "INVALID_ARGUMENT", "MEDIA_TYPE_UNSUPPORTED")
    assert len(services.seen) == calls


async def test_grpc_without_the_header_te_is_answered(door: Door, services: Recorder) -> None:
    """Services reset such a stream, and a replica that resets streams is taken for one that fails."""
    async with door.web(**{"content-type": "application/grpc"}) as web:
        answer = await web.post(PAUSE, content=b"\0\0\0\0\0")
    assert answer.content == b"\0\0\0\0\0"
    assert services.last().path == PAUSE


@pytest.mark.parametrize("kind", ["application/grpc", frames.KIND])
async def test_grpc_by_another_verb_than_post_does_not_reach_services(
    door: Door, services: Recorder, kind: str
) -> None:
    calls = len(services.seen)
    async with door.web(**{"content-type": kind}) as web:
        found = frames.read(await web.get(PAUSE))
    assert (found.code, found.reason) == (grpc.StatusCode.UNIMPLEMENTED, "METHOD_UNKNOWN")
    assert len(services.seen) == calls


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("Transfer-Encoding: nonsense", "2\r\n{}\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\nContent-Length: 2", "2\r\n{}\r\n0\r\n\r\n"),
        ("Content-Length: 2\r\nContent-Length: 3", "{} "),
        ("unora-client-address : 1.2.3.4", ""),
    ],
)
async def test_broken_http_is_the_callers_fault(door: Door, services: Recorder, head: str, body: str) -> None:
    calls = len(services.seen)
    line = "POST /v1/account:pause HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    answer = await frames.raw_http(door.gateway.plain_url, f"{line}{head}\r\n\r\n{body}", b"]}")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"reason":"REQUEST_MALFORMED"' in answer
    assert len(services.seen) == calls


@pytest.mark.parametrize("trace", ["00-" + "a" * 10 + "-" + "b" * 38 + "-01", "00-" + "a" * 52])
async def test_a_trace_of_another_form_is_not_passed_on(door: Door, services: Recorder, trace: str) -> None:
    async with door.web(traceparent=trace) as web:
        assert (await web.get("/v1/account")).status_code == 200
    passed = str(services.last().metadata["traceparent"])
    assert [len(part) for part in passed.split("-")] == [2, 32, 16, 2]
