"""RE-07: the texts of templates are varied, of a fair length, and each tells two true facts."""

from __future__ import annotations

import random
from collections import Counter
from uuid import UUID

import pytest
from unora_reveal.domain.facts import Facts
from unora_reveal.domain.guard import Guard
from unora_reveal.domain.templates import template_texts
from unora_reveal.domain.voices import KINDS

from tests.unit.reveal.facts import OPTIONS, make_facts, make_hobby

pytestmark = pytest.mark.rule("RE-07")
NUMBERS = sorted(KINDS)
PAIRS = 10_000
NAMES = {option: make_hobby(option).name.lower() for option in OPTIONS}
MOST_SAME = 0.01


def members(seed: int, count: int) -> list[tuple[Facts, UUID]]:
    """Members with as few hobbies as Discovery allows, some of which are chosen far more often than others."""
    chance = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(len(OPTIONS))]
    found = []
    for _ in range(count):
        chosen = list(dict.fromkeys(chance.choices(OPTIONS, weights, k=12)))[: chance.choice((2, 2, 3, 4))]
        bio = chance.choice(("", "Mostly mornings.", "Evenings with friends, long walks outside."))
        found.append((make_facts("Grace", *map(make_hobby, chosen), bio=bio), UUID(int=chance.getrandbits(128))))
    return found


@pytest.mark.parametrize("number", NUMBERS)
def test_there_are_twelve_voices_with_different_titles(number: int) -> None:
    kind = KINDS[number]
    assert len({voice.title for voice in kind.voices}) == len({voice.opening for voice in kind.voices}) == 12
    for sentences in (kind.firsts, kind.seconds, kind.closings):
        assert len(set(sentences)) == len(sentences) >= 10


@pytest.mark.parametrize("number", NUMBERS)
def test_of_ten_thousand_texts_less_than_one_in_a_hundred_is_like_another(number: int) -> None:
    texts = Counter(next(template_texts(facts, reveal, number)) for facts, reveal in members(number, PAIRS))
    same = sum(count for count in texts.values() if count > 1)
    assert same < MOST_SAME * PAIRS, f"{same} of {PAIRS} texts are like another: write more sentences"


@pytest.mark.parametrize("number", NUMBERS)
def test_a_text_has_40_to_120_words_and_two_true_facts(number: int) -> None:
    for facts, reveal in members(number + 100, 500):
        text = next(template_texts(facts, reveal, number)).text.lower()
        assert 40 <= len(text.split()) <= 120, text
        own = {hobby.option for hobby in facts.hobbies}
        told = {option for option, name in NAMES.items() if f" {name}" in text}
        assert len(told & own) >= 2, f"{own}: {text}"


@pytest.mark.parametrize("number", NUMBERS)
def test_every_sentence_passes_the_guard_and_is_long_enough(number: int) -> None:
    """So that any combination has at least 40 words, and none is refused for what the template says."""
    kind, guard = KINDS[number], Guard(make_facts("Ada Quixley", make_hobby("chess", "the slow kind")))
    slots = {"first": "chess", "second": "novels", "invitation": "a walk", "time": "at home", "rhythm": "fresh air"}
    least = [[voice.opening for voice in kind.voices], kind.firsts, kind.seconds, kind.closings]
    shortest = [min(len(sentence.format(**slots).split()) for sentence in part) for part in least]
    assert sum(shortest) >= 40, shortest
    for sentence in [*(each for part in least for each in part), *kind.hints, *(each.title for each in kind.voices)]:
        assert not guard.faults(sentence.format(**slots)), sentence


@pytest.mark.parametrize("number", NUMBERS)
def test_a_name_in_a_text_is_avoided_by_another_voice_or_another_pair(number: int) -> None:
    """The member is called as one of their hobbies, and as words of many sentences."""
    facts = make_facts("Chess Somebody Person", *map(make_hobby, ("chess", "pottery", "hiking")))
    guard = Guard(facts)
    for _, reveal in members(number, 50):
        assert any(guard.passes(draft) for draft in template_texts(facts, reveal, number))
