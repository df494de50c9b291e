"""RE-06, RE-07: texts from templates, which need no network. None repeats the partner's own words.

Reveal 1 is about what they love, 2 about how they spend their time, 4 about a way to meet; 3 is the glimpse, with
sentences of its own. Each text has 40 to 120 words, and names two of the member's hobbies. The reveal's id decides how
it is put together: the same reveal always gets the same text, and different members get different texts.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from uuid import UUID

from unora_reveal.domain.facts import Facts, FramedText, Hobby
from unora_reveal.domain.guard import Guard
from unora_reveal.domain.rotation import rotated
from unora_reveal.domain.themes import rhythms, theme_of
from unora_reveal.domain.voices import KINDS, Kind

EMPTY = "…"
"""Title and text for a member without a hobby option whose name may be shown."""
MOST_PAIRS = 4
"""Pairs of hobbies that are tried, in every voice each: a bound for a member whose name is in every text."""


def template_texts(facts: Facts, reveal_id: UUID, number: int) -> Iterator[FramedText]:
    """A text in each voice of reveal 1, 2 or 4, about one pair of hobbies after the other; that of this reveal first.

    None for a member with fewer than two hobbies, of whom no two facts are known.
    """
    chances = _chances(reveal_id)
    kind = KINDS[number]
    voices = rotated(kind.voices, chances[0])
    pairs = _pairs(rotated(facts.hobbies, chances[1]))
    for turn, (first, second) in enumerate(pair for pair in pairs for _ in voices):
        voice = voices[turn % len(voices)]
        sentences = _sentences(kind, facts, [chance + turn for chance in chances[2:]])
        text = " ".join([voice.opening, *sentences]).format(**_slots(facts, first, second))
        yield FramedText(voice.title, text)


def option_names(facts: Facts, guard: Guard) -> FramedText:
    """The last fallback: names of hobby options, those that pass the guard, and nothing else. It always passes."""
    best, names = FramedText(EMPTY, EMPTY), list[str]()
    for hobby in facts.hobbies:
        tried = [*names, hobby.name]
        draft = FramedText(tried[0], " · ".join(tried))
        if guard.passes(draft):
            best, names = draft, tried
    return best


def _chances(reveal_id: UUID) -> list[int]:
    """Numbers that follow from the reveal's id, and are independent of each other."""
    digest = sha256(reveal_id.bytes).digest()
    return [int.from_bytes(digest[at : at + 4]) for at in range(0, len(digest), 4)]


def _pairs(hobbies: Sequence[Hobby]) -> list[tuple[Hobby, Hobby]]:
    """Neighbours, the last and the first among them: if the name of one hobby may not be shown, other pairs may."""
    if len(hobbies) == 1:
        return []
    return list(zip(hobbies, rotated(hobbies, 1), strict=True))[:MOST_PAIRS]


def _sentences(kind: Kind, facts: Facts, chances: Sequence[int]) -> list[str]:
    """What follows the opening."""
    chosen = [_one_of(kind.firsts, chances[0]), _one_of(kind.seconds, chances[1])]
    if kind.hints and rhythms(facts.own_texts):
        chosen.append(_one_of(kind.hints, chances[2]))
    return [*chosen, _one_of(kind.closings, chances[3])]


def _one_of(sentences: Sequence[str], chance: int) -> str:
    return sentences[chance % len(sentences)]


def _slots(facts: Facts, first: Hobby, second: Hobby) -> dict[str, str]:
    """The phrases that fill the sentences."""
    return {
        "first": _lower_first(first.name),
        "second": _lower_first(second.name),
        "invitation": theme_of(first.option).invitation,
        "time": theme_of(second.option).time,
        "rhythm": _joined(rhythms(facts.own_texts)[:2]),
    }


def _lower_first(name: str) -> str:
    """An option's name as it is written within a sentence."""
    return name[:1].lower() + name[1:]


def _joined(phrases: Sequence[str]) -> str:
    return " and ".join([", ".join(phrases[:-1]), phrases[-1]] if len(phrases) > 1 else phrases)
