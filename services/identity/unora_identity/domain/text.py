"""Texts that members write: cleaned, bounded, and free of characters that could disguise them."""

import unicodedata
from typing import Final

from unora_common.errors import InvalidArgument
from unora_text.visible import CODE_POINTS_EACH, is_overloaded, length, shows_nothing, tidy

from unora_identity.domain.policy import Bounds


class TextOutOfBounds(InvalidArgument):
    """The text is too short, too long, or shows nothing; or one of its characters carries more marks than any script
    has. Names the field and its bounds, never the text.
    """

    reason = "TEXT_OUT_OF_BOUNDS"
    sentence = "The text is too short or too long."

    def __init__(self, field: str, bounds: Bounds) -> None:
        why = f"must have {bounds.least} to {bounds.most} characters that can be seen"
        super().__init__({field: why}, least=bounds.least, most=bounds.most)


class TextNotPrintable(InvalidArgument):
    """The text has a control character, or one that turns the reading direction and can disguise the text."""

    reason = "TEXT_NOT_PRINTABLE"
    sentence = "The text has characters that cannot be shown."

    def __init__(self, field: str) -> None:
        super().__init__({field: "has characters that cannot be shown"})


_BIDI_OVERRIDES: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_text(field: str, raw: str, bounds: Bounds, *, lines: bool = False) -> str:
    """PR-01, PR-05, PR-12: the text composed (NFC), without characters that show nothing where they do nothing, and
    empty if nothing can be seen of it. Refuses a text that is out of bounds, in graphemes, or not printable. `lines`
    allows line breaks.
    """
    text = raw.replace("\r\n", "\n").strip()
    if any(_unprintable(char) and not (lines and char == "\n") for char in text):
        raise TextNotPrintable(field)
    if len(text) > bounds.most * CODE_POINTS_EACH or is_overloaded(text):
        raise TextOutOfBounds(field, bounds)
    text = "" if shows_nothing(text) else tidy(text)
    if not bounds.least <= length(text) <= bounds.most:
        raise TextOutOfBounds(field, bounds)
    return text


def _unprintable(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in _BIDI_OVERRIDES
