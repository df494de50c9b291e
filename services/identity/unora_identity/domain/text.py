"""What members write: tidied, bounded, and free of what could disguise it."""

import unicodedata

from unora_common.errors import InvalidArgument

from unora_identity.domain.policy import Bounds


class TextOutOfBounds(InvalidArgument):
    """Too short, too long, or nothing to be seen. Says which field and its bounds, never the text."""

    reason = "TEXT_OUT_OF_BOUNDS"

    def __init__(self, field: str, bounds: Bounds) -> None:
        why = f"must have {bounds.least} to {bounds.most} characters that can be seen"
        super().__init__({field: why}, least=bounds.least, most=bounds.most)


class TextNotPrintable(InvalidArgument):
    """Holds a control character, or one that turns the reading direction and can disguise what is written."""

    reason = "TEXT_NOT_PRINTABLE"

    def __init__(self, field: str) -> None:
        super().__init__({field: "holds characters that cannot be shown"})


# The zero-width joiners stay allowed: several scripts and most family emoji need them.
_BIDI_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def tidy(field: str, raw: str, bounds: Bounds, *, lines: bool = False) -> str:
    """PR-01, PR-05: trim, compose (NFC), refuse what is out of bounds or unprintable. `lines` allows line breaks."""
    text = unicodedata.normalize("NFC", raw.replace("\r\n", "\n")).strip()
    if any(_unprintable(char) and not (lines and char == "\n") for char in text):
        raise TextNotPrintable(field)
    visible = any(unicodedata.category(char)[0] in "LNPS" for char in text)
    if not bounds.least <= len(text) <= bounds.most or (bounds.least and not visible):
        raise TextOutOfBounds(field, bounds)
    return text


def _unprintable(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in _BIDI_OVERRIDES
