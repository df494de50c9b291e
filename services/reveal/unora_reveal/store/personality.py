"""Answers and the numbers that come of them. The lock of a member's row of scores guards all their answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from unora_common.database import Row, Session, Tx

from unora_reveal.domain.personality import (
    Answered,
    AnswerNotFound,
    Dimension,
    QuestionNotFound,
    Reading,
    Score,
    scored,
)
from unora_reveal.messages import to_personality_changed

QUESTIONS = """
    SELECT id, wording, (SELECT max(version) FROM reveal.personality_questions) AS version
    FROM reveal.personality_questions WHERE deleted_at IS NULL ORDER BY id"""

MINE = """
    SELECT question_id, answer, answered_at FROM reveal.personality_answers WHERE user_id = $1 ORDER BY question_id"""

UNKNOWN = """
    SELECT wanted FROM unnest($1::int[]) AS wanted
    WHERE NOT EXISTS (SELECT FROM reveal.personality_questions WHERE id = wanted AND deleted_at IS NULL)
    ORDER BY wanted LIMIT 1"""

LOCK = """
    INSERT INTO reveal.personality_scores AS s (user_id) VALUES ($1)
    ON CONFLICT (user_id) DO UPDATE SET version = s.version
    RETURNING version, answered_count, clock.now() AS now"""

PUT = """
    INSERT INTO reveal.personality_answers AS a (user_id, question_id, answer, answered_at)
    SELECT $1, question_id, answer, $4 FROM unnest($2::int[], $3::int[]) AS given (question_id, answer)
    ON CONFLICT (user_id, question_id) DO UPDATE SET answer = excluded.answer, answered_at = excluded.answered_at
    WHERE a.answer <> excluded.answer"""

TAKE_BACK = "DELETE FROM reveal.personality_answers WHERE user_id = $1 AND question_id = $2::int"

ALL = """
    SELECT q.dimension, q.reversed, a.answer
    FROM reveal.personality_answers a JOIN reveal.personality_questions q ON q.id = a.question_id
    WHERE a.user_id = $1"""

SAVE = """
    UPDATE reveal.personality_scores SET scores = $2, answered_count = $3, version = $4, computed_at = $5
    WHERE user_id = $1"""


class Mine(NamedTuple):
    """A member's answers as they are locked."""

    user_id: UUID
    version: int
    answered: int


async def questions(session: Session) -> list[Row]:
    """What is asked now, in order."""
    return await session.rows(QUESTIONS)


async def answers(session: Session, member: UUID) -> list[tuple[int, int, datetime]]:
    """A member's own answers, by question."""
    return [(row["question_id"], row["answer"], row["answered_at"]) for row in await session.rows(MINE, member)]


async def lock(tx: Tx, member: UUID) -> Mine:
    """Sets tx.now. A member who never answered has a row from here on, without scores."""
    (row,) = await tx.lock(LOCK, member)
    return Mine(member, row["version"], row["answered_count"])


async def put(tx: Tx, mine: Mine, given: Mapping[int, int], reading: Reading) -> int:
    """Takes answers, question → 1 to 5; returns how many there are now. Raises QuestionNotFound and takes none."""
    unknown = await tx.value(UNKNOWN, list(given))
    if unknown is not None:
        raise QuestionNotFound(question_id=unknown)
    if not await tx.run(PUT, mine.user_id, list(given), list(given.values()), tx.now):
        return mine.answered
    return await _score(tx, mine, reading)


async def take_back(tx: Tx, mine: Mine, question_id: int, reading: Reading) -> int:
    """Deletes an answer; returns how many there are now. Raises AnswerNotFound."""
    if not await tx.run(TAKE_BACK, mine.user_id, question_id):
        raise AnswerNotFound
    return await _score(tx, mine, reading)


async def _score(tx: Tx, mine: Mine, reading: Reading) -> int:
    """PE-03: numbers from all the answers there are now; none from none."""
    rows = await tx.rows(ALL, mine.user_id)
    found = scored([Answered(Dimension(row["dimension"]), row["reversed"], row["answer"]) for row in rows], reading)
    numbers = {dimension: {"score": each.score, "confidence": each.confidence} for dimension, each in found.items()}
    content = json.dumps(numbers) if numbers else None
    await tx.run(SAVE, mine.user_id, content, len(rows), mine.version + 1, tx.now)
    tx.emit(to_personality_changed(mine.user_id, mine.version + 1, len(rows), tx.now))
    return len(rows)


def to_scores(content: str | None) -> dict[Dimension, Score]:
    """Scores as they were kept; empty of someone who has answered nothing."""
    return {Dimension(name): Score(**numbers) for name, numbers in json.loads(content or "{}").items()}
