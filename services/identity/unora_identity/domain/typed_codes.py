"""ID-02, ID-15: codes as people type them."""

import unicodedata
from typing import Final

_BETWEEN_DIGITS: Final = frozenset({"Zs", "Pd", "Cc", "Cf"})
"""Categories of Unicode: spaces, dashes, and what cannot be seen."""


def typed_digits(raw: str) -> str:
    """The digits of a code in ASCII, of any script, without spaces and dashes; "?" stands for what is no digit."""
    typed = (char for char in raw if unicodedata.category(char) not in _BETWEEN_DIGITS)
    return "".join(str(unicodedata.decimal(char, "?")) for char in typed)
