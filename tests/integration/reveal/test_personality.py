"""Questions, answers and the scores that are computed from them, which no member sees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from unora.reveal.v1 import personality_service_pb2
from unora.reveal.v1.personality_service_pb2 import (
    Answer,
    ListQuestionsRequest,
    SubmitAnswersRequest,
)
from unora_reveal.domain.facts import FramedText
from unora_reveal.domain.labels import find_labels
from unora_reveal.domain.personality import Dimension
from unora_testing.world import World

from tests.integration.reveal.answering import AnsweringMember, Sql
from tests.roles import role_of
from tests.support import refusal, request_id

SERVICE = "unora.reveal.v1.PersonalityService"


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
