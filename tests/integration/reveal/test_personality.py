"""Questions, answers and the scores that are computed from them, which no member sees."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import asyncpg
import pytest
from google.protobuf.message import Message
from unora.common.v1.options_pb2 import Access
from unora.reveal.v1 import personality_service_pb2
from unora.reveal.v1.events_pb2 import PersonalityChanged
from unora.reveal.v1.personality_service_pb2 import (
    Answer,
    ListMyAnswersRequest,
    ListQuestionsRequest,
    SubmitAnswersRequest,
    WithdrawAnswerRequest,
)
from unora.reveal.v1.personality_service_pb2_grpc import PersonalityServiceStub
from unora_common import declarations
from unora_common.config import CONTEXTS
from unora_common.policies import policies_of, service_descriptor
from unora_reveal.domain.facts import FramedText
from unora_reveal.domain.labels import find_labels
from unora_reveal.domain.personality import Dimension
from unora_testing.world import Caller, World

from tests.roles import role_of
from tests.support import refusal, request_id

Sql: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
SERVICE = "unora.reveal.v1.PersonalityService"


class AnsweringMember:
    """A member who answers."""

    def __init__(self, world: World, caller: Caller | None = None) -> None:
        self.world = world
        self.caller = caller or world.caller()
        self.stub = world.stub(PersonalityServiceStub, "reveal")

    async def submit(self, answers: dict[int, int], request: str = "") -> int:
        asked = SubmitAnswersRequest(
            request_id=request or request_id(),
            answers=[Answer(question_id=question, answer=answer) for question, answer in answers.items()],
        )
        return int((await self.stub.SubmitAnswers(asked, metadata=self.caller.metadata)).answered_count)

    async def withdraw(self, question: int, request: str = "") -> int:
        asked = WithdrawAnswerRequest(request_id=request or request_id(), question_id=question)
        return int((await self.stub.WithdrawAnswer(asked, metadata=self.caller.metadata)).answered_count)

    async def mine(self) -> dict[int, int]:
        answer = await self.stub.ListMyAnswers(ListMyAnswersRequest(), metadata=self.caller.metadata)
        assert all(each.answered_at.seconds for each in answer.answers)
        return {each.question_id: each.answer for each in answer.answers}

    async def scores(self) -> dict[str, dict[str, float]] | None:
        """The stored scores, by direct SQL: no method returns them."""
        found = await self.world.superuser.fetchval(
            "SELECT scores FROM reveal.personality_scores WHERE user_id = $1", self.caller.user
        )
        return json.loads(found) if found else None

    async def emitted(self) -> list[tuple[int, int]]:
        events = await self.world.events(PersonalityChanged, self.caller.user)
        return [(event.version, event.answered_count) for event in events]


@pytest.fixture
def ada(world: World) -> AnsweringMember:
    return AnsweringMember(world)


@pytest.fixture
async def sql(world: World) -> AsyncIterator[Sql]:
    """A connection in the role of the service."""
    async with role_of(world, "reveal") as connection:
        yield connection


async def questions_about(world: World, dimension: Dimension) -> dict[int, bool]:
    """The questions of one dimension, and whether each is reversed."""
    rows = await world.superuser.fetch(
        "SELECT id, reversed FROM reveal.personality_questions WHERE dimension = $1", str(dimension)
    )
    return {row["id"]: row["reversed"] for row in rows}


# Questions


@pytest.mark.rule("PE-02")
async def test_the_questions_are_the_same_for_everyone(world: World, ada: AnsweringMember) -> None:
    asked = ListQuestionsRequest()
    first = await ada.stub.ListQuestions(asked, metadata=ada.caller.metadata)
    await ada.submit({1: 5})
    assert await ada.stub.ListQuestions(asked, metadata=world.caller().metadata) == first
    assert await ada.stub.ListQuestions(asked, metadata=ada.caller.metadata) == first
    assert len(first.questions) >= 30
    assert first.questions_version == 1
    assert [each.question_id for each in first.questions] == sorted({each.question_id for each in first.questions})
    assert len({each.wording for each in first.questions}) == len(first.questions)


@pytest.mark.rule("PE-02", "PE-06")
async def test_the_questions_cover_five_dimensions_both_ways_and_name_none(world: World, ada: AnsweringMember) -> None:
    for dimension in Dimension:
        questions = await questions_about(world, dimension)
        assert len(questions) >= 6
        assert 2 <= sum(questions.values()) < len(questions) - 2
    answer = await ada.stub.ListQuestions(ListQuestionsRequest(), metadata=ada.caller.metadata)
    assert {field.name for field in personality_service_pb2.Question.DESCRIPTOR.fields} == {"question_id", "wording"}
    for question in answer.questions:
        assert question.wording[0].isupper()
        assert question.wording.endswith(".")
        assert not find_labels(FramedText("", question.wording)) - {"answer"}


@pytest.mark.rule("PE-02")
async def test_the_service_cannot_change_the_questions(sql: Sql) -> None:
    for statement in (
        "UPDATE reveal.personality_questions SET wording = 'x'",
        "DELETE FROM reveal.personality_questions",
        "INSERT INTO reveal.personality_questions VALUES (99, 1, 'composure', 'x', false)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await sql.execute(statement)


# Answers


@pytest.mark.rule("PE-01", "PE-02")
async def test_a_member_answers_some_questions_changes_answers_and_withdraws_them(ada: AnsweringMember) -> None:
    assert await ada.mine() == {}
    assert await ada.submit({1: 5, 7: 2}) == 2
    assert await ada.submit({7: 4, 3: 1}) == 3
    assert await ada.mine() == {1: 5, 3: 1, 7: 4}
    assert await ada.withdraw(1) == 2
    assert await ada.mine() == {3: 1, 7: 4}
    assert await ada.submit({1: 1}) == 3
    assert await ada.emitted() == [(1, 2), (2, 3), (3, 2), (4, 3)]


@pytest.mark.rule("PE-01", "PE-03")
async def test_scores_follow_the_answers_and_confidence_grows(world: World, ada: AnsweringMember) -> None:
    questions = await questions_about(world, Dimension.COMPOSURE)
    confidence = 0.0
    for question, reversed_ in questions.items():
        await ada.submit({question: 1 if reversed_ else 5})
        scores = await ada.scores()
        assert scores is not None
        assert set(scores) == {"composure"}
        assert scores["composure"]["score"] == 1.0
        assert scores["composure"]["confidence"] > confidence
        confidence = scores["composure"]["confidence"]
    await ada.withdraw(next(iter(questions)))
    scores = await ada.scores()
    assert scores is not None
    assert scores["composure"]["confidence"] < confidence


@pytest.mark.rule("PE-01", "PE-02", "PE-03")
async def test_withdrawing_all_answers_leaves_no_score(world: World, ada: AnsweringMember) -> None:
    await ada.submit({1: 5, 2: 3})
    assert [await ada.withdraw(question) for question in (1, 2)] == [1, 0]
    assert await ada.scores() is None
    assert await ada.mine() == {}
    assert (
        await world.superuser.fetchval(
            "SELECT count(*) FROM reveal.personality_answers WHERE user_id = $1", ada.caller.user
        )
        == 0
    )
    await ada.submit({1: 2})
    assert [version for version, _ in await ada.emitted()] == [1, 2, 3, 4]


@pytest.mark.rule("PE-02", "BI-08")
async def test_a_repeat_gets_the_first_answer(ada: AnsweringMember) -> None:
    first, second = request_id(), request_id()
    assert await ada.submit({1: 5}, first) == 1
    assert await ada.submit({2: 5}) == 2
    assert await ada.submit({1: 5}, first) == 1
    assert (await refusal(ada.submit({1: 4}, first))).reason == "REQUEST_ID_REUSED"
    assert [await ada.withdraw(1, second) for _ in range(2)] == [1, 1]
    assert await ada.mine() == {2: 5}


@pytest.mark.rule("PE-02", "XX-02")
async def test_the_same_answer_again_changes_nothing_and_emits_nothing(ada: AnsweringMember) -> None:
    await ada.submit({1: 5})
    assert await ada.submit({1: 5}) == 1
    assert await ada.emitted() == [(1, 1)]


@pytest.mark.rule("PE-02", "XX-02")
async def test_answers_at_the_same_time_leave_one_each_and_consistent_scores(
    world: World, ada: AnsweringMember
) -> None:
    questions = await questions_about(world, Dimension.STRUCTURE)
    await asyncio.gather(*(ada.submit({question: value}) for question in questions for value in (1, 3, 5)))
    mine = await ada.mine()
    assert set(mine) == set(questions)
    steps = [5 - mine[each] if reversed_ else mine[each] - 1 for each, reversed_ in questions.items()]
    scores = await ada.scores()
    assert scores is not None
    assert scores["structure"]["score"] == pytest.approx(sum(steps) / len(steps) / 4, abs=1e-3)
    emitted = await ada.emitted()
    assert [version for version, _ in emitted] == list(range(1, len(emitted) + 1))
    assert emitted[-1][1] == len(questions)


@pytest.mark.rule("PE-02")
async def test_an_unknown_question_is_refused_and_no_answer_stored(ada: AnsweringMember) -> None:
    for unknown in (36, 40_000, 2**31 - 1):
        refused = await refusal(ada.submit({1: 5, unknown: 5}))
        assert (refused.code, refused.reason, refused.metadata) == (
            "NOT_FOUND",
            "QUESTION_NOT_FOUND",
            {"question_id": str(unknown)},
        )
        assert (await refusal(ada.withdraw(unknown))).reason == "ANSWER_NOT_FOUND"
    assert (await refusal(ada.withdraw(1))).reason == "ANSWER_NOT_FOUND"
    assert await ada.mine() == {}
    assert await ada.emitted() == []


@pytest.mark.rule("PE-02")
@pytest.mark.parametrize("answer", [-1, 0, 6])
async def test_an_answer_is_one_to_five(ada: AnsweringMember, answer: int) -> None:
    assert (await refusal(ada.submit({1: answer}))).code == "INVALID_ARGUMENT"
    twice = SubmitAnswersRequest(request_id=request_id(), answers=[Answer(question_id=1, answer=1)] * 2)
    assert (await refusal(ada.stub.SubmitAnswers(twice, metadata=ada.caller.metadata))).code == "INVALID_ARGUMENT"
    assert (await refusal(ada.submit({}))).code == "INVALID_ARGUMENT"


@pytest.mark.rule("PE-02", "XX-04")
async def test_answers_belong_to_one_member(world: World, ada: AnsweringMember) -> None:
    eve = AnsweringMember(world)
    await ada.submit({1: 5})
    assert await eve.mine() == {}
    assert (await refusal(eve.withdraw(1))).reason == "ANSWER_NOT_FOUND"
    assert await ada.mine() == {1: 5}


# What the database enforces


@pytest.mark.rule("PE-03")
@pytest.mark.parametrize(
    "scores",
    [
        '{"composure": {"score": "high", "confidence": 0.5}}',
        '{"composure": {"score": 0.5, "confidence": 0.5, "label": 1}}',
        '{"composure": {"score": 0.5, "confidence": true}}',
        '{"composure": {"score": 0.5, "confidence": null}}',
        '{"composure": {"score": [0.5], "confidence": 0.5}}',
        '{"composure": {"score": {"of": 0.5}, "confidence": 0.5}}',
        '{"composure": {"score": 0.5}}',
        '{"composure": {"confidence": 0.5}}',
        '{"composure": {}}',
        '{"composure": {"score": 1.5, "confidence": 0.5}}',
        '{"composure": {"score": 0.5, "confidence": -0.1}}',
        '{"composure": 0.5}',
        '{"composure": "steady"}',
        '{"composure": [{"score": 0.5, "confidence": 0.5}]}',
        '{"summary": {"score": 0.5, "confidence": 0.5}}',
        '{"composure": {"score": 0.5, "confidence": 0.5}, "text": "kind"}',
        '"kind"',
        "[0.5, 0.5]",
        "0.5",
        "null",
    ],
)
async def test_only_numbers_can_be_stored(sql: Sql, ada: AnsweringMember, scores: str) -> None:
    await ada.submit({1: 5})
    with pytest.raises(asyncpg.CheckViolationError):
        await sql.execute(
            "UPDATE reveal.personality_scores SET scores = $2 WHERE user_id = $1", ada.caller.user, scores
        )


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
    for question, answer, error in (
        (1, 4, asyncpg.UniqueViolationError),
        (2, 0, asyncpg.CheckViolationError),
        (2, 6, asyncpg.CheckViolationError),
        (99, 3, asyncpg.ForeignKeyViolationError),
    ):
        with pytest.raises(error):
            await sql.execute(insert, ada.caller.user, question, answer)
    with pytest.raises(asyncpg.UniqueViolationError):
        await sql.execute("INSERT INTO reveal.personality_scores (user_id) VALUES ($1)", ada.caller.user)
    with pytest.raises(asyncpg.CheckViolationError):
        await sql.execute("UPDATE reveal.personality_scores SET answered_count = 0 WHERE user_id = $1", ada.caller.user)


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
