"""What a character shows: the Latin letter or the digit that a reader sees in it.

People disguise what they may not write: in letters of other scripts that look alike, in mathematical or circled
letters, with strokes and marks, upside down, or between characters that nobody sees.
"""

import json
import re
import unicodedata
from functools import lru_cache
from importlib.resources import files
from typing import Any

import regex

from unora_text.lists import in_order
from unora_text.visible import TAG_FLAGS

_UNSEEN = regex.compile(
    r"[\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800\u20e3\U0001d159\p{Me}--\U0001f3fb]", regex.V1
)
_FILLERS = regex.compile("[\u115f\u1160\u3164\uffa0\u2800\U0001d159]")
_FLAGS = regex.compile(TAG_FLAGS)
_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
_NAMED = re.compile(
    r"(?:LATIN|NEGATIVE|SQUARED|CIRCLED|CROSSED|MODIFIER LETTER) .*?"
    r"(?:LETTER|CAPITAL|SMALL)(?: SMALL| CAPITAL| REVERSED| TURNED| OPEN| DOTLESS| LONG| SCRIPT| INSULAR"
    r"| BARRED)* ([A-Z]{1,2})(?: |$)"
)
_SCRIPTS = (
    "CYRILLIC",
    "GREEK",
    "COPTIC",
    "ARMENIAN",
    "CHEROKEE",
    "LISU",
    "GEORGIAN",
    "DESERET",
    "OLD ITALIC",
    "CANADIAN",
)

# Where the list of confusable characters has no Latin letter, or not the one that a reader of words sees.
_SEEN = dict(zip("вгдзикнптьбчяєэълшщџɩιηωυνκρτχγβεσδλαѡөѳҝқғҳңүұўґміїјѕԁԛԝһӏʜɴʀɪᴉıǀ",
                 "brdeukhntbbyreebnwwuiinwuvkptxybeodaawookkfxhyyyrmiijsdqwhlhnriiil", strict=True))  # fmt: skip
_STROKED = dict(
    zip(in_order("ß æ œ ø ł đ ð þ ħ ı ŋ ŧ ĸ ƒ ſ"), in_order("ss ae oe o l d d th h i n t k f s"), strict=True)
)
_FLIPPED = dict(zip("ɐqɔpǝɟƃɓɥᴉıɾʞ˥ʅɯuodbɹsʇnʌʍxʎzɐɒᴎ˙¿¡", "abcdefgghiijkllmnopqrstuvwxyzaan.?!", strict=True))
_ONLY_FLIPPED = frozenset("ɐɔǝɟƃɥᴉɾʞ˥ʅɯɹʇʌʍʎ")


def _latin_letters() -> dict[str, str]:
    """The Latin letters that characters look like, by the list of confusable_homoglyphs. Its own module keeps the whole
    list, which takes ten times as much memory.
    """

    def latin(pairs: dict[str, Any]) -> Any:
        if pairs.keys() != {"c", "n"}:
            return pairs  # the list itself
        return pairs["c"] if pairs["c"].isascii() and pairs["c"].isalpha() else None

    listed = (files("confusable_homoglyphs") / "confusables.json").read_bytes()
    found = {char: next(filter(None, others), "") for char, others in json.loads(listed, object_hook=latin).items()}
    return {char: letter for char, letter in found.items() if letter and not char.isascii() and len(char) == 1}


_LOOKS_LATIN = _latin_letters()


def without_unseen(text: str) -> str:
    """The text without characters that nobody sees. What only fills a place becomes a space."""
    return str(_UNSEEN.sub("", _FILLERS.sub(" ", text)))


def without_marks(text: str) -> str:
    """The text without accents and strokes through letters; signs that a script cannot do without stay."""
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", text)))


@lru_cache(maxsize=4096)
def shown(char: str) -> str:
    """What one character shows: an ASCII digit, a Latin letter in its case, or itself."""
    if char.isascii():
        return char
    if (value := unicodedata.numeric(char, -1.0)) >= 0 and value == int(value):
        ideograph = unicodedata.category(char) == "Lo"
        return str(int(value)) if value < (10 if ideograph else 1000) else char
    name = unicodedata.name(char, "")
    if name.startswith("DIE FACE-"):
        return (
            str(in_order("ONE TWO THREE FOUR FIVE SIX").index(name[9:].replace("-", " ").split()[0]) + 1)
            if not name[9:].isdigit()
            else name[9:]
        )
    if (lower := char.lower()) in _STROKED:
        return _STROKED[lower] if char == lower else _STROKED[lower].upper()
    if not name.startswith(_SCRIPTS) and (found := _NAMED.match(name)):
        letter = found[1]
        return letter if "CAPITAL" in name and "SMALL CAPITAL" not in name else letter.lower()
    if name.startswith("REGIONAL INDICATOR"):
        return char
    return char


@lru_cache(maxsize=4096)
def looks_like(char: str) -> str:
    """The small Latin letter that a character of another script looks like, or itself."""
    lower = char.lower()
    if lower.isascii():
        return lower
    if char != lower and char in _LOOKS_LATIN:
        return _LOOKS_LATIN[char].lower()
    if lower in _SEEN:
        return _SEEN[lower]
    base = _MARKS.sub("", unicodedata.normalize("NFKD", lower))
    if base != lower and len(base) == 1:
        return looks_like(base)
    return (_LOOKS_LATIN.get(char) or _LOOKS_LATIN.get(lower) or lower).lower()


def flags_as_letters(text: str) -> str:
    """Regional indicators as the letters that they are: some spell words with them."""
    return "".join(chr(ord(char) - 0x1F1E6 + 97) if "\U0001f1e6" <= char <= "\U0001f1ff" else char for char in text)


def tags_as_letters(text: str) -> str:
    """The characters that are hidden in tags, in the order in which they stand; empty if there are none."""
    unflagged = _FLAGS.sub("", text)
    return "".join(chr(ord(char) - 0xE0000) for char in unflagged if "\U000e0020" <= char <= "\U000e007e")


def upright(text: str) -> list[str]:
    """The text with what stands upside down turned: as a whole, and word by word. Empty if nothing does."""
    if _ONLY_FLIPPED.isdisjoint(text):
        return []
    turned = [text if _ONLY_FLIPPED.isdisjoint(text) else _turn(text) for text in text.split(" ")]
    return [_turn(text), " ".join(turned)]


def _turn(text: str) -> str:
    return "".join(_FLIPPED.get(char, char) for char in reversed(text.lower()))
