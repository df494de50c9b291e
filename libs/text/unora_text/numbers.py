"""The numbers of a text, written in digits, in words, or in both, and which of them stand together."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from unora_text.lookalikes import as_digits
from unora_text.number_words import LINKS, LONGEST, MULTIPLIERS, NUMBER_WORDS, SCALES, THEN, TIMES, WEAK
from unora_text.reading import Reading, Word

MIN_SOLID: Final = 8
"""Fewer letters are not searched for several numbers written as one word."""
MAX_SOLID: Final = 80
_PIECE = re.compile(r"\d+|[^\d]+")
_SYLLABLES = re.compile("[\u3040-\u30ff\uac00-\ud7a3]+")
_BREAKING = re.compile("[°%€$£¥×=½¼¾⁄]")
_UNIT_DIGIT = range(1, 10)
_TEEN = range(10, 20)


@dataclass(slots=True)
class Number:
    """One number as it is said."""

    digits: str
    start: int
    end: int
    spelled: bool
    scaled: bool = False
    """Whether it is told in thousands or more: a quantity."""
    weak: bool = False
    """Whether its word often means something else."""

    @property
    def value(self) -> int:
        """The number that the digits make."""
        return int(self.digits[:18])


@dataclass(slots=True)
class Run:
    """Numbers that stand together: between them are only punctuation and words such as "then"."""

    numbers: list[Number] = field(default_factory=list)
    words_before: int = 0
    """How many other words stand between this run and the one before."""


def runs(reading: Reading) -> list[Run]:
    """All numbers of a text, in runs."""
    found = [Run()]
    strangers, multiplier, linked, end = 0, 1, False, 0
    for word in reading.words:
        gap, end = reading.low[end : word.start], word.end
        current = found[-1].numbers
        if current and _BREAKING.search(gap):
            found.append(Run())
            current = found[-1].numbers
        if (parts := _numbers(word)) is None:
            if word.low in TIMES and current and not strangers and 2 <= current[-1].value <= 4:  # noqa: PLR2004
                multiplier = current.pop().value
            elif word.low in MULTIPLIERS:
                multiplier = MULTIPLIERS[word.low]
            elif word.low in SCALES and current and not strangers:
                current[-1].scaled = True
            elif word.low in THEN:
                linked = word.low in LINKS
            else:
                strangers += 1
                multiplier = 1
            continue
        if linked and current and not strangers and _are_listed(current[-1], parts[0]):
            strangers = 1
        if strangers and current:
            found.append(Run(words_before=strangers))
            current = found[-1].numbers
        elif strangers:
            found[-1].words_before += strangers
        strangers = 0
        for number in parts:
            number.digits *= multiplier
            if current and _completes(current[-1], number, linked, gap):
                current[-1].digits = str(_together(current[-1].value, number.value))
                current[-1].end = number.end
            else:
                current.append(number)
            multiplier, linked = 1, False
    return [run for run in found if run.numbers]


def _are_listed(one: Number, two: Number) -> bool:
    """Whether "and" between two numbers lists them: parts of one number are spelled, short, or begin with a zero."""
    return not any(number.spelled or number.digits[0] == "0" or len(number.digits) < 2 for number in (one, two))  # noqa: PLR2004


def _numbers(word: Word) -> list[Number] | None:
    """The numbers that one word holds, or None if it holds anything else."""
    low = word.low
    if low.isdecimal():
        return [Number(low, word.start, word.end, spelled=False)]
    if low in NUMBER_WORDS:
        return [_spelled(NUMBER_WORDS[low], word)]
    if low.strip("o") == "":
        return [Number("0" * len(low), word.start, word.end, spelled=True)]
    if digits := as_digits(word.cased):
        return [Number(digits, word.start, word.end, spelled=False)]
    pieces = _PIECE.findall(low) if any(map(str.isdecimal, low)) else None
    if pieces is None:
        least = MIN_SOLID if low.isascii() or not _SYLLABLES.fullmatch(low) else 2
        return _solid(word) if least <= len(low) <= MAX_SOLID else None
    found: list[Number] = []
    multiplier = 1
    for at, piece in enumerate(pieces):
        if piece.isdecimal():
            found.append(Number(piece * multiplier, word.start, word.end, spelled=False))
            multiplier = 1
        elif piece in MULTIPLIERS:
            multiplier = MULTIPLIERS[piece]
        elif piece in NUMBER_WORDS and (piece not in WEAK or 0 < at < len(pieces) - 1):
            found.append(_spelled(NUMBER_WORDS[piece], word))
        elif len(piece) >= 5 and (values := _split(piece)):  # noqa: PLR2004
            found += [_spelled(value, word) for value in values]
        else:
            return None
    return found


def _spelled(value: int, word: Word) -> Number:
    return Number(str(value), word.start, word.end, spelled=True, weak=word.low in WEAK)


def _solid(word: Word) -> list[Number] | None:
    values = _split(word.low)
    return [_spelled(value, word) for value in values] if values else None


def _split(letters: str) -> list[int] | None:
    """The values of the number words that letters are made of, the fewest words possible; None if they are not."""
    best: list[list[int] | None] = [[]] + [None] * len(letters)
    for end in range(1, len(letters) + 1):
        for start in range(max(0, end - LONGEST), end - letters.isascii()):
            before, value = best[start], NUMBER_WORDS.get(letters[start:end])
            if (
                before is not None
                and value is not None
                and (best[end] is None or len(before) + 1 < len(best[end] or ()))
            ):
                best[end] = [*before, value]
    return best[-1]


def _completes(before: Number, number: Number, linked: bool, gap: str) -> bool:
    """Whether a spelled number ends the one before, as in "twenty one", "vingt et un", "two hundred"."""
    if not (before.spelled and number.spelled) or "," in gap or before.digits == "0":
        return False
    ten, unit = before.value, number.value
    if 20 <= ten <= 90 and ten % 10 == 0:  # noqa: PLR2004
        return unit in _UNIT_DIGIT or (ten in (60, 80) and unit in _TEEN and not linked)
    if unit == 100 and ten in _UNIT_DIGIT:  # noqa: PLR2004
        return True
    return ten % 100 == 0 and 0 < unit < 100 and linked  # noqa: PLR2004


def _together(before: int, number: int) -> int:
    return before * number if number == 100 else before + number  # noqa: PLR2004


def values(found: list[Number]) -> Iterator[int]:
    """The values of numbers."""
    return (number.value for number in found)
