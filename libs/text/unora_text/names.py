"""The author's own name: each word of it, in any disguise, unless it is a common word in plain use."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import regex

from unora_text import introductions
from unora_text.common_words import COMMON_WORDS
from unora_text.letters import looks_like, without_marks
from unora_text.lists import in_order, listed
from unora_text.reading import Reading, Word

PARTICLES: Final = listed(
    "de del della dello di da do dos das du des van von vom zu zum zur den der het ten ter te la le les "
    "los las el al bin ibn ben bint abu of the y e i und and mac mc o st san santa af av mr mrs ms dr"
)
_NAME_WORD = regex.compile(r"[\p{L}\p{M}]+(?:['’ʼ-][\p{L}\p{M}]+)*")
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
_CYRILLIC = (
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґ",
    "a b v g d e e zh z i i k l m n o p r s t u f kh ts ch sh shch - y - e iu ia i i ie g",
)
_GREEK = ("αβγδεζηθικλμνξοπρσςτυφχψω", "a v g d e z i th i k l m n x o p r s s t y f ch ps o")
_ROMAN = {
    char: latin.strip("-")
    for letters, romans in (_CYRILLIC, _GREEK)
    for char, latin in zip(letters, romans.split(), strict=True)
}
_LEET = (str.maketrans("013456789$@!€+", "oieasgtbgsaiet"), str.maketrans("013456789$@!€+", "oleasgtbgsalet"))
_CHUNK = re.compile(r"\S+")
MIN_INSIDE: Final = 7
"""A word of a name of so many letters is found inside longer words."""


@dataclass(frozen=True)
class NameWord:
    """One word of a name, in all ways of writing it in Latin letters or its own."""

    forms: frozenset[str]
    common: bool
    unspaced: bool

    @property
    def longest(self) -> str:
        """Its longest form."""
        return max(self.forms, key=len)


@lru_cache(maxsize=1024)
def name_words(name: str) -> tuple[NameWord, ...]:
    """The words of a name that tell who somebody is: particles and initials do not."""
    found = []
    for match in _NAME_WORD.findall(unicodedata.normalize("NFKC", name).replace("’", "'")):
        for part in dict.fromkeys([match, *re.split(r"['ʼ-]", match)]):
            forms = frozenset(form for form in _forms(part) if len(form) > 1 or _UNSPACED.search(form))
            if forms and forms.isdisjoint(PARTICLES):
                unspaced = bool(_UNSPACED.search(part))
                common = not forms.isdisjoint(COMMON_WORDS) or (unspaced and len(part) == 1)
                found.append(NameWord(forms, common, unspaced))
    return tuple(found)


def _forms(word: str) -> Iterator[str]:
    letters = re.sub(r"['’ʼ-]", "", word.casefold())
    plain = "".join(looks_like(char) if regex.match(r"\p{Latin}", char) else char for char in without_marks(letters))
    yield from (plain, "".join(map(_latin_shape, without_marks(letters))))
    yield from _spellings(letters)
    yield from _romanised(without_marks(letters))


def _latin_shape(char: str) -> str:
    return {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}.get(
        char, char
    )


_SPELLINGS = (
    str.maketrans(dict(zip("äöüåøđßæ", in_order("ae oe ue aa oe dj ss ae"), strict=True))),
    str.maketrans(dict(zip("øæåñ", in_order("o ae o nn"), strict=True))),
)


def _spellings(letters: str) -> Iterator[str]:
    """Ways to write letters with marks in plain ones."""
    for table in _SPELLINGS:
        yield without_marks(letters.translate(table))


def _romanised(word: str) -> Iterator[str]:
    """Cyrillic and Greek in Latin letters, as passports and as people write them."""
    if not any(char in _ROMAN for char in word):
        return
    latin = "".join(_ROMAN.get(char, char) for char in word)
    yield latin
    yield latin.replace("iu", "yu").replace("ia", "ya").replace("kh", "h").replace("ie", "ye")
    yield latin.replace("iu", "ju").replace("ia", "ja").replace("kh", "ch").replace("v", "w").replace("zh", "sch")
    yield re.sub(r"i?i$", "y", latin)
    yield latin.replace("v", "b").replace("ch", "h").replace("th", "t")


def has_name(reading: Reading, name: str) -> bool:
    """Whether a text tells a word of the name, or introduces anybody by name."""
    own = name_words(name)
    if own and _has_own(reading, own):
        return True
    match = introductions.NAMED.search(reading.cased)
    return bool(match and match[1].lower() not in introductions.NO_NAMES)


def _has_own(reading: Reading, own: tuple[NameWord, ...]) -> bool:
    if any(_stands_unspaced(reading, word) for word in own if word.unspaced):
        return True
    latin = [word for word in own if not word.unspaced]
    if not latin:
        return False
    sure = {form for word in latin if not word.common for form in word.forms}
    common = {form for word in latin if word.common for form in word.forms}
    return (
        any(_tells(reading, at, word, sure, common) for at, word in enumerate(reading.words))
        or _is_disguised(reading, sure | common)
        or _is_inside(reading, latin)
    )


def _stands_unspaced(reading: Reading, word: NameWord) -> bool:
    text = reading.low.replace(" ", "")
    for form in word.forms:
        at = text.find(form)
        while at >= 0:
            if (
                not word.common
                or introductions.UNSPACED_INTRO.search(text[:at])
                or introductions.UNSPACED_AFTER.search(text[at + len(form) :])
            ):
                return True
            at = text.find(form, at + 1)
    return False


def _tells(reading: Reading, at: int, word: Word, sure: set[str], common: set[str]) -> bool:
    shapes = _shapes(word.low)
    if not shapes.isdisjoint(sure):
        return True
    if shapes.isdisjoint(common):
        return False
    if word.low not in reading.raw and not _accents_only(word, reading):
        return True
    before, after = reading.low[max(0, word.start - 40) : word.start], reading.low[word.end :]
    capital = word.cased[:1].isupper() or word.cased[:1] == word.cased[:1].upper()
    if introductions.STRONG_BEFORE.search(before) and (
        capital or not re.search(r"calls? me\W*$|genannt\W*$|named\W*$|dites\W*$|ici\W*$|dim(?:mi|e)\W*$", before)
    ):
        return True
    if capital and (introductions.BEFORE.search(before) or introductions.AFTER.match(after)):
        return True
    following = reading.words[at + 1] if at + 1 < len(reading.words) else None
    return bool(
        following
        and capital
        and following.cased[:1].isupper()
        and following.low != word.low
        and not _shapes(following.low).isdisjoint(common)
        and reading.low[word.end : following.start].strip() == ""
    )


def _accents_only(word: Word, reading: Reading) -> bool:
    return word.low in without_marks(reading.raw) or "ß" in reading.raw or "ss" in word.low


def _shapes(low: str) -> set[str]:
    """A word as it may stand for a name: with the s of a genitive, with letters drawn out, in Latin letters."""
    shapes = {low}
    if len(low) > 3 and low[-1] == "s":
        shapes.add(low[:-1])
    if not low.isascii():
        shapes.update(_romanised(low))
        shapes.add("".join(looks_like(char) for char in low))
    if re.search(r"(\w)\1\1", low):
        shapes.update((re.sub(r"(\w)\1{2,}", r"\1", low), re.sub(r"(\w)\1{2,}", r"\1\1", low)))
    return shapes


def _is_disguised(reading: Reading, forms: set[str]) -> bool:
    """Whether a name stands there in parts, backwards, in figures, or between other letters of a handle."""
    backwards = bool(introductions.BACKWARDS.search(reading.low))
    for match in _CHUNK.finditer(reading.low):
        chunk = match[0]
        if len(chunk) > 80:
            chunk = chunk[:80]
        pieces = re.findall(r"[^\W_]+", chunk)
        whole = "".join(pieces)
        letters = re.sub(r"\d", "", whole)
        if len(pieces) > 1 and any(
            "".join(pieces[a:b]) in forms
            for a in range(len(pieces))
            for b in range(a + 2, min(len(pieces), a + 12) + 1)
        ):
            return True
        turned = whole[::-1]
        if turned in forms and turned not in reading.raw and (backwards or len(turned) > 4) and turned != whole:
            return True
        if (len(pieces) > 1 or letters != whole) and _in_handle(chunk, forms):
            return True
        if letters != whole or re.search(r"[$@!€+]\w", chunk):
            bare = chunk.strip(".,;:!?()\"'")
            if any(bare.translate(table) in forms and len(bare) > 2 and not bare.isalpha() for table in _LEET):
                return True
    return False


def _in_handle(chunk: str, forms: set[str]) -> bool:
    """Whether a handle holds a name: beside digits, underscores, dots, or after @ or #."""
    if not re.search(r"[_\d@#]|\w\.\w", chunk):
        return False
    pieces, bare = re.findall(r"[^\W\d_]{3,}", chunk), chunk.strip(".,!?'\"")
    return any(
        piece == form or (len(form) > 3 and len(piece) > len(form) and piece.startswith(form))
        for form in forms
        if len(form) > 2 and bare not in (form, form + "s", form + "'s")
        for piece in pieces
    )


def _is_inside(reading: Reading, own: list[NameWord]) -> bool:
    """Whether a longer word holds a long word of the name, or two words of it."""
    for word in reading.words:
        low = word.low
        if len(low) < MIN_INSIDE:
            continue
        inside = [each for each in own if any(len(form) > 2 and form in low for form in each.forms)]
        if any(len(form) >= MIN_INSIDE and form in low for each in inside if not each.common for form in each.forms):
            return True
        if len(inside) > 1 and any(
            a != b and (a + b) in low
            for one in inside
            for two in inside
            for a in one.forms
            for b in two.forms
            if len(a) > 2 and len(b) > 2
        ):
            return True
    return False
