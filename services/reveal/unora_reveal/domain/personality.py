"""PE-01, PE-03: from answers to scores, and from scores to leanings. No words about a member are made here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from unora_common.errors import DomainError

from unora_reveal.domain.events import PersonalityChanged

LOWEST, HIGHEST = 1, 5
"""The ends of an answer: disagree and agree."""


class Dimension(StrEnum):
    """What questions are about. Internal: no member and no other service sees it (PE-05, PE-06)."""

    EXPLORATION = "exploration"
    STRUCTURE = "structure"
    SOCIABILITY = "sociability"
    CONSIDERATION = "consideration"
    COMPOSURE = "composure"


class Side(StrEnum):
    """Which way a member leans; none is better than another."""

    ONE = "one"
    BOTH = "both"
    OTHER = "other"


class QuestionNotFound(DomainError):
    """There is no such question, or it is no longer asked; `question_id` is its id."""

    code = "NOT_FOUND"
    reason = "QUESTION_NOT_FOUND"
    sentence = "This question does not exist."


class AnswerNotFound(DomainError):
    """The member has not answered this question."""

    code = "NOT_FOUND"
    reason = "ANSWER_NOT_FOUND"
    sentence = "You have not answered this question."


@dataclass(frozen=True, slots=True)
class Question:
    """A question as members read it."""

    id: int
    wording: str


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """The questions that are asked now, in order (PE-02)."""

    version: int
    """The version of the newest set, 0 if there are no questions."""
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """An answer as the member gave it."""

    question_id: int
    answer: int
    """1 disagree to 5 agree."""
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class ScoredAnswer:
    """An answer with what its question is about."""

    dimension: Dimension
    reversed: bool
    """Whether agreeing lowers the score."""
    answer: int


@dataclass(frozen=True, slots=True)
class Score:
    """All that is stored of a member's answers about one dimension (PE-03)."""

    score: float
    """0 to 1."""
    confidence: float
    """0 to below 1; it grows with the number of answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringPolicy:
    """How much answers count."""

    half_at: float
    """With this many answers about a dimension, the confidence is one half (PE-01)."""
    sure_from: float
    """A text may use a score from this confidence on, 0 to 1 (PE-06)."""
    middle: float
    """A score at most this far from 0.5 leans both ways."""


@dataclass(frozen=True, slots=True)
class PersonalityRecord:
    """The locked row of a member's scores."""

    user_id: UUID
    version: int
    answered_count: int


@dataclass(frozen=True, slots=True)
class Leaning:
    """One thing that may be said of a member, not yet in words."""

    dimension: Dimension
    side: Side


def score_answers(answers: Iterable[ScoredAnswer], policy: ScoringPolicy) -> dict[Dimension, Score]:
    """PE-01, PE-03: a score and a confidence for each dimension that has an answer."""
    steps: dict[Dimension, list[int]] = {}
    for given in answers:
        step = HIGHEST - given.answer if given.reversed else given.answer - LOWEST
        steps.setdefault(given.dimension, []).append(step)
    return {
        dimension: Score(
            score=round(sum(found) / len(found) / (HIGHEST - LOWEST), 4),
            confidence=round(len(found) / (len(found) + policy.half_at), 4),
        )
        for dimension, found in steps.items()
    }


def change_answers(
    record: PersonalityRecord, answered_count: int, now: datetime
) -> tuple[PersonalityRecord, PersonalityChanged]:
    """The member's record after their answers changed."""
    changed = PersonalityRecord(record.user_id, record.version + 1, answered_count)
    event = PersonalityChanged(
        user_id=changed.user_id, version=changed.version, answered_count=answered_count, occurred_at=now
    )
    return changed, event


def leanings(scores: Mapping[Dimension, Score], policy: ScoringPolicy) -> list[Leaning]:
    """PE-06: what the scores allow to say: only sufficient confidence, the clearest first."""
    sure = [(dimension, score) for dimension, score in scores.items() if score.confidence >= policy.sure_from]
    sure.sort(key=lambda known: (-abs(known[1].score - 0.5) * known[1].confidence, known[0]))
    return [Leaning(dimension, _side(score.score, policy.middle)) for dimension, score in sure]


def _side(score: float, middle: float) -> Side:
    if abs(score - 0.5) <= middle:
        return Side.BOTH
    return Side.ONE if score > 0.5 else Side.OTHER
