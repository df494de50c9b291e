"""PR-12: what of a text can be seen, and how long it is as people count.

A character that people count is a grapheme: what Unicode calls an extended grapheme cluster, after NFC. Some code
points show nothing: they only steer how their neighbours are drawn, or fill a place. One that steers nothing is taken
away.
"""

import unicodedata
from typing import Final

import regex

MOST_IN_ONE: Final = 16
"""The most code points of one grapheme. A family emoji with four skin tones has 11; the longest syllables fewer."""
CODE_POINTS_EACH: Final = 8
"""A text of n graphemes has at most n times as many code points. The contract bounds texts by it."""

TAG_FLAGS: Final = (
    r"(?<=\U0001f3f4)\U000e0067\U000e0062"
    r"(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)\U000e007f"
)
"""The tags of the flags of England, Scotland and Wales: the only ones that are drawn. Other tags would hide a text."""

_GRAPHEME: Final = regex.compile(r"\X")
_INVISIBLE: Final = r"[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]"
# Code points that are drawn as an empty place, though they are letters or symbols: braille blank, null notehead,
# half and full blanks of hieroglyphs, and the fillers of Hangul and Khitan.
_BLANK: Final = r"\u2800\U0001d159\U00013441\U00013442\U00016fe4\u115f\u1160\u3164\uffa0"
_SEEN: Final = regex.compile(rf"(?![{_BLANK}]|{_INVISIBLE})[\p{{L}}\p{{N}}\p{{P}}\p{{S}}]")
_EDGES: Final = regex.compile(rf"\A(?:[\s{_BLANK}]|{_INVISIBLE})+|[\s{_BLANK}]+\Z")

# Where an invisible character does something. Joiners: between letters of scripts that join, or after a virama; between
# two pictures of one emoji. Selectors: after an emoji, an ideograph, or letters that have variants. Marks of direction:
# in a text that has letters which run from right to left.
# The neighbours are ones that can be seen: an invisible one may be taken away itself.
_JOINING: Final = (
    rf"(?!{_INVISIBLE})"
    r"[\p{Arabic}\p{Syriac}\p{Mongolian}\p{Nko}\p{Mandaic}\p{Adlam}\p{Hanifi_Rohingya}\p{Devanagari}\p{Bengali}"
    r"\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}\p{Telugu}\p{Kannada}\p{Malayalam}\p{Sinhala}\p{Khmer}\p{Myanmar}"
    r"\p{Tibetan}\p{Balinese}\p{Javanese}]"
)
_UNSPACED: Final = rf"(?!{_INVISIBLE})[\p{{Thai}}\p{{Lao}}\p{{Khmer}}\p{{Myanmar}}]"
_VIRAMA: Final = r"\p{Canonical_Combining_Class=9}"
_PICTURE: Final = r"\p{Extended_Pictographic}"
_WORKING: Final = (
    rf"(?<={_JOINING})[\u200c\u200d](?={_JOINING})|(?<={_VIRAMA})[\u200c\u200d]"
    rf"|(?<={_PICTURE}[\ufe0f\U0001f3fb-\U0001f3ff]?)\u200d(?={_PICTURE})"
    r"|(?<=[\p{Emoji}\p{Han}])[\ufe0e\ufe0f]"
    r"|(?<=\p{Han})[\ufe00-\ufe0d\U000e0100-\U000e01ef]|(?<=[\p{Myanmar}\p{Phags_Pa}])\ufe00"
    rf"|(?<=(?!{_INVISIBLE})\p{{Mongolian}})[\u180b-\u180f]"
    rf"|(?<={_UNSPACED})\u200b(?={_UNSPACED})"
    rf"|{TAG_FLAGS}"
)
_TO_THE_LEFT: Final = regex.compile(r"(?=\p{L})[\p{Bidi_Class=R}\p{Bidi_Class=AL}]")
_OF_DIRECTION: Final = rf"[\u200e\u200f\u061c](?!{_INVISIBLE})"
_REPEATED: Final = regex.compile(rf"({_INVISIBLE})\1+")
_KEPT_OR_NOT: Final = regex.compile(rf"({_WORKING})|{_INVISIBLE}")
_KEPT_OR_NOT_TO_THE_LEFT: Final = regex.compile(rf"({_WORKING}|{_OF_DIRECTION})|{_INVISIBLE}")
_IDLE: Final = regex.compile(rf"{_INVISIBLE}+")


def tidy(text: str) -> str:
    """The text composed (NFC), without invisible characters that do nothing, and without blanks at its ends."""
    if text.isascii():
        return text.strip()
    after = _tidied(text)
    while after != text:  # taking away can put marks into another order, and so beside other neighbours
        text, after = after, _tidied(after)
    return after


def _tidied(text: str) -> str:
    composed = _REPEATED.sub(r"\1", unicodedata.normalize("NFC", text))
    kept_or_not = _KEPT_OR_NOT_TO_THE_LEFT if _TO_THE_LEFT.search(composed) else _KEPT_OR_NOT
    return unicodedata.normalize("NFC", _EDGES.sub("", kept_or_not.sub(lambda found: found[1] or "", composed)))


def shows_nothing(text: str) -> bool:
    """Whether there is nothing to see: no letter, digit, punctuation or symbol but blank ones."""
    return _SEEN.search(text) is None


def length(text: str) -> int:
    """How many characters people count, of a text that is tidy. What shows nothing by itself counts nothing."""
    return sum(1 for each in _GRAPHEME.finditer(text) if not _IDLE.fullmatch(each[0]))


def is_overloaded(text: str) -> bool:
    """Whether a grapheme has more code points than any script or emoji needs: marks piled up over other text."""
    return any(match.end() - match.start() > MOST_IN_ONE for match in _GRAPHEME.finditer(text))
