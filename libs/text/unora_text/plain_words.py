"""Everyday words: a text made of nothing else names nobody and says nothing rude, and nothing can be hidden in it."""

from typing import Final

from unora_text.lists import from_file
from unora_text.words import words

_WORDS: Final = frozenset(part for word in from_file("plain_words.txt") for part in words(word))
_ENDINGS: Final = (("ies", "y"), ("ied", "y"), ("ier", "y"), ("iest", "y"), ("ily", "y"), ("ves", "f"), ("ves", "fe"))
"""Endings of regular forms that change the word before them, and what the word itself ends in."""
LEAST_BASE: Final = 3
"""Shorter words have no regular forms: of `as` and `be`, endings would make words that nobody meant."""
_REFUSED: Final = frozenset({"mating", "mated", "stoned", "bras", "loads"})
"""Forms that are words of their own."""
_ADDED: Final = ("s", "es", "d", "ed", "ing", "r", "er", "st", "est", "ly", "ful", "ness")
"""Endings that are added to the word, without or with its last letter twice, or in place of a last e."""


def is_plain(word: str) -> bool:
    """Whether a word, as `words` gives it, is an everyday word or a regular form of one."""
    if word in _WORDS:
        return True
    return word not in _REFUSED and any(len(base) >= LEAST_BASE and base in _WORDS for base in _bases(word))


def _bases(word: str) -> set[str]:
    found = {word}
    for ending, instead in _ENDINGS:
        if word.endswith(ending):
            found.add(word.removesuffix(ending) + instead)
    for ending in _ADDED:
        if word.endswith(ending):
            stem = word.removesuffix(ending)
            found |= {stem, f"{stem}e", *([stem[:-1]] if stem[-1:] == stem[-2:-1] else [])}
    return found
