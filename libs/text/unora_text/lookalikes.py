"""Letters that stand for digits, as in "O15l 234S"."""

import re
from typing import Final

_DIGITS = str.maketrans("oOØøQDiIl|!jzZEeAahHsS$GbBgqTt", "000000111111223344445556689977")

DIGIT_TOKEN: Final = re.compile(r"[^\s().,/+_:;*~•·–-]+")
DIGIT_LIKE: Final = re.compile(r"(?=.*\d)[0-9oOQDØøiIl|!jzZEeAaHhsS$GbBgqTt]+|[oOØQDiIl|!zZEASsGbBgqT]{1,4}")
"""A word that can be read as digits: with a digit in it, or of a few letters that look most like digits."""
FIRM: Final = re.compile(r"[a-zA-ZØ|$]\d|\d[a-zA-ZØ|$]+\d|\d[a-zA-Z|]{2}|\d[OIl|SZETQ]$|^[oO]{2,4}$")
"""Letters where no unit would stand."""
MEASURE: Final = re.compile(
    r"\d+(?:[a-zA-HJ-NP-RT-Y]|[GTMk]B|[gtm]b|[KMG]?Hz|th|st|[Aa]h|h\d\d?|[A-Z]\d?)?"
    r"|[A-HJ-NP-Z]{1,2}\d{1,4}[a-z]?"
)
"""Units, and models such as E30: no disguise by themselves."""
WORD: Final = re.compile(
    r"[Ss]o|[Ii]s|[Aa]s|[Bb]ig|[Bb]io|[Gg]o|[Bb]is|[Ll]os|[Gg]ib|[Ee]s|[Bb]oss|[Gg]as|[Bb]iss|[Bb]ob|io|il"
    r"|[Ii]l|[Ss]e|[Ii]st|[Aa]l|[Bb]ad|TB|GB|[Zz]oo|[Tt]oo"
)
"""Words that are made of such letters."""
CHESS: Final = re.compile("[a-h][1-8]")


def as_digits(word: str) -> str:
    """The digits that a word stands for if letters in it stand for some, else nothing."""
    if word.isdecimal() or CHESS.fullmatch(word) or MEASURE.fullmatch(word) or not FIRM.search(word):
        return ""
    digits = word.translate(_DIGITS) if DIGIT_LIKE.fullmatch(word) else ""
    return digits if digits.isdecimal() else ""
