"""RE-06, RE-07: what a text of a model must be like, before the guard looks at it.

A model may do what the words of a member tell it to. So its text is not only searched for what it must not hold: it
may consist of nothing but everyday words and the names of the member's hobbies. That leaves no room for a name, a
number, a code, another language or an insult. Templates are ours, and need no such check.
"""

import re
from enum import StrEnum
from typing import Final

from unora_text.plain_words import is_plain
from unora_text.words import words

from unora_reveal.domain.facts import Facts, FramedText

LEAST_WORDS: Final = 40
MOST_WORDS: Final = 120
MOST_TITLE_WORDS: Final = 8
LEAST_FACTS: Final = 2
"""Hobbies of the member that a text names at least."""
_CHARACTERS: Final = re.compile(r"[A-Za-z .,;:!?'’“”\"()…–—-]+")
"""Of English prose: no digit, no symbol, no line break, nothing invisible, no letter that looks like another."""


class DraftFault(StrEnum):
    """Why a draft is no text to be shown. It may be counted, since it holds nothing of the text."""

    LENGTH = "length"
    CHARACTERS = "characters"
    WORDS = "words"
    FACTS = "facts"


def draft_faults(framed: FramedText, facts: Facts) -> set[DraftFault]:
    """All faults of a model's text about a member."""
    found = set[DraftFault]()
    title, text = words(framed.title), words(framed.text)
    if not (1 <= len(title) <= MOST_TITLE_WORDS and LEAST_WORDS <= len(text) <= MOST_WORDS):
        found.add(DraftFault.LENGTH)
    if not all(_CHARACTERS.fullmatch(each) for each in (framed.title, framed.text)):
        found.add(DraftFault.CHARACTERS)
    names = [words(hobby.name) for hobby in facts.hobbies]
    own = {word for name in names for word in name}
    if not all(word in own or is_plain(word) for word in (*title, *text)):
        found.add(DraftFault.WORDS)
    if sum(_holds(text, name) for name in names) < LEAST_FACTS:
        found.add(DraftFault.FACTS)
    return found


def _holds(text: list[str], name: list[str]) -> bool:
    """Whether the words of a name stand in a row in a text."""
    return any(text[at : at + len(name)] == name for at in range(len(text) - len(name) + 1))
