"""RE-06: what a text about a member may not hold, whoever the member is, and what in it could be a name.

A framed text is written by the service, and can be written again. So the guard refuses more here than in a member's own
words: every date, every platform, every six digits.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from unora_text.contact import Finding, find_contact
from unora_text.dates import has_any_date
from unora_text.reading import MAX_READ, readings
from unora_text.words import folded, letter_pieces, plain, unspaced_parts, words

LONGEST_UNSPACED_NAME: Final = 8
"""The most characters of a word of a name, in a script without spaces."""
MAX_PIECES: Final = 8
"""The most pieces that are tried of a word with punctuation inside, as in `d'arcy-o'neill`."""
MAX_SPELLED: Final = 40
"""The most letters that are read together when they stand apart, as in `A.n.n.a`."""

_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_ORDINAL = (
    "(?:twenty |thirty )?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|tenth|eleventh|twelfth"
    "|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|thirtieth"
)
_DAY = rf"(?:\d{{1,2}}(?: ?(?:st|nd|rd|th))?|{_ORDINAL})"
_WORD_DATE = re.compile(rf"\b(?:{_DAY} (?:of )?(?:{_MONTH})|(?:{_MONTH}) (?:the )?{_DAY})\b")
_NUMBER_DATE = re.compile(r"(?<!\d)(?:\d{1,2}[\W_]+\d{1,2}[\W_]+(?:\d{4}|\d{2})|\d{4}[\W_]+\d{1,2}[\W_]+\d{1,2})(?!\d)")
_DIGITS = {"zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
           "seven": "7", "eight": "8", "nine": "9"}  # fmt: skip
_DIGIT_WORD = re.compile(rf"\b(?:{'|'.join(_DIGITS)})\b")
_PHONE = re.compile(r"\d(?:[\W_]*\d){5,}")
_ADDRESS = re.compile(
    r"@|://|\bwww\b|[^\W_]\.[^\W\d_]{2,}|[([{ ]at[)\]} ].*\bdot\b|\bdot (?:com|net|org|me|io|de|uk)\b"
)
_HANDLE = re.compile(r"\w_\w|[^\W\d_]\d{2,}|\d{3,}[^\W\d_]")
_PLATFORM = re.compile(
    r"\b(?:e-?mail|gmail|hotmail|outlook|icloud|proton ?mail|instagram|insta|facebook|messenger|whats ?app|telegram"
    r"|snapchat|discord|tik ?tok|twitter|linked ?in|we ?chat|viber|skype|threema|mastodon|bluesky|onlyfans|ig|dms?"
    r"|phone number|my number|call me|text me)\b"
)


def general_findings(text: str) -> frozenset[Finding]:
    """What the text tells, whoever the author is."""
    flat, spaced = folded(text), " ".join(words(text))
    digits = _DIGIT_WORD.sub(lambda match: _DIGITS[match[0]], plain(text))
    found = set(find_contact(text))
    if _PHONE.search(digits):
        found.add(Finding.PHONE)
    if _ADDRESS.search(flat) or _HANDLE.search(flat) or _PLATFORM.search(spaced) or _PLATFORM.search(flat):
        found.add(Finding.CONTACT)
    if _WORD_DATE.search(spaced) or _NUMBER_DATE.search(flat) or any(map(has_any_date, readings(text[:MAX_READ]))):
        found.add(Finding.DATE)
    return frozenset(found)


def name_candidates(text: str) -> set[str]:
    """Everything in the text that could be a word of a name, in every form in which identity may have hashed it.

    A single letter of an alphabet is not taken for a name: otherwise no text could be written about a member whose name
    has an initial.
    """
    tokens = words(text)
    composed = unicodedata.normalize("NFC", text).casefold()
    forms = {composed, folded(text), plain(text)}
    found = set(tokens)
    for form in forms:
        found |= unspaced_parts(form, LONGEST_UNSPACED_NAME)
        for part in form.split():
            pieces = letter_pieces(part)  # keeps accents that cannot be composed, at which \w+ would split the word
            found.update((part, "".join(pieces), *pieces, *re.findall(r"\w+", part)))
            found.update(_stretches(part, pieces))
    found |= _spelled_out(tokens)
    found.update(word.low for reading in readings(text[:MAX_READ]) for word in reading.words)
    return {word for word in found if len(word) > 1 or unspaced_parts(word, 1)}


def _stretches(part: str, pieces: list[str]) -> Iterator[str]:
    """Substrings from each piece to each later one: a name may hold punctuation, and have more of it around."""
    ends: list[tuple[int, int]] = []
    for piece in pieces[:MAX_PIECES]:
        start = part.index(piece, ends[-1][1] if ends else 0)
        ends.append((start, start + len(piece)))
    return (part[start:end] for at, (start, _) in enumerate(ends) for _, end in ends[at:])


def _spelled_out(tokens: list[str]) -> set[str]:
    """Candidates written letter by letter."""
    found: set[str] = set()
    letters = ""
    for token in [*tokens, "  "]:
        if len(token) == 1:
            letters += token
            continue
        found |= {
            letters[start:end]
            for start in range(len(letters))
            for end in range(start + 2, min(len(letters), start + MAX_SPELLED) + 1)
        }
        letters = ""
    return found
