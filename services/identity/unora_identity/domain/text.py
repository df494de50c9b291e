"""Texts that members write: cleaned, bounded, and free of characters that could disguise them."""

import unicodedata
from typing import Final

from unora_common.errors import InvalidArgument

from unora_identity.domain.policy import Bounds


class TextOutOfBounds(InvalidArgument):
    """The text is too short, too long, or has no visible character. Names the field and its bounds, never the text."""

    reason = "TEXT_OUT_OF_BOUNDS"

    def __init__(self, field: str, bounds: Bounds) -> None:
        why = f"must have {bounds.least} to {bounds.most} characters that can be seen"
        super().__init__({field: why}, least=bounds.least, most=bounds.most)


class TextNotPrintable(InvalidArgument):
    """The text has a control character, or one that turns the reading direction and can disguise the text."""

    reason = "TEXT_NOT_PRINTABLE"

    def __init__(self, field: str) -> None:
        super().__init__({field: "has characters that cannot be shown"})


# The zero-width joiners are allowed: several scripts and most family emoji need them.
_BIDI_OVERRIDES: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_text(field: str, raw: str, bounds: Bounds, *, lines: bool = False) -> str:
    """PR-01, PR-05: the text trimmed and composed (NFC). Refuses a text that is out of bounds or not printable. `lines`
    allows line breaks.
    """
    text = unicodedata.normalize("NFC", raw.replace("\r\n", "\n")).strip()
    if any(_unprintable(char) and not (lines and char == "\n") for char in text):
        raise TextNotPrintable(field)
    visible = any(unicodedata.category(char)[0] in "LNPS" for char in text)
    if not bounds.least <= len(text) <= bounds.most or (bounds.least and not visible):
        raise TextOutOfBounds(field, bounds)
    return text


def _unprintable(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in _BIDI_OVERRIDES
