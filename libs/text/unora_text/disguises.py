"""Names of platforms in disguise: in letters that look alike, in figures, backwards, or broken into parts."""

import re
from typing import Final

from unora_text import platforms
from unora_text.letters import looks_like
from unora_text.lists import listed
from unora_text.reading import Reading

MIN_DISGUISED: Final = 4
_BIND = re.compile(r"[^\W_]+(?:[^\w\s']{1,2}[^\W_]+)+")
_LEET = (str.maketrans("013456789$@!€+|£", "oieasgtbgsaietil"), str.maketrans("013456789$@!€+|£", "oleasgtbgsaletll"))
_LEET_WORD = re.compile(r"[\w$@!€+|£]+")
_LONG_SURE = re.compile("|".join(sorted(name for name in platforms.SURE if name.isascii() and len(name) >= 5)))
_BROKEN = listed(
    "skype telegramme telegrama instagramme instagrama insta instagram instagramm telegram telegramm whatsapp "
    "snapchat facebook messenger onlyfans kakaotalk linkedin tiktok discord"
)
_SQUASHED = {name.replace("l", "i"): name for name in platforms.SURE if name.isascii()}
_SHORT_CUES = frozenset({"snap", "zap", "whats", "dm", "tele"})


def hides_platform(reading: Reading) -> bool:
    """Whether the name of a platform stands there in disguise: nobody disguises a topic."""
    low, raw = reading.low, reading.raw
    for word in reading.words:
        if word.low in platforms.HIDDEN and word.low not in raw:
            return True
        if not reading.plain and word.low not in raw and _LONG_SURE.search(word.low):
            return True
        if not reading.plain and word.low in _SHORT_CUES and word.low not in raw:
            return True
        if not word.low.isascii() and _is_lookalike(word.low):
            return True
        if len(word.low) >= 5 and (back := word.low[::-1]) in _BROKEN and back not in raw:
            return True
        if (
            word.low not in platforms.SURE
            and word.low[:1] in "l1i"
            and _SQUASHED.get(word.low.replace("l", "i").replace("1", "i"), "")[:5] in ("insta", "ig")
        ):
            return True
    return _hides_in_leet(low) or _is_broken(reading)


def _is_lookalike(word: str) -> bool:
    seen = "".join(map(looks_like, word))
    return seen.isascii() and seen in platforms.HIDDEN and len(seen) >= MIN_DISGUISED


def _hides_in_leet(low: str) -> bool:
    for match in _LEET_WORD.finditer(low):
        token = match[0].rstrip("!")
        if len(token) < MIN_DISGUISED or token.isalpha() or not any(map(str.isalpha, token)):
            continue
        for table in _LEET:
            word = token.translate(table)
            if word in platforms.HIDDEN or (word in _SHORT_CUES and token[-1:].isalpha()):
                return True
    return False


def _is_broken(reading: Reading) -> bool:
    """Whether a platform's name is broken into parts, as in "tele gram" or "ins.ta"."""
    for match in _BIND.finditer(reading.low):
        whole = re.sub(r"[\W_]", "", match[0])
        if (
            (whole in platforms.HIDDEN or whole[::-1] in _BROKEN)
            and len(whole) >= MIN_DISGUISED
            and whole not in reading.raw
        ):
            return True
    words = reading.words
    for at in range(len(words) - 1):
        for count in (2, 3, 4):
            pieces = [word.low for word in words[at : at + count]]
            if len(pieces) == count and "".join(pieces) in _BROKEN and tuple(pieces) not in platforms.NATURAL_BREAKS:
                return True
            if count == 2 and pieces[0] == "insta" and pieces[-1] in ("gram", "gramm", "grao", "grammo"):
                return True
    return False
