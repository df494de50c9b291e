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


def texts_of(shown: Sequence[Leaning]) -> list[FramedText]:
    """The texts of all templates."""
    return list(glimpse_texts(shown, 0))


def leanings_from_answers() -> Iterator[tuple[Leaning, Leaning]]:
    """Every two leanings that answers may give."""
    for one, two in permutations(EVERY, 2):
        if one.dimension != two.dimension:
            yield one, two


def leanings_from_hobbies() -> Iterator[tuple[Leaning, ...]]:
    """What is shown of members without answers, for any two hobbies and at any time."""
    for options in combinations(sorted(THEMES), 2):
        facts = make_facts("", *(make_hobby(option) for option in options))
        for turn in range(6):
            yield tuple(choose_leanings([], facts, turn))


@pytest.mark.rule("PE-06")
def test_every_text_without_answers_may_also_come_from_answers() -> None:
    """So no sentence and no pair of sentences tells whether the member has skipped or answered the questions."""
    with_answers = {framed.text for shown in leanings_from_answers() for framed in texts_of(shown)}
    without = {framed.text for shown in leanings_from_hobbies() for framed in texts_of(shown)}
    assert without <= with_answers
    assert {leaning for shown in leanings_from_hobbies() for leaning in shown} == set(EVERY)


def shown_over_time(known: Sequence[Leaning], facts: Facts) -> set[Leaning]:
    """All leanings that are shown to a partner who looks again and again."""
    return {leaning for turn in range(12) for leaning in choose_leanings(known, facts, turn)}


@pytest.mark.rule("PE-06", "XX-04")
def test_over_time_each_member_shows_three_leanings_without_a_contradiction() -> None:
    """Otherwise guesses could be recognised over time: by more leanings, or by both sides of one."""
    answered = [[Leaning(dimension, Side.OTHER) for dimension in [*Dimension][:count]] for count in range(6)]
    for options in combinations(sorted(THEMES), 2):
        facts = make_facts("", *(make_hobby(option) for option in options))
        for known in answered:
            shown = shown_over_time(known, facts)
            assert len({leaning.dimension for leaning in shown}) == len(shown) == 3
            assert set(known[:3]) <= shown


@pytest.mark.rule("PE-06")
def test_texts_with_and_without_answers_have_the_same_shape_and_length() -> None:
    kinds = []
    for source in (leanings_from_answers(), leanings_from_hobbies()):
        texts = [framed for shown in source for framed in texts_of(shown)]
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
    for shown in leanings_from_answers():
        for framed in texts_of(shown):
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
async def test_the_glimpse_of_any_member_passes_the_guard(
    facts: Facts, known: dict[Dimension, Score], reveal: UUID, now: datetime
) -> None:
    framed = await frame_glimpse(TemplateFramer(), facts, known, POLICY, reveal, now)
    assert Guard(facts).passes(framed)
    assert framed.title
    assert framed.text


@pytest.mark.rule("PE-06")
@few_examples
@given(any_facts, scores, st.integers(0, 2**64 - 1))
def test_two_leanings_are_shown_about_two_dimensions(facts: Facts, known: dict[Dimension, Score], turn: int) -> None:
    shown = choose_leanings(leanings(known, POLICY), facts, turn)
    assert len({each.dimension for each in shown}) == len(shown) == 2


@pytest.mark.rule("PE-01", "PE-06")
def test_known_leanings_are_shown_and_the_rest_is_guessed() -> None:
    guesses = set(guess_leanings(each.option for each in ADA.hobbies))
    known = [Leaning(Dimension.SOCIABILITY, Side.OTHER), Leaning(Dimension.STRUCTURE, Side.OTHER)]
    for count in range(3):
        shown = shown_over_time(known[:count], ADA)
        assert set(known[:count]) <= shown
        assert shown - set(known[:count]) <= guesses


@pytest.mark.rule("PE-06")
def test_a_member_without_hobbies_has_two_leanings_too() -> None:
    without_hobbies = make_facts("")
    for turn in range(12):
        assert len(choose_leanings([], without_hobbies, turn)) == 2


@pytest.mark.rule("PE-04")
async def test_the_current_scores_decide() -> None:
    reveal = uuid4()
    known = {Dimension.COMPOSURE: Score(1.0, 0.8), Dimension.STRUCTURE: Score(1.0, 0.8)}
    changed = {Dimension.COMPOSURE: Score(0.0, 0.8), Dimension.STRUCTURE: Score(0.0, 0.8)}
    framed = [await frame_glimpse(TemplateFramer(), ADA, each, POLICY, reveal, NOW) for each in (known, changed, known)]
    assert framed[0] == framed[2]
    assert framed[0].text != framed[1].text
    assert framed[0].title == framed[1].title, "the template of the moment is the same"


@pytest.mark.rule("PE-06")
async def test_a_text_changes_over_time_with_and_without_answers() -> None:
    """So a text that has changed does not tell that something was answered."""
    reveal = uuid4()
    for known in ({}, {Dimension.COMPOSURE: Score(1.0, 0.8), Dimension.STRUCTURE: Score(0.0, 0.8)}):
        texts = {
            (await frame_glimpse(TemplateFramer(), ADA, known, POLICY, reveal, NOW + day * DAY)).text
            for day in range(40)
        }
        assert len(texts) >= 4


def moments_of_change(reveal: UUID, days: int) -> list[datetime]:
    """The minutes in which a text changes without new answers."""
    seen = [(at := NOW + minute * MINUTE, turn_at(reveal, at)) for minute in range(days * 1440)]
    return [at for (_, before), (at, after) in pairwise(seen) if before != after]


@pytest.mark.rule("PE-06", "XX-04")
def test_a_text_changes_several_times_a_day_at_unpredictable_moments() -> None:
    """Otherwise a text that changes between two known moments would tell that something was answered."""
    one, other = (moments_of_change(UUID(int=number), 20) for number in (1, 2))
    assert len({at.date() for at in one}) > 17, "on nearly every day"
    assert 80 < len(one) < 160, "now and then"
    assert len({at.minute for at in one}) > 40, "at any minute of the hour"
    assert len({at.hour for at in one}) == 24
    assert len({sum(at.date() == day for at in one) for day in {at.date() for at in one}}) > 4, (
        "not the same number each day"
    )
    assert len(set(one) & set(other)) < 5, "not for all reveals at the same time"
    assert turn_at(UUID(int=1), NOW) == turn_at(UUID(int=1), NOW)
    assert turn_at(UUID(int=1), NOW) != turn_at(UUID(int=2), NOW)


class LabellingFramer:
    """A framer whose drafts hold labels and names."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts

    async def drafts(self, facts: Facts, reveal_id: UUID, number: int) -> AsyncIterator[FramedText]:
        for text in self.texts:
            yield FramedText("Of another number", text)

    async def glimpses(self, shown: Sequence[Leaning], turn: int) -> AsyncIterator[FramedText]:
        for text in self.texts:
            yield FramedText("About them", text)


@pytest.mark.rule("PE-06", "RE-06")
async def test_a_draft_with_a_label_or_a_name_is_framed_again() -> None:
    framer = LabellingFramer("An extravert.", "Ada waits.", "They wait for the kettle.")
    framed = await frame_glimpse(framer, ADA, {}, POLICY, uuid4(), NOW)
    assert framed.text == "They wait for the kettle."
    only_labels = LabellingFramer("A score of 9", "Quixley")
    assert await frame_glimpse(only_labels, ADA, {}, POLICY, uuid4(), NOW) == option_names(ADA, Guard(ADA))
