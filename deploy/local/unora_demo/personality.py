"""Personality: answered in part or skipped, glimpsed by partners, and never a score (PE-01 to PE-06)."""

from __future__ import annotations

from typing import Final

from google.protobuf.descriptor import Descriptor
from unora.reveal.v1 import personality_service_pb2, reveal_service_pb2
from unora.reveal.v1.personality_service_pb2 import (
    Answer,
    ListMyAnswersRequest,
    ListQuestionsRequest,
    SubmitAnswersRequest,
)
from unora_local.client import Unexpected, request_id

from unora_demo.people import Member
from unora_demo.reveals import open_
from unora_demo.stage import Stage
from unora_demo.timeline import Note, expect

LEAST: Final = 30
"""Questions."""
ANSWERED: Final = 8
"""Answers in part."""
GLIMPSE: Final = 3
"""The reveal that is framed from personality."""


async def in_part(stage: Stage, note: Note) -> None:
    """PE-01, PE-02: some of the questions are answered; the member can read exactly these answers."""
    member = stage.scene("F").one
    call, service = member.session.call, stage.gateway.personality
    questions = (await call(service.ListQuestions, ListQuestionsRequest())).questions
    if len(questions) < LEAST:
        raise Unexpected(f"at least {LEAST} questions were expected, saw {len(questions)}")
    answers = [
        Answer(question_id=each.question_id, answer=1 + at % 5) for at, each in enumerate(questions[::3][:ANSWERED])
    ]
    request = SubmitAnswersRequest(request_id=request_id(), answers=answers)
    submitted = await call(service.SubmitAnswers, request)
    expect("answers", ANSWERED, submitted.answered_count)
    mine = (await call(service.ListMyAnswers, ListMyAnswersRequest())).answers
    expect(
        "the answers",
        {(a.question_id, a.answer) for a in answers},
        {(given.question_id, given.answer) for given in mine},
    )
    await stage.clock.wait_until_idle()
    note.detail = f"{ANSWERED} of {len(questions)} questions answered"


async def glimpses(stage: Stage, note: Note) -> None:
    """PE-04 to PE-06: a glimpse of a member who answered and one of a member who skipped: never stored, no number."""
    titles: list[str] = []
    for scene in (stage.scene("F"), stage.scene("E")):
        await _glimpse(scene, scene.other, titles)
    stored = await stage.clock.superuser.fetchval(
        "SELECT count(*) FROM reveal.reveal_contents c JOIN reveal.reveals r ON r.id = c.reveal_id "
        "WHERE r.reveal_number = $1",
        GLIMPSE,
    )
    expect("stored glimpses", 0, stored)
    fields = {field for module in (personality_service_pb2, reveal_service_pb2) for field in _fields(module)}
    expect("fields that could carry a score", set(), {name for name in fields if "score" in name or "confid" in name})
    note.detail = f"{' / '.join(f'“{title}”' for title in titles)}: one answered, one skipped; nothing stored, no score"


async def _glimpse(scene: Stage, reader: Member, titles: list[str]) -> None:
    framed = (await open_(scene, reader, GLIMPSE)).reveal.framed
    text = f"{framed.title} {framed.text}"
    if not (framed.title and framed.text) or any(letter.isdigit() for letter in text):
        raise Unexpected("a framed text without a number was expected")
    titles.append(framed.title)


def _fields(module: object) -> set[str]:
    messages: dict[str, Descriptor] = module.DESCRIPTOR.message_types_by_name  # type: ignore[attr-defined]
    return {field.name for message in messages.values() for field in message.fields}
