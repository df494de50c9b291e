"""What the document promises holds at the gateway: generated requests to every operation, good ones and bad ones."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.generation import GenerationMode
from unora.common.v1.options_pb2 import Access
from unora_gateway.openapi.page import PAGES
from unora_testing.deadlines import GENEROUS
from unora_testing.gateway import Door
from unora_testing.world import World

from tests.contract.contract import RAW, Method, methods
from tests.integration.gateway.signing_in import sign_in
from tests.unit.gateway.openapi_document import answer_of, document, misfits, operations

APPS = [method for method in methods() if method.policy.name in operations()]
OURS = [method for method in APPS if method.descriptor.input_type.full_name != RAW]
NUMBER = "+14155550166"
EXAMPLES = 4
"""Requests of each kind to each operation."""
QUICK = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def door(world_door: Door) -> Door:
    return world_door


@pytest.fixture(scope="module")
def api() -> Any:
    return schemathesis.openapi.from_dict(document())


@pytest.fixture(scope="module")
async def member(world: World, door: Door) -> dict[str, str]:
    """The headers of a member who has just signed up; reads are tried as this one, so that they are answered."""
    async with door.web() as web:
        signed = await sign_in(world, web, NUMBER)
    return {"authorization": f"Bearer {signed['tokens']['access_token']}"}


@pytest.mark.parametrize("method", OURS, ids=str)
async def test_every_answer_is_one_that_the_document_has(
    method: Method, world: World, door: Door, member: dict[str, str], api: Any
) -> None:
    """No 500; a refusal has a reason that the operation lists; each answer fits its schema."""
    headers = _headers(method, world, member)
    operation, said = api.find_operation_by_id(method.policy.name), operations()[method.policy.name]
    takes = "requestBody" in said or "parameters" in said
    modes = [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if takes else [])]

    def judge(case: Any) -> None:
        answer = case.call(base_url=door.gateway.plain_url, headers=headers, timeout=GENEROUS)
        assert _wrong(said, answer.status_code, answer.headers, answer.json()) == [], (
            f"{answer.request.url} {case.body!r}"
        )

    for mode in modes:
        await asyncio.to_thread(QUICK(given(case=operation.as_strategy(generation_mode=mode))(judge)))


def _headers(method: Method, world: World, member: dict[str, str]) -> dict[str, str]:
    """Those of one who may call it. What changes something is tried as somebody else each time."""
    if not method.policy.needs_member:
        return {}
    if method.policy.access == Access.ACCESS_ADMIN:
        return dict(world.caller(roles=["admin"]).metadata)
    return member if method.policy.reads_only else dict(world.caller().metadata)


def _wrong(operation: dict[str, Any], status: int, headers: Any, body: Any) -> list[str]:
    """What an operation does not say of an answer; outages are not expected, though it says them."""
    said = answer_of(operation, status)
    if not said or status >= 500:
        return [f"{status} is not expected: {body}"]
    found = misfits(said["content"]["application/json"]["schema"], body)
    if headers["content-type"] != ["application/json"]:
        found.append(f"{headers['content-type']} is not JSON")
    if status != 200 and body["reason"] not in said["x-reasons"]:
        found.append(f"{status} {body['reason']} is not among its reasons: {body}")
    return found


async def test_the_page_is_served_from_here_with_its_policy(door: Door) -> None:
    files = {page.path: Path(page.file).read_bytes() for page in PAGES}  # noqa: ASYNC240 - three small files
    async with door.web() as web:
        for page in PAGES:
            answer = await web.get(page.path)
            assert answer.status_code == 200
            assert answer.headers["content-type"] == page.media_type
            assert answer.content == files[page.path]
            assert {name: answer.headers[name] for name in page.headers} == page.headers


@pytest.mark.parametrize("wrong", ["yesterday", "2026-05-04", "2026-13-45T00:00:00Z"])
async def test_a_time_that_is_none_is_refused_as_a_value_and_not_as_json(world: World, door: Door, wrong: str) -> None:
    async with door.web(**dict(world.caller(roles=["admin"]).metadata)) as web:
        answer = await web.get("/v1/audit/logs", params={"recorded_from": wrong})
    said = answer_of(operations()["SearchAuditLog"], 400)
    assert answer.status_code == 400
    assert answer.json()["reason"] == "INVALID_ARGUMENT"
    assert misfits(said["content"]["application/json"]["schema"], answer.json()) == []
