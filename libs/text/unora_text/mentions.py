"""Where a platform is named, and whether what stands beside it leads to the author there."""

import re

from unora_text import platforms
from unora_text.lists import listed
from unora_text.reading import Reading, Word

_JOINED = re.compile(platforms.JOINED)
_POINTING = re.compile(r"^\s*(?:[:=→➡👉»>@/]|->|\.\s|👇|\W{0,3}@)")
IDENTIFIER = re.compile(r"[^\W\d_]{3,}\d{1,4}|[^\W\d_]+\d+[^\W\d_]+\w*|\w+_\w+|[^\W_]{2,}\.[^\W_]+")
_I_AM_ON = re.compile(rf"\b{platforms.I_AM} (?:\w+ )?[\w.]+ (?:{platforms.ON}|sull'|sur l'|nell') ?$")
_FOREIGN_SURE = tuple(name for name in platforms.SURE | platforms.UNCLEAR if not name.isascii() and len(name) > 1)
_OBJECTS = listed("me mich mir moi mi my mein mon mij mio meu minha")
_UNIT_TOKEN = re.compile(r"\b(?:\d+[a-z]{1,3}|[a-z]{1,2}\d{1,3})\b")
_AT = listed("on at via auf bei sur op su en no in per")
_AIMED = re.compile(r"\W*\w+(?: ?[,.!:]|$| (?:at|on|unter|als|as|auf|a|sur|op)\b)")
_CLAUSE_END = re.compile(r"[,;.!?()–]")
_REACH = re.compile(platforms.REACH)


def names_foreign(low: str) -> bool:
    """Whether a platform is named in a script without spaces, beside something in Latin letters."""
    return not low.isascii() and any(name in low for name in _FOREIGN_SURE) and bool(re.search(r"[a-z][\w.]{2,}", low))


def names_platform(reading: Reading) -> bool:
    """Whether a platform is named and what stands beside it leads to the author there."""
    words = reading.words
    for at, word in enumerate(words):
        sure = (
            word.low in platforms.SURE
            or platforms.nearly(word.low)
            or (at + 1 < len(words) and (word.low, words[at + 1].low) in platforms.NATURAL_BREAKS)
        )
        if not sure and word.low not in platforms.UNCLEAR:
            continue
        if _leads(reading, at, sure):
            return True
    return False


def _leads(reading: Reading, at: int, sure: bool) -> bool:
    """Whether the words around a platform lead to the author there."""
    words, last = reading.words, at
    if at + 1 < len(words) and (words[at].low, words[at + 1].low) in platforms.NATURAL_BREAKS:
        last = at + 1
    after = reading.low[words[last].end :]
    if not sure:
        near = re.match(r"\W{0,3}@?([\w.]+)", after)
        hyphened = reading.low[max(0, words[at].start - 1) : words[at].start] == "-"
        return bool(near and _is_identifier(near[1].strip("."))) and not hyphened
    if any(map(IDENTIFIER.search, _UNIT_TOKEN.sub(" ", reading.low).split())) or _JOINED.search(reading.low):
        return True
    before = [each.low for each in words[max(0, at - 6) : at]]
    if _is_left(before, [each.low for each in words[last + 1 : last + 3]]):
        return False
    following = words[last + 1] if last + 1 < len(words) else None
    if following and (_POINTING.match(after) or (following.low in _OBJECTS and _AIMED.match(after))):
        return True
    beside = [*before, *(each.low for each in words[last + 1 : last + 4] if each.low not in _OBJECTS)]
    if not platforms.POINTERS.isdisjoint(beside) and not _only_topic(before, following):
        return True
    return bool(_I_AM_ON.search(reading.low[: words[at].start])) or _is_followed(reading, words[at], following)


def _is_alone(reading: Reading, platform: Word) -> bool:
    """Whether the text is little more than one long word, which may be a handle, and the name of a platform."""
    others = [word for word in reading.words if word is not platform and word.low not in _AT]
    return len(others) == 1 and len(others[0].low) > 6 and others[0].cased.islower()


def _is_followed(reading: Reading, platform: Word, following: Word | None) -> bool:
    """Whether the clause after the name of a platform may be a handle: it is short, and begins like no topic."""
    if following is None or following.low in platforms.NOUNS or len(following.low) < 2:
        return bool(_REACH.search(reading.low[: platform.start])) or (
            following is None and _is_alone(reading, platform)
        )
    gap = reading.low[platform.end : following.start]
    size = len(_CLAUSE_END.split(reading.low[following.start :], maxsplit=1)[0].split())
    if re.search(r"[?!.]", gap):
        return size == 1 or bool(_REACH.match(reading.low, following.start))
    if platform.low in platforms.MEDIA:
        return size <= 2
    return ("-" not in gap or platform.low == "ig") and (size <= 6 or platform.low in ("insta", "ig"))


def _is_left(before: list[str], after: list[str]) -> bool:
    """Whether the words around the name of a platform say that the author is not there."""
    near = set(before[-3:])
    if "no" in near and not platforms.POINTERS.isdisjoint(before):  # "on the", in Portuguese
        near.remove("no")
    return not platforms.TOPIC.isdisjoint(near | set(after))


def _only_topic(before: list[str], following: Word | None) -> bool:
    return bool(
        following
        and following.low in platforms.NOUNS
        and not {"me", "mich", "moi", "my", "mein", "mon", "mi", "mio", "meu", "mijn"} & set(before[-2:])
    )


def _is_identifier(word: str) -> bool:
    return bool(IDENTIFIER.fullmatch(word) or "_" in word or (re.search(r"\w\.\w\w", word)))
