"""Texts from templates: a topic for each number, the same text for the same reveal, always checked by the guard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_reveal.domain.facts import Facts, FramedText
from unora_reveal.domain.guard import Guard
from unora_reveal.domain.personality import Leaning
from unora_reveal.domain.templates import option_names, template_texts
from unora_reveal.providers.framer import TemplateFramer
from unora_reveal.use_cases.framing import frame

from tests.unit.reveal.facts import any_facts, few_examples, make_facts, make_hobby

NUMBERS = (1, 2, 4)
numbers = st.sampled_from(NUMBERS)
BIO = "I teach physics to teenagers, and most evenings I bake for friends."
ADA = make_facts(
    "Ada Quixley",
    make_hobby("bread_baking", "A starter that is older than my phone"),
    make_hobby("hiking", "Long trails and too much cheese in my bag"),
    make_hobby("chess", "Losing gracefully to people half my age"),
    bio=BIO,
    occupation="Physics teacher at the old school by the river",
    city="Leeds",
)


@pytest.mark.rule("RE-06")
@few_examples
@given(any_facts, st.uuids(), numbers)
async def test_the_text_about_any_member_passes_the_guard(facts: Facts, reveal: UUID, number: int) -> None:
    framed = await frame(TemplateFramer(), facts, reveal, number)
    assert Guard(facts).passes(framed)
    assert framed.title
    assert framed.text


@pytest.mark.rule("RE-06")
@few_examples
@given(any_facts, st.lists(st.text(min_size=1, max_size=40), max_size=6), st.text(max_size=60))
def test_the_last_fallback_passes_for_any_options_and_names(facts: Facts, names: list[str], name: str) -> None:
    """Also options that are names, phone numbers or the member's own words."""
    odd = make_facts(
        name, *(make_hobby(each, facts.bio) for each in [*names, name]), bio=" ".join(names), city=facts.city
    )
    assert Guard(odd).passes(option_names(odd, Guard(odd)))


@pytest.mark.rule("RE-06")
def test_the_last_fallback_holds_only_option_names() -> None:
    framed = option_names(ADA, Guard(ADA))
    assert (framed.title, framed.text) == ("Bread baking", "Bread baking · Hiking · Chess")


@pytest.mark.rule("RE-06")
def test_the_last_fallback_leaves_out_an_option_that_is_the_name() -> None:
    facts = make_facts("Hiking Will Chess", make_hobby("hiking"), make_hobby("pottery"), make_hobby("chess"))
    assert option_names(facts, Guard(facts)) == FramedText("Pottery", "Pottery")


@pytest.mark.rule("RE-06")
@pytest.mark.parametrize("number", NUMBERS)
def test_each_template_is_a_whole_text_without_the_members_words(number: int) -> None:
    for framed in template_texts(ADA, uuid4(), number):
        assert Guard(ADA).passes(framed)
        assert len(framed.text.split()) >= 12
        for theirs in ("cheese", "starter", "phone", "Leeds", "physics", "grace"):
            assert theirs.lower() not in framed.text.lower()


@pytest.mark.rule("RE-09")
@few_examples
@given(any_facts, st.uuids(), numbers)
def test_the_same_reveal_gets_the_same_texts(facts: Facts, reveal: UUID, number: int) -> None:
    assert list(template_texts(facts, reveal, number)) == list(template_texts(facts, reveal, number))


@pytest.mark.rule("RE-06")
def test_texts_are_varied() -> None:
    texts = {next(template_texts(ADA, uuid4(), number)).text for number in NUMBERS for _ in range(100)}
    assert len(texts) >= 290
    assert len({framed.title for number in NUMBERS for framed in template_texts(ADA, uuid4(), number)}) == 36


class CarelessFramer:
    """A framer whose drafts hold whatever a test gives it."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts
        self.asked = 0

    async def drafts(self, facts: Facts, reveal_id: UUID, number: int) -> AsyncIterator[FramedText]:
        for text in self.texts:
            self.asked += 1
            yield FramedText("About them", text)

    async def glimpses(self, leanings: Sequence[Leaning], turn: int) -> AsyncIterator[FramedText]:
        async for draft in self.drafts(ADA, uuid4(), turn):
            yield draft


@pytest.mark.rule("RE-06", "RE-07")
async def test_a_refused_draft_is_framed_again() -> None:
    framer = CarelessFramer("Ada bakes.", "Call 0171 5550123", "A baker at heart.", "never asked for")
    framed = await frame(framer, ADA, uuid4(), 1)
    assert framed.text == "A baker at heart."
    assert framer.asked == 3


@pytest.mark.rule("RE-06", "RE-07")
async def test_a_framer_that_never_passes_leaves_only_option_names() -> None:
    framed = await frame(CarelessFramer("Ada", "quixley", BIO), ADA, uuid4(), 1)
    assert framed == option_names(ADA, Guard(ADA))


@pytest.mark.rule("RE-07")
def test_a_hobby_without_a_theme_is_framed_too() -> None:
    facts = make_facts("", make_hobby("glass_blowing"), make_hobby("chess"))
    texts = [framed.text for number in NUMBERS for framed in template_texts(facts, uuid4(), number)]
    assert all("glass blowing" in text and "chess" in text for text in texts)
