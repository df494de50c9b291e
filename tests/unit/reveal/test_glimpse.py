"""Reveal 3: as good a text whether questions were answered or not, and no score, trait or rank in any (PE-06)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise, permutations, product
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_reveal.domain.facts import Facts, FramedText
from unora_reveal.domain.glimpse import choose_leanings, glimpse_texts, guess_leanings, turn_at
from unora_reveal.domain.guard import Guard
from unora_reveal.domain.labels import find_labels
from unora_reveal.domain.personality import Dimension, Leaning, Score, ScoringPolicy, Side, leanings
from unora_reveal.domain.templates import option_names
from unora_reveal.domain.themes import THEMES
from unora_reveal.providers.framer import TemplateFramer
from unora_reveal.use_cases.framing import frame_glimpse

from tests.unit.reveal.facts import any_facts, few_examples, make_facts, make_hobby

POLICY = ScoringPolicy(half_at=2.0, sure_from=0.5, middle=0.1)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = 1440 * MINUTE
EVERY = [Leaning(dimension, side) for dimension, side in product(Dimension, Side)]
ADA = make_facts(
    "Ada Quixley",
    make_hobby("bread_baking"),
    make_hobby("hiking"),
    make_hobby("chess"),
    bio="I teach physics to teenagers.",
)
scores = st.dictionaries(st.sampled_from(Dimension), st.builds(Score, st.floats(0, 1), st.floats(0.01, 0.99)))


def said(told: Sequence[Leaning]) -> list[FramedText]:
    """All template_texts."""
    return list(glimpse_texts(told, 0))


def by_answers() -> Iterator[tuple[Leaning, Leaning]]:
    """Every two things that answers may let one say."""
    for one, two in permutations(EVERY, 2):
        if one.dimension != two.dimension:
            yield one, two


def by_hobbies() -> Iterator[tuple[Leaning, ...]]:
    """What is said of members who have answered nothing, whatever two hobbies they have, at any time."""
    for options in combinations(sorted(THEMES), 2):
        facts = make_facts("", *(make_hobby(option) for option in options))
        for turn in range(6):
            yield tuple(choose_leanings([], facts, turn))


@pytest.mark.rule("PE-06")
def test_what_is_said_without_answers_is_said_with_answers_too() -> None:
    """Not one sentence and not one pair of them gives the skipping away; and no sentence tells that something was
    answered either.
    """
    with_answers = {framed.text for told in by_answers() for framed in said(told)}
    without = {framed.text for told in by_hobbies() for framed in said(told)}
    assert without <= with_answers
    assert {leaning for told in by_hobbies() for leaning in told} == set(EVERY)


def told_in_time(known: Sequence[Leaning], facts: Facts) -> set[Leaning]:
    """All that is said of a member to one who looks again and again."""
    return {leaning for turn in range(12) for leaning in choose_leanings(known, facts, turn)}


@pytest.mark.rule("PE-06", "XX-04")
def test_who_looks_often_hears_of_everybody_three_things_and_no_contradiction() -> None:
    """Else what is guessed would give itself away in time, by saying more or by taking both sides."""
    answered = [[Leaning(dimension, Side.OTHER) for dimension in [*Dimension][:count]] for count in range(6)]
    for options in combinations(sorted(THEMES), 2):
        facts = make_facts("", *(make_hobby(option) for option in options))
        for known in answered:
            told = told_in_time(known, facts)
            assert len({leaning.dimension for leaning in told}) == len(told) == 3
            assert set(known[:3]) <= told


@pytest.mark.rule("PE-06")
def test_texts_of_both_kinds_have_one_shape_and_length() -> None:
    kinds = []
    for source in (by_answers(), by_hobbies()):
        texts = [framed for told in source for framed in said(told)]
        kinds.append(texts)
        assert {framed.title for framed in texts} == {framed.title for framed in kinds[0]}
        lengths = [len(framed.text) for framed in texts]
        assert min(lengths) >= 120
        assert max(lengths) <= 190
        assert all(framed.text.count("they") + framed.text.count("They") >= 2 for framed in texts)
    means = [sum(len(framed.text) for framed in texts) / len(texts) for texts in kinds]
    assert abs(means[0] - means[1]) < 6


@pytest.mark.rule("PE-06")
def test_no_text_holds_a_score_a_trait_or_a_rank() -> None:
    for told in by_answers():
        for framed in said(told):
            assert find_labels(framed) == set()
            assert not any(str(dimension) in framed.text for dimension in Dimension)
            assert not any(char.isdigit() for char in framed.text + framed.title)


@pytest.mark.rule("PE-06")
@pytest.mark.parametrize(
    "text",
    [
        "They score high.",
        "Top ten percent.",
        "More open than 80 others.",
        "An INFP at heart.",
        "High in EXTRAVERSION.",
        "They're an introvert.",
        "Composure: strong.",
        "Ranked first.",
        "They skipped the questions.",
        "8/10",
    ],
)
def test_a_label_is_found(text: str) -> None:
    assert find_labels(FramedText("About them", text))
    assert find_labels(FramedText(text, "About them"))


@pytest.mark.rule("PE-04", "RE-06")
@few_examples
@given(any_facts, scores, st.uuids(), st.datetimes(datetime.fromisoformat("2026-01-01"), timezones=st.just(UTC)))
async def test_whoever_it_is_about_the_glimpse_passes_the_guard(
    facts: Facts, known: dict[Dimension, Score], reveal: UUID, now: datetime
) -> None:
    framed = await frame_glimpse(TemplateFramer(), facts, known, POLICY, reveal, now)
    assert Guard(facts).passes(framed)
    assert framed.title
    assert framed.text


@pytest.mark.rule("PE-06")
@few_examples
@given(any_facts, scores, st.integers(0, 2**64 - 1))
def test_two_things_are_told_each_about_something_else(facts: Facts, known: dict[Dimension, Score], turn: int) -> None:
    told = choose_leanings(leanings(known, POLICY), facts, turn)
    assert len({each.dimension for each in told}) == len(told) == 2


@pytest.mark.rule("PE-01", "PE-06")
def test_what_is_known_is_told_and_the_rest_is_guessed() -> None:
    guesses = set(guess_leanings(each.option for each in ADA.hobbies))
    known = [Leaning(Dimension.SOCIABILITY, Side.OTHER), Leaning(Dimension.STRUCTURE, Side.OTHER)]
    for count in range(3):
        told = told_in_time(known[:count], ADA)
        assert set(known[:count]) <= told
        assert told - set(known[:count]) <= guesses


@pytest.mark.rule("PE-06")
def test_a_member_without_hobbies_gets_as_good_a_text() -> None:
    nobody = make_facts("")
    for turn in range(12):
        assert len(choose_leanings([], nobody, turn)) == 2


@pytest.mark.rule("PE-04")
async def test_scores_of_the_moment_decide() -> None:
    reveal = uuid4()
    known = {Dimension.COMPOSURE: Score(1.0, 0.8), Dimension.STRUCTURE: Score(1.0, 0.8)}
    changed = {Dimension.COMPOSURE: Score(0.0, 0.8), Dimension.STRUCTURE: Score(0.0, 0.8)}
    framed = [await frame_glimpse(TemplateFramer(), ADA, each, POLICY, reveal, NOW) for each in (known, changed, known)]
    assert framed[0] == framed[2]
    assert framed[0].text != framed[1].text
    assert framed[0].title == framed[1].title, "the voice of the moment is the same"


@pytest.mark.rule("PE-06")
async def test_a_text_turns_by_itself_answered_or_not() -> None:
    """So that one that reads otherwise later does not tell that something was answered."""
    reveal = uuid4()
    for known in ({}, {Dimension.COMPOSURE: Score(1.0, 0.8), Dimension.STRUCTURE: Score(0.0, 0.8)}):
        texts = {
            (await frame_glimpse(TemplateFramer(), ADA, known, POLICY, reveal, NOW + day * DAY)).text
            for day in range(40)
        }
        assert len(texts) >= 4


def turns(reveal: UUID, days: int) -> list[datetime]:
    """The minutes in which a text turns by itself."""
    seen = [(at := NOW + minute * MINUTE, turn_at(reveal, at)) for minute in range(days * 1440)]
    return [at for (_, before), (at, after) in pairwise(seen) if before != after]


@pytest.mark.rule("PE-06", "XX-04")
def test_it_turns_within_a_day_too_at_moments_that_nobody_foresees() -> None:
    """Else two looks between two turns that everybody knows of would tell that something was answered."""
    one, other = (turns(UUID(int=number), 20) for number in (1, 2))
    assert len({at.date() for at in one}) > 17, "on nearly each day"
    assert 80 < len(one) < 160, "now and then"
    assert len({at.minute for at in one}) > 40, "at no minute of the hour above others"
    assert len({at.hour for at in one}) == 24
    assert len({sum(at.date() == day for at in one) for day in {at.date() for at in one}}) > 4, "not so many a day"
    assert len(set(one) & set(other)) < 5, "not for all at once"
    assert turn_at(UUID(int=1), NOW) == turn_at(UUID(int=1), NOW)
    assert turn_at(UUID(int=1), NOW) != turn_at(UUID(int=2), NOW)


class Labelling:
    """A framer that judges."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts

    async def drafts(self, facts: Facts, reveal_id: UUID, number: int) -> AsyncIterator[FramedText]:
        for text in self.texts:
            yield FramedText("Of another number", text)

    async def glimpses(self, told: Sequence[Leaning], turn: int) -> AsyncIterator[FramedText]:
        for text in self.texts:
            yield FramedText("About them", text)


@pytest.mark.rule("PE-06", "RE-06")
async def test_a_draft_that_labels_or_names_is_framed_again() -> None:
    framer = Labelling("An extravert.", "Ada waits.", "They wait for the kettle.")
    framed = await frame_glimpse(framer, ADA, {}, POLICY, uuid4(), NOW)
    assert framed.text == "They wait for the kettle."
    only_labels = Labelling("A score of 9", "Quixley")
    assert await frame_glimpse(only_labels, ADA, {}, POLICY, uuid4(), NOW) == option_names(ADA, Guard(ADA))
