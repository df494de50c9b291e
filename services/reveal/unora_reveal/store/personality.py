"""Questions, answers and scores. The lock of a member's row of scores guards all their answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.rows import from_row

from unora_reveal.domain.personality import (
    Dimension,
    GivenAnswer,
    PersonalityRecord,
    Question,
    QuestionSet,
    Score,
    ScoredAnswer,
)

LIST_QUESTIONS = """
    SELECT id, wording, (SELECT max(version) FROM reveal.personality_questions) AS version
    FROM reveal.personality_questions WHERE deleted_at IS NULL ORDER BY id"""

LIST_ANSWERS = """
    SELECT question_id, answer, answered_at FROM reveal.personality_answers WHERE user_id = $1 ORDER BY question_id"""

FIND_UNKNOWN_QUESTION = """
    SELECT wanted FROM unnest($1::int[]) AS wanted
    WHERE NOT EXISTS (SELECT FROM reveal.personality_questions WHERE id = wanted AND deleted_at IS NULL)
    ORDER BY wanted LIMIT 1"""

LOCK_OR_CREATE = """
    INSERT INTO reveal.personality_scores AS s (user_id) VALUES ($1)
    ON CONFLICT (user_id) DO UPDATE SET version = s.version
    RETURNING user_id, version, answered_count, clock.now() AS now"""

PUT_ANSWERS = """
    INSERT INTO reveal.personality_answers AS a (user_id, question_id, answer, answered_at)
    SELECT $1, question_id, answer, $4 FROM unnest($2::int[], $3::int[]) AS given (question_id, answer)
    ON CONFLICT (user_id, question_id) DO UPDATE SET answer = excluded.answer, answered_at = excluded.answered_at
    WHERE a.answer <> excluded.answer"""

DELETE_ANSWER = "DELETE FROM reveal.personality_answers WHERE user_id = $1 AND question_id = $2::int"

LIST_SCORED_ANSWERS = """
    SELECT q.dimension, q.reversed, a.answer
    FROM reveal.personality_answers a JOIN reveal.personality_questions q ON q.id = a.question_id
    WHERE a.user_id = $1"""

SAVE = """
    UPDATE reveal.personality_scores SET scores = $2, answered_count = $3, version = $4, computed_at = $5
    WHERE user_id = $1"""


async def get_questions(session: Session) -> QuestionSet:
    """The questions that are asked now, in order."""
    rows = await session.rows(LIST_QUESTIONS)
    return QuestionSet(rows[0]["version"] if rows else 0, tuple(from_row(Question, row) for row in rows))


async def list_answers(session: Session, user_id: UUID) -> list[GivenAnswer]:
    """A member's own answers, by question."""
    return [from_row(GivenAnswer, row) for row in await session.rows(LIST_ANSWERS, user_id)]


async def find_unknown_question(session: Session, question_ids: Sequence[int]) -> int | None:
    """The lowest of these ids that is not a question that is asked now; None if all are."""
    unknown: int | None = await session.value(FIND_UNKNOWN_QUESTION, question_ids)
    return unknown


async def lock_or_create(tx: Tx, user_id: UUID) -> PersonalityRecord:
    """Locks a member's row of scores, and makes it without scores if there is none. Sets tx.now."""
    (row,) = await tx.lock(LOCK_OR_CREATE, user_id)
    return from_row(PersonalityRecord, row)


async def put_answers(tx: Tx, user_id: UUID, answers: Mapping[int, int]) -> bool:
    """Stores answers, question → 1 to 5, in place of earlier ones; False if they change nothing."""
    return bool(await tx.run(PUT_ANSWERS, user_id, list(answers), list(answers.values()), tx.now))


async def delete_answer(tx: Tx, user_id: UUID, question_id: int) -> bool:
    """Deletes an answer; False if there is none."""
    return bool(await tx.run(DELETE_ANSWER, user_id, question_id))


async def list_scored_answers(tx: Tx, user_id: UUID) -> list[ScoredAnswer]:
    """All of a member's answers, with what their questions are about."""
    return [from_row(ScoredAnswer, row) for row in await tx.rows(LIST_SCORED_ANSWERS, user_id)]


async def save(tx: Tx, record: PersonalityRecord, scores: Mapping[Dimension, Score]) -> None:
    """Stores the scores of a locked member: numbers only, and null without answers (PE-03)."""
    content = json.dumps({dimension: asdict(score) for dimension, score in scores.items()}) if scores else None
    await tx.run(SAVE, record.user_id, content, record.answered_count, record.version, tx.now)
