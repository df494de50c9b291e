"""From answers to scores, and from scores to leanings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_reveal.config import RevealConfig
from unora_reveal.domain.personality import (
    Dimension,
    Leaning,
    Score,
    ScoredAnswer,
    ScoringPolicy,
    Side,
    leanings,
    score_answers,
)

from tests.unit.reveal.facts import few_examples

POLICY = ScoringPolicy(half_at=2.0, sure_from=0.5, middle=0.1)
COMPOSURE, STRUCTURE = Dimension.COMPOSURE, Dimension.STRUCTURE
answered = st.lists(st.builds(ScoredAnswer, st.sampled_from(Dimension), st.booleans(), st.integers(1, 5)), max_size=40)


def answers_about(dimension: Dimension, *answers: int, reversed_: bool = False) -> list[ScoredAnswer]:
    return [ScoredAnswer(dimension, reversed_, answer) for answer in answers]


def score_of(answers: list[ScoredAnswer]) -> Score:
    """The score of the only dimension that is answered."""
    (score,) = score_answers(answers, POLICY).values()
    return score


@pytest.mark.rule("PE-01")
@pytest.mark.parametrize(
    ("answers", "score"),
    [((5, 5), 1.0), ((1,), 0.0), ((3, 3, 3), 0.5), ((4,), 0.75), ((1, 5), 0.5), ((5, 4, 4), 0.8333)],
)
def test_a_score_is_the_mean_of_the_answers(answers: tuple[int, ...], score: float) -> None:
    assert score_answers(answers_about(COMPOSURE, *answers), POLICY)[COMPOSURE].score == score
    assert (
        score_answers(answers_about(COMPOSURE, *(6 - each for each in answers), reversed_=True), POLICY)[
            COMPOSURE
        ].score
        == score
    )


@pytest.mark.rule("PE-01")
def test_confidence_grows_with_answers_and_stays_below_one() -> None:
    grown = [
        score_answers(answers_about(COMPOSURE, *[4] * count), POLICY)[COMPOSURE].confidence for count in range(1, 40)
    ]
    assert grown == sorted(set(grown))
    assert grown[:2] == [0.3333, 0.5]
    assert grown[-1] < 1


@pytest.mark.rule("PE-01")
def test_a_dimension_without_answers_has_no_score() -> None:
    assert score_answers([], POLICY) == {}
    assert set(score_answers(answers_about(COMPOSURE, 1), POLICY)) == {COMPOSURE}


@pytest.mark.rule("PE-03")
@few_examples
@given(answered)
def test_any_answers_give_only_numbers_between_zero_and_one(answers: list[ScoredAnswer]) -> None:
    for score in score_answers(answers, POLICY).values():
        assert isinstance(score.score, float)
        assert 0 <= score.score <= 1
        assert 0 < score.confidence < 1


@pytest.mark.rule("PE-02")
@few_examples
@given(answered, st.randoms(use_true_random=False))
def test_the_order_of_answers_makes_no_difference(answers: list[ScoredAnswer], chance: object) -> None:
    turned = list(answers)
    chance.shuffle(turned)  # type: ignore[attr-defined]
    assert score_answers(turned, POLICY) == score_answers(answers, POLICY)


@pytest.mark.rule("PE-06")
@pytest.mark.parametrize(
    ("score", "side"),
    [(1.0, Side.ONE), (0.61, Side.ONE), (0.6, Side.BOTH), (0.5, Side.BOTH), (0.41, Side.BOTH), (0.39, Side.OTHER)],
)
def test_a_score_becomes_a_side(score: float, side: Side) -> None:
    assert leanings({COMPOSURE: Score(score, 0.6)}, POLICY) == [Leaning(COMPOSURE, side)]


@pytest.mark.rule("PE-01", "PE-06")
def test_a_score_without_confidence_gives_no_leaning() -> None:
    assert leanings({COMPOSURE: Score(1.0, 0.49)}, POLICY) == []
    assert leanings({COMPOSURE: Score(1.0, 0.5)}, POLICY) != []


@pytest.mark.rule("PE-01")
def test_the_clearest_leaning_comes_first() -> None:
    found = leanings({COMPOSURE: Score(0.7, 0.6), STRUCTURE: Score(0.1, 0.6)}, POLICY)
    assert [each.dimension for each in found] == [STRUCTURE, COMPOSURE]


@pytest.mark.rule("PE-01")
def test_the_numbers_are_configurable() -> None:
    fields = dict.fromkeys(RevealConfig.__struct_fields__, RevealConfig.__struct_defaults__)
    assert {"personality_half_at", "personality_sure_from", "personality_middle"} <= set(fields)
    assert (
        score_answers(answers_about(COMPOSURE, 4), ScoringPolicy(half_at=1, sure_from=0.5, middle=0.1))[
            COMPOSURE
        ].confidence
        == 0.5
    )
