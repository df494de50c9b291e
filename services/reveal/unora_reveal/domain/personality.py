"""PE-01, PE-03: from answers to numbers, and from numbers to which way somebody leans; no word about anyone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from unora_common.errors import DomainError

LEAST, MOST = 1, 5
"""The ends of an answer: disagree, agree."""


class Dimension(StrEnum):
    """What questions are about; internal, never told to anyone (PE-05, PE-06)."""

    EXPLORATION = "exploration"
    STRUCTURE = "structure"
    SOCIABILITY = "sociability"
    CONSIDERATION = "consideration"
    COMPOSURE = "composure"


class Side(StrEnum):
    """Which way somebody leans; none is better than another."""

    ONE = "one"
    BOTH = "both"
    OTHER = "other"


class QuestionNotFound(DomainError):
    """There is no such question, or it is asked no more; `question_id` names it."""

    code = "NOT_FOUND"
    reason = "QUESTION_NOT_FOUND"


class AnswerNotFound(DomainError):
    """The member has not answered this question."""

    code = "NOT_FOUND"
    reason = "ANSWER_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, with what its question is about."""

    dimension: Dimension
    reversed: bool
    """Whether agreeing leans the other way."""
    answer: int


@dataclass(frozen=True, slots=True)
class Score:
    """All that is kept of somebody's answers about one thing (PE-03)."""

    score: float
    """0 to 1."""
    confidence: float
    """0 to below 1; grows with answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Policy: how much answers tell."""

    half_at: float
    sure_from: float
    middle: float


@dataclass(frozen=True, slots=True)
class Leaning:
    """One thing that may be said of somebody, not yet in words."""

    dimension: Dimension
    side: Side


def scored(answers: Iterable[Answered], reading: Reading) -> dict[Dimension, Score]:
    """PE-01, PE-03: a score and a confidence for each dimension of which anything was answered."""
    steps: dict[Dimension, list[int]] = {}
    for given in answers:
        step = MOST - given.answer if given.reversed else given.answer - LEAST
        steps.setdefault(given.dimension, []).append(step)
    return {
        dimension: Score(
            score=round(sum(found) / len(found) / (MOST - LEAST), 4),
            confidence=round(len(found) / (len(found) + reading.half_at), 4),
        )
        for dimension, found in steps.items()
    }


def leanings(scores: Mapping[Dimension, Score], reading: Reading) -> list[Leaning]:
    """What may be said by the scores: what is known well enough, the clearest first."""
    sure = [(dimension, score) for dimension, score in scores.items() if score.confidence >= reading.sure_from]
    sure.sort(key=lambda known: (-abs(known[1].score - 0.5) * known[1].confidence, known[0]))
    return [Leaning(dimension, _side(score.score, reading.middle)) for dimension, score in sure]


def _side(score: float, middle: float) -> Side:
    if abs(score - 0.5) <= middle:
        return Side.BOTH
    return Side.ONE if score > 0.5 else Side.OTHER
