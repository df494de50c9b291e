"""Birth dates: the author's own in any way of writing, and any date or year beside a word of birth."""

import re
from datetime import date
from typing import Final

from unora_text.calendar_words import BIRTH, HOLIDAYS, MONTHS, ORDINAL_ENDINGS, ORDINALS, ROMAN, ZODIAC
from unora_text.number_words import LINKS, NUMBER_WORDS
from unora_text.reading import Reading, Word

NEAR: Final = 40
"""How many characters may stand between a word of birth and the date."""
_BIRTH = re.compile(BIRTH)
_ZODIAC = re.compile(ZODIAC)
_ADULT_YEAR = r"(?:19[3-9]\d|20[01]\d)"
_YEAR = re.compile(rf"\b{_ADULT_YEAR}\b|'[0-9]\d\b|\b[4-9]\d\b(?!\w)|\b0[0-9]\b")
_BEFORE_YEAR = re.compile(r"^[\s:,.(-]*(?:(?:in|en|el|nel|auf|do|ano|den|le|im|jahr) ?)*")
_OF = r"(?:of|de|del|di|d|do|des|van|the|le|el|il|o|da)"
_WORDED = re.compile(
    rf"(?<![\d/:])(\d{{1,2}})(?:st|nd|rd|th|er|re|e|de|ste|o|a|º|ª|°)?[\s.,·/_-]{{0,3}}(?:{_OF}[\s.]+){{0,2}}m(\d\d)\b"
)
_MONTH_FIRST = re.compile(r"\bm(\d\d)[\s.,/_-]{0,3}(?:the |le |el |den |o )?(\d{1,2})(?:st|nd|rd|th)?\b(?![:/]?\d)")
_MONTH_YEAR = re.compile(r"\bm(\d\d)[\s.,/'’_-]{0,3}(?:of |de |del |di |do |van )?'?(\d{2,4})\b")
_NUMBERS = re.compile(
    r"(?<![\d.,:/-])(\d{1,4})\s?(?:[./\-–—·•_|,年]|\s|\sm\s)\s?(\d{1,2})\s?([./\-–—·•_|,月]|\s"
    r"|$)?\s?(\d{1,4})?日?(?![\d:])"
)
_SOLID = re.compile(r"(?<!\d)\d{4}(?:\d{2}|\d{4})?(?!\d)")
_GENERATION = re.compile(
    r"\b(?:soy|sono|sou|suis|ben|bin) (?:del|de|do|uit|von|aus(?: dem jahr)?|van) (?:19|20|')?\d\d\b"
    r"|\b(?:jahrgang|jg|baujahr|bouwjaar|bj|classe|quinta del|quinta de|millesime"
    r"|made in) (?:de |del |di |')?(\d\d\d?\d?)\b"
    r"|\b(\d\d)er jahrgang\b"
)
_FRACTIONS = frozenset(
    {
        (1, 2),
        (1, 3),
        (2, 3),
        (1, 4),
        (3, 4),
        (2, 4),
        (4, 4),
        (6, 8),
        (7, 8),
        (5, 4),
        (3, 8),
        (5, 8),
        (1, 8),
        (12, 8),
        (9, 8),
        (5, 5),
        (10, 10),
        (24, 7),
    }
)
_ROMAN_DATE = re.compile(r"\b(\d{1,2})([\s./-]{1,2})(I{1,3}|IV|VI{0,3}|IX|XI{0,2})\b[\s./-]{0,2}(?=\d{2}|$)")


def has_birth_date(reading: Reading, born: date | None) -> bool:
    """Whether a text tells the birth date `born`, or says when its author was born."""
    told = _in_digits(reading)
    if born is not None and _tells(told, reading, born):
        return True
    return _says_birth(told, reading, born)


def has_any_date(reading: Reading) -> bool:
    """Whether a text tells any day of a month."""
    told = _in_digits(reading)
    return bool(_WORDED.search(told) or _MONTH_FIRST.search(told))


def _in_digits(reading: Reading) -> str:
    """The text with numbers and months in digits: "siebzehnter Mai" becomes "17 m05"."""
    if reading.has.isdisjoint(_MARKERS) and not any(len(word) > 7 for word in reading.has):
        return reading.low
    out: list[str] = []
    end, pending = 0, False
    for at, word in enumerate(reading.words):
        gap, end = reading.low[end : word.start], word.end
        value = _value(word)
        if (
            word.low in MONTHS
            and not (word.low == "sept" and pending and out[-1].isdecimal())
            and not _is_name_of_else(reading, at)
        ):
            out += [gap, f"m{MONTHS[word.low]:02d}"]
            pending = False
        elif value is not None:
            if pending and out and value < 20 and out[-1].isdecimal() and int(out[-1]) % 10 == 0 and int(out[-1]):
                out[-1] = str(int(out[-1]) + value)
            else:
                out += [gap, str(value)]
            pending = True
        elif (
            pending and word.low in LINKS and at + 1 < len(reading.words) and _value(reading.words[at + 1]) is not None
        ):
            continue
        else:
            out += [gap, word.low]
            pending = False
    return "".join([*out, reading.low[end:]])


_MARKERS = MONTHS.keys() | NUMBER_WORDS.keys() | ORDINALS.keys()


def _is_name_of_else(reading: Reading, at: int) -> bool:
    """Whether a month's short form is a word here: "set", "mar", "may" are, unless a number stands near."""
    word = reading.words[at]
    if word.low not in (
        "set",
        "mar",
        "may",
        "mars",
        "marco",
        "out",
        "gen",
        "dic",
        "ago",
        "mei",
        "march",
        "nisan",
        "mai",
        "dec",
        "maj",
    ):
        return False
    near = reading.words[max(0, at - 3) : at + 3]
    return not any(_value(each) is not None or any(map(str.isdecimal, each.low)) for each in near)


def _value(word: Word) -> int | None:
    low = word.low
    if low in ORDINALS:
        return ORDINALS[low]
    if low in NUMBER_WORDS and NUMBER_WORDS[low] < 32:
        return NUMBER_WORDS[low]
    for ending in ORDINAL_ENDINGS:
        if low.endswith(ending) and (value := NUMBER_WORDS.get(low.removesuffix(ending))) and value < 32:
            return value
    return NUMBER_WORDS.get(low) if low in NUMBER_WORDS else None


def _tells(told: str, reading: Reading, born: date) -> bool:
    day = (born.day, born.month)
    if any((int(m[1]), int(m[2])) == day for m in _WORDED.finditer(told)):
        return True
    if any(
        (int(m[2]), int(m[1])) == day and not (len(m[2]) == 2 and _is_year_only(m)) for m in _MONTH_FIRST.finditer(told)
    ):
        return True
    if any(
        int(m[1]) == born.month and int(m[2]) in (born.year, born.year % 100) and len(m[2]) in (2, 4) and int(m[2]) > 31
        for m in _MONTH_YEAR.finditer(told)
    ):
        return True
    if any((int(m[1]), ROMAN[m[3].lower()]) == day for m in _ROMAN_DATE.finditer(reading.cased)):
        return True
    if any(_matches(match, born) for match in _NUMBERS.finditer(told)):
        return True
    if any(match[0] in _solid(born) for match in _SOLID.finditer(told)):
        return True
    return any(
        int(year) % 100 == born.year % 100 for m in _GENERATION.finditer(told) for year in re.findall(r"\d+", m[0])[-1:]
    )


def _is_year_only(match: re.Match[str]) -> bool:
    return match[0].rstrip().endswith("'" + match[2])


def _matches(match: re.Match[str], born: date) -> bool:
    one, two, three = match[1], match[2], match[4]
    day, month, years = born.day, born.month, (born.year, born.year % 100)
    if three is None:
        if {int(one), int(two)} != {day, month} or len(one) > 2 or (int(one), int(two)) in _FRACTIONS:
            return False
        dotted, slashed = "." in match[0], "/" in match[0] or "-" in match[0]
        if dotted:
            return (int(one), int(two)) == (day, month) and (match[0].rstrip().endswith(".") or len(two) == 2)
        return slashed and (len(one) == len(two) == 2 or max(day, month) > 12)
    if len(one) == 4:
        return int(one) == born.year and {int(two), int(three)} == {day, month}
    return int(three) in years and {int(one), int(two)} == {day, month}


def _solid(born: date) -> set[str]:
    return {born.strftime(form) for form in ("%d%m%Y", "%d%m%y", "%Y%m%d", "%y%m%d", "%m%d%Y", "%m%d%y")}


def _says_birth(told: str, reading: Reading, born: date | None) -> bool:
    for match in _BIRTH.finditer(told):
        around = told[max(0, match.start() - NEAR) : match.end() + NEAR]
        after = told[match.end() : match.end() + NEAR]
        if _WORDED.search(around) or _MONTH_FIRST.search(around) or _is_date(around):
            return True
        if _YEAR.match(_BEFORE_YEAR.sub("", after)) or re.match(rf"\W*(?:\w+ ){{0,2}}{_ADULT_YEAR}\b", after):
            return not match[0].startswith(
                (
                    "anniversaire",
                    "aniversario",
                    "birthday",
                    "geburtstag",
                    "compleanno",
                    "verjaardag",
                    "jahrgang",
                    "classe",
                    "baujahr",
                    "bouwjaar",
                    "completo",
                )
            )
        if born is not None and any(
            re.search(name, around) and (month, day) == (born.month, born.day) for name, month, day in HOLIDAYS
        ):
            return True
    return bool(_ZODIAC.search(told) and (_WORDED.search(told) or _MONTH_FIRST.search(told)))


def _is_date(text: str) -> bool:
    """Whether a text holds a day and a month in digits."""
    for match in _NUMBERS.finditer(text):
        one, two, three = int(match[1]), int(match[2]), match[4]
        if (
            1 <= one <= 31
            and 1 <= two <= 31
            and min(one, two) <= 12
            and ("." in match[0] or "/" in match[0] or "-" in match[0] or three)
        ):
            return True
    return False
