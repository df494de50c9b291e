"""The numbers of a text, written in digits, in words, or in both, and which of them stand together."""

import re
from dataclasses import dataclass, field
from typing import Final

from unora_text.lookalikes import as_digits
from unora_text.number_words import LINKS, LONGEST, MULTIPLIERS, NUMBER_WORDS, SCALES, THEN, TIMES, WEAK
from unora_text.reading import Reading, Word

MIN_SOLID: Final = 8
"""Fewer letters are not searched for several numbers written as one word."""
MAX_SOLID: Final = 80
_PIECE = re.compile(r"\d+|[^\d]+")
_FIGURES = (str.maketrans("01345", "oieas"), str.maketrans("01345", "oleas"))
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
    reader, end = _Reader(), 0
    for word in reading.words:
        gap, end = reading.low[end : word.start], word.end
        if _BREAKING.search(gap):
            reader.begin()
        if (numbers := _numbers(word)) is None:
            reader.hear(word.low)
        else:
            reader.take(numbers, gap)
    return [run for run in reader.found if run.numbers]


class _Reader:
    """Collects numbers in runs, word by word."""

    def __init__(self) -> None:
        self.found = [Run()]
        self._strangers = 0
        self._multiplier = 1
        self._linked = False

    @property
    def _current(self) -> list[Number]:
        return self.found[-1].numbers

    def begin(self) -> None:
        """Begin another run, if the last one has a number."""
        if self._current:
            self.found.append(Run())

    def hear(self, word: str) -> None:
        """Take a word that is no number: it may multiply one, or stand between the parts of one."""
        follows = bool(self._current) and not self._strangers
        if word in TIMES and follows and 2 <= self._current[-1].value <= 4:
            self._multiplier = self._current.pop().value
        elif word in MULTIPLIERS:
            self._multiplier = MULTIPLIERS[word]
        elif word in SCALES and follows:
            self._current[-1].scaled = True
        elif word in THEN:
            self._linked = word in LINKS
        else:
            self._strangers += 1
            self._multiplier = 1

    def take(self, numbers: list[Number], gap: str) -> None:
        """Take the numbers of one word; `gap` stands before it."""
        if self._linked and self._current and not self._strangers and _are_listed(self._current[-1], numbers[0]):
            self._strangers = 1
        if self._strangers:
            self.begin()
            self.found[-1].words_before += self._strangers
        self._strangers = 0
        for number in numbers:
            number.digits *= self._multiplier
            if self._current and _completes(self._current[-1], number, self._linked, gap):
                self._current[-1].digits = str(_together(self._current[-1].value, number.value))
                self._current[-1].end = number.end
            else:
                self._current.append(number)
            self._multiplier, self._linked = 1, False


def _are_listed(one: Number, two: Number) -> bool:
    """Whether "and" between two numbers lists them: parts of one number are spelled, short, or begin with a zero."""
    return not any(number.spelled or number.digits[0] == "0" or len(number.digits) < 2 for number in (one, two))


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
    if any(map(str.isdecimal, low)):
        return _figured(word) or _mixed(word)
    least = MIN_SOLID if low.isascii() or not _SYLLABLES.fullmatch(low) else 2
    return _solid(word) if least <= len(low) <= MAX_SOLID else None


def _figured(word: Word) -> list[Number] | None:
    """The number that a number word means whose letters are in part written as figures, as in "f1ve"."""
    readings = (word.low.translate(table) for table in _FIGURES)
    return next(([_spelled(NUMBER_WORDS[each], word)] for each in readings if each in NUMBER_WORDS), None)


def _mixed(word: Word) -> list[Number] | None:
    """The numbers of a word of digits and letters, as in "0seven7"."""
    pieces = _PIECE.findall(word.low)
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
        elif len(piece) >= 5 and (values := _split(piece)):
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
    if 20 <= ten <= 90 and ten % 10 == 0:
        return unit in _UNIT_DIGIT or (ten in (60, 80) and unit in _TEEN and not linked)
    if unit == 100 and ten in _UNIT_DIGIT:
        return True
    return ten % 100 == 0 and 0 < unit < 100 and linked


def _together(before: int, number: int) -> int:
    return before * number if number == 100 else before + number
