"""PE-04, PE-05: what is stored of the answers, and that nobody is shown a score."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from google.protobuf.message import Message
from unora.common.v1.options_pb2 import Access
from unora.reveal.v1 import personality_service_pb2
from unora.reveal.v1.events_pb2 import PersonalityChanged
from unora.reveal.v1.personality_service_pb2 import (
    ListMyAnswersRequest,
)
from unora.reveal.v1.personality_service_pb2_grpc import PersonalityServiceStub
from unora_common import declarations
from unora_common.config import CONTEXTS
from unora_common.policies import policies_of, service_descriptor
from unora_reveal.domain.personality import Dimension
from unora_testing.world import World

from tests.integration.reveal.answering import AnsweringMember, Sql
from tests.integration.reveal.test_personality import SERVICE
from tests.roles import refused, role_of
from tests.support import refusal


@pytest.fixture
def ada(world: World) -> AnsweringMember:
    return AnsweringMember(world)


@pytest.fixture
async def sql(world: World) -> AsyncIterator[Sql]:
    """A connection in the role of the service."""
    async with role_of(world, "reveal") as connection:
        yield connection


# What the database enforces


@pytest.mark.rule("PE-03")
@pytest.mark.parametrize(
    ("constraint", "scores"),
    [
        ("only_numbers", '{"composure": {"score": "high", "confidence": 0.5}}'),
        ("score_and_confidence", '{"composure": {"score": 0.5, "confidence": 0.5, "label": 1}}'),
        ("only_numbers", '{"composure": {"score": 0.5, "confidence": true}}'),
        ("only_numbers", '{"composure": {"score": 0.5, "confidence": null}}'),
        ("only_numbers", '{"composure": {"score": [0.5], "confidence": 0.5}}'),
        ("only_numbers", '{"composure": {"score": {"of": 0.5}, "confidence": 0.5}}'),
        ("score_and_confidence", '{"composure": {"score": 0.5}}'),
        ("score_and_confidence", '{"composure": {"confidence": 0.5}}'),
        ("score_and_confidence", '{"composure": {}}'),
        ("only_numbers", '{"composure": {"score": 1.5, "confidence": 0.5}}'),
        ("only_numbers", '{"composure": {"score": 0.5, "confidence": -0.1}}'),
        ("dimensions", '{"composure": 0.5}'),
        ("dimensions", '{"composure": "steady"}'),
        ("dimensions", '{"composure": [{"score": 0.5, "confidence": 0.5}]}'),
        ("dimensions", '{"summary": {"score": 0.5, "confidence": 0.5}}'),
        ("dimensions", '{"composure": {"score": 0.5, "confidence": 0.5}, "text": "kind"}'),
        ("dimensions", '"kind"'),
        ("dimensions", "[0.5, 0.5]"),
        ("dimensions", "0.5"),
        ("dimensions", "null"),
    ],
)
async def test_only_numbers_can_be_stored(sql: Sql, ada: AnsweringMember, constraint: str, scores: str) -> None:
    await ada.submit({1: 5})
    store = "UPDATE reveal.personality_scores SET scores = $2 WHERE user_id = $1"
    assert await refused(sql, store, ada.caller.user, scores) == f"ck_personality_scores_{constraint}"


@pytest.mark.rule("PE-03")
async def test_numbers_can_be_stored_and_no_column_holds_text(sql: Sql, ada: AnsweringMember) -> None:
    """The control of the test above: valid numbers are accepted."""
    await ada.submit({1: 5})
    fitting = json.dumps({str(dimension): {"score": 0.5, "confidence": 0} for dimension in Dimension})
    await sql.execute("UPDATE reveal.personality_scores SET scores = $2 WHERE user_id = $1", ada.caller.user, fitting)
    for table in ("personality_scores", "personality_answers"):
        types = await sql.fetch(
            "SELECT data_type FROM information_schema.columns WHERE table_schema = 'reveal' AND table_name = $1", table
        )
        assert {row["data_type"] for row in types} <= {
            "uuid",
            "smallint",
            "bigint",
            "jsonb",
            "timestamp with time zone",
        }
        assert len(types) > 3


@pytest.mark.rule("PE-02", "PE-03")
async def test_one_answer_per_question_one_to_five_and_one_row_of_scores(sql: Sql, ada: AnsweringMember) -> None:
    await ada.submit({1: 5})
    insert = "INSERT INTO reveal.personality_answers VALUES ($1, $2, $3, clock.now())"
    for question, answer, constraint in (
        (1, 4, "pk_personality_answers"),
        (2, 0, "ck_personality_answers_answer"),
        (2, 6, "ck_personality_answers_answer"),
        (99, 3, "fk_personality_answers_question_id"),
    ):
        assert await refused(sql, insert, ada.caller.user, question, answer) == constraint
    second = "INSERT INTO reveal.personality_scores (user_id) VALUES ($1)"
    assert await refused(sql, second, ada.caller.user) == "pk_personality_scores"
    none = "UPDATE reveal.personality_scores SET answered_count = 0 WHERE user_id = $1"
    assert await refused(sql, none, ada.caller.user) == "ck_personality_scores_none_without_answers"


# Who may know


def fields(message: Any) -> set[str]:
    found = set()
    for field in message.fields:
        found.add(field.name)
        if field.message_type is not None and field.message_type.full_name.startswith("unora.reveal."):
            found |= fields(field.message_type)
    return found


@pytest.mark.rule("PE-05")
async def test_no_method_of_reveal_returns_a_score_or_a_summary() -> None:
    for name in ("PersonalityService", "RevealService", "PurchaseService"):
        for policy in policies_of(service_descriptor(f"unora.reveal.v1.{name}")):
            names = fields(policy.response.DESCRIPTOR)
            assert not {word for name in names for word in name.split("_")} & {
                *("score", "scores", "confidence", "summary", "dimension", "label", "trait", "reversed"),
                *map(str, Dimension),
            }


@pytest.mark.rule("DI-11", "PE-05", "XX-03")
async def test_only_members_through_the_gateway_may_call(world: World, ada: AnsweringMember) -> None:
    policies = policies_of(service_descriptor(SERVICE))
    assert all(policy.access == Access.ACCESS_USER and not policy.callers for policy in policies)
    for context in set(CONTEXTS) - {"reveal"}:
        stub = world.stub(PersonalityServiceStub, "reveal", caller=context)
        call = stub.ListMyAnswers(ListMyAnswersRequest(), metadata=ada.caller.metadata)
        assert (await refusal(call)).code == "PERMISSION_DENIED"
    assert (await refusal(ada.stub.ListMyAnswers(ListMyAnswersRequest()))).code == "UNAUTHENTICATED"


@pytest.mark.rule("DI-11", "PE-05")
async def test_discovery_and_matching_can_read_nothing_of_it(world: World, ada: AnsweringMember) -> None:
    """Neither the tables nor an event: only the audit log consumes the events of answers."""
    await ada.submit({1: 5})
    for context in ("discovery", "matching"):
        async with role_of(world, context) as connection:
            for table in ("questions", "answers", "scores"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(f"SELECT FROM reveal.personality_{table}")
    readers = {
        context
        for context, subjects in declarations.consumed_subjects(CONTEXTS).items()
        for each in subjects
        if "reveal" in each
    }
    assert not readers & {"discovery", "matching"}


@pytest.mark.rule("PE-03", "XX-01")
async def test_the_event_and_the_stored_response_hold_only_a_count(world: World, ada: AnsweringMember) -> None:
    assert {field.name for field in PersonalityChanged.DESCRIPTOR.fields} == {
        *("user_id", "version", "answered_count", "occurred_at")
    }
    await ada.submit({1: 5, 2: 4})
    stored = await world.superuser.fetchval(
        "SELECT answer FROM reveal.kept_answers WHERE caller LIKE '%' || $1 || '%'", ada.caller.id
    )
    assert personality_service_pb2.SubmitAnswersResponse.FromString(stored).answered_count == 2
    response: type[Message] = personality_service_pb2.SubmitAnswersResponse
    assert fields(response.DESCRIPTOR) == {"answered_count"}
