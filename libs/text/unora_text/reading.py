"""The ways in which a text can be read: what it shows, with disguises undone."""

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property

import regex

from unora_text.letters import (
    flags_as_letters,
    looks_like,
    shown,
    tags_as_letters,
    upright,
    without_marks,
    without_unseen,
)

MAX_READ = 500
"""The most characters that are read at once; a longer text is read in parts that overlap."""
OVERLAP = 100
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_LATIN = regex.compile(r"\p{Latin}")
_APART = regex.compile(
    r"(?<![\p{L}\p{M}\p{N}])[\p{L}\p{N}@](?:[^\p{L}\p{N}\p{M}]{1,3}[\p{L}\p{N}@](?![\p{L}\p{N}\p{M}])){2,}"
)
_SEPARATOR = re.compile(r"[^\w@]+|_+")
_SPACED = re.compile(r"(?<!\S)\S(?: \S(?!\S)){4,}")
_STROKED_APOSTROPHES = str.maketrans("’ʼ‘`´′", "''''''")


@dataclass(frozen=True, slots=True)
class Word:
    """A run of letters and digits of a text."""

    cased: str
    low: str
    """Without case and accents; in Latin letters if some of its letters are."""
    start: int
    """Where it stands in `Reading.low`."""
    end: int


@dataclass(frozen=True)
class Reading:
    """One way to read a text."""

    cased: str
    raw: str
    """The text as it was written, without case: what is found in `low` but not here was disguised."""
    plain: bool = True
    """Whether this is the first reading, in which nothing was joined or turned."""
    words: list[Word] = field(default_factory=list, init=False)
    low: str = field(default="", init=False)

    def __post_init__(self) -> None:
        low, at, end = [], 0, 0
        for match in _WORD.finditer(self.cased):
            gap = self.cased[end : match.start()]
            word = _fold(match[0])
            at += len(gap)
            self.words.append(Word(match[0], word, at, at + len(word)))
            low += [gap, word]
            at += len(word)
            end = match.end()
        object.__setattr__(self, "low", "".join([*low, self.cased[end:]]))

    @cached_property
    def has(self) -> frozenset[str]:
        """All words."""
        return frozenset(word.low for word in self.words)


def readings(text: str) -> list[Reading]:
    """All ways to read a text, the plain one first. Each costs time, so a way that changes nothing is left out."""
    raw = unicodedata.normalize("NFC", text).casefold()
    if text.isascii():
        cased = text
        others: list[str] = []
    else:
        cased = _decoded(text)
        others = [*upright(text), *filter(None, (tags_as_letters(text),))]
        if max(text) >= "\U0001f1e6":
            others.append(flags_as_letters(cased))
    found = [cased, *(_decoded(other) for other in others)]
    for each in list(found):
        found += _joined(each)
    unique = list(dict.fromkeys(found))
    return [Reading(each, raw, plain=number == 0) for number, each in enumerate(unique)]


def parts(text: str) -> list[str]:
    """The text in parts that may be read at once. What it shows counts: unseen characters do not fill a part."""
    if len(text) <= MAX_READ:
        return [text]
    seen = without_marks(without_unseen(text))
    texts = (seen, tags_as_letters(text))
    return [each[at : at + MAX_READ] for each in texts for at in range(0, len(each), MAX_READ - OVERLAP)]


def _decoded(text: str) -> str:
    compatible = unicodedata.normalize("NFKC", without_unseen(text).translate(_STROKED_APOSTROPHES))
    return "".join(map(shown, without_marks(compatible)))


def _fold(word: str) -> str:
    """One word without case, in Latin letters if it mixes them with letters that look like them."""
    if word.isascii():
        return word.lower()
    folded = word.casefold()
    if _LATIN.search(folded):
        return "".join(map(looks_like, word))
    return without_marks(folded)


def _joined(text: str) -> list[str]:
    """The text with letters that stand apart joined: without all that is between them, and without the spaces only."""
    joined = _APART.sub(lambda match: _SEPARATOR.sub("", match[0]) if _has_letters(match[0]) else match[0], text)
    spaced = _SPACED.sub(lambda match: match[0].replace(" ", "") if _has_letters(match[0]) else match[0], text)
    return [each for each in (joined, spaced) if each != text]


def _has_letters(text: str) -> bool:
    return sum(map(str.isalpha, text)) > 2
