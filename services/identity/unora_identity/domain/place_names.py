"""PR-11: names of places as people type them, in any language's letters, brought to one form to compare."""

import unicodedata
from typing import Final

# What decomposition leaves alone, by what people type who do not have the letter.
_PLAIN: Final = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ŧ": "t", "ŋ": "n", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
_SILENT: Final = frozenset("'’‘ʼʻʹʾʿ`´ـ")  # typed or left out; the last is Arabic's lengthening stroke
_SPELLED_OUT: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})


def fold(text: str) -> str:
    """The text without case, accents, width, punctuation and repeated spaces; empty if nothing is left.

    Marks that make another letter stay, such as the voicing marks of Japanese and the vowel signs of Indian scripts.
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).translate(_PLAIN)
    return " ".join("".join(map(_folded, plain)).split())


def spellings(name: str) -> set[str]:
    """The folded forms by which a name is found: "München" also as "muenchen"."""
    composed = unicodedata.normalize("NFC", name).casefold()
    return {fold(name), fold(composed.translate(_SPELLED_OUT))} - {""}


def _folded(char: str) -> str:
    if char.isascii():
        return char if char.isalnum() else "" if char in _SILENT else " "
    category = unicodedata.category(char)
    if char in _SILENT or category == "Cf" or _is_accent(char):
        return ""
    return char if category[0] in "LMN" else " "


def _is_accent(char: str) -> bool:
    """Accents stand above or below a letter (200 and more); points of Hebrew and Arabic have 10 to 35."""
    position = unicodedata.combining(char)
    return position >= 200 or 10 <= position <= 35
