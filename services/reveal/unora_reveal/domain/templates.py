"""RE-06, RE-07: texts that need no network. Each number is about something else; none repeats the other's own words.

1 what they love, 2 how their time goes, 4 a way to meet; 3 is the glimpse, which has sentences of its own. The reveal's
id decides which voice speaks first, so that the same reveal always gets the same text and no two members the same ones.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

from unora_reveal.domain.facts import Facts, Framed
from unora_reveal.domain.guard import Guard
from unora_reveal.domain.themes import cues, theme_of, themes_of

T = TypeVar("T")
NOTHING = "…"
"""What is left to say of someone about whom nothing may be said."""

_VOICES = {
    1: (
        ("What lights them up", "Ask about {some} and you will probably see them lean in: it is where their free hours"
         " go, and they would not trade them."),
        ("Where their heart goes", "Some people collect things; the person across from you collects afternoons spent"
         " on {some}."),
        ("A few of their favourites", "Left to themselves for a day, they would drift towards {some}, and be cheerful"
         " by lunch."),
        ("First glimpse", "There is a spark that shows up around {some}. Worth a question, and then a second one."),
    ),
    2: (
        ("How their days breathe", "They seem to like {rhythm}. An hour of their own is often spent {time}."),
        ("Their kind of hour", "Picture them {time}. What they look for in it: {rhythm}."),
        ("When nobody is watching", "Between duties they find their way back to {rhythm}; you would meet them {time}."),
        ("Their pace", "Not everyone needs the same from a free day. Here it is {rhythm}, most happily {time}."),
    ),
    4: (
        ("An easy way in", "Something that might suit you both: {invitation}. If words run dry, {last} will bring them"
         " back."),
        ("Imagine this", "One day, perhaps: {invitation}. They would be at ease there, and you would see why."),
        ("A door left open", "Ask what first drew them to {last}; the story tends to be better than the answer. And"
         " then, maybe, {invitation}."),
        ("Next time", "Some meetings need a plan, this one only a beginning: {invitation}. Bring a question about"
         " {last}."),
    ),
}  # fmt: skip


def voices(facts: Facts, reveal_id: UUID, number: int) -> Iterator[Framed]:
    """All that the templates have to say in reveal 1, 2 or 4, the one for this reveal first."""
    chance = int.from_bytes(sha256(reveal_id.bytes).digest()[:8])
    slots = _slots(facts, chance)
    for title, text in _rotated(_VOICES[number], chance):
        yield Framed(title, text.format(**slots))


def option_names(facts: Facts, guard: Guard) -> Framed:
    """The last voice: names of hobby options, those that pass, and nothing else. Always passes."""
    best, names = Framed(NOTHING, NOTHING), list[str]()
    for hobby in facts.hobbies:
        tried = [*names, hobby.name]
        draft = Framed(tried[0], " · ".join(tried))
        if guard.passes(draft):
            best, names = draft, tried
    return best


def _slots(facts: Facts, chance: int) -> dict[str, str]:
    named = [_inside(hobby.name) for hobby in facts.hobbies] or ["things that are hard to put in a list"]
    turned = _rotated(named, chance // 4)
    threads = themes_of(hobby.option for hobby in facts.hobbies)
    guessed = cues(facts.own_texts)
    other = _rotated(facts.hobbies, chance // 4)[-1].option if facts.hobbies else ""
    return {
        "some": _and(turned[:3]),
        "last": turned[-1],
        "rhythm": _and(guessed[:2]) or "days with a shape of their own",
        "time": _rotated(threads, chance // 16)[0].time,
        "invitation": theme_of(other).invitation,
    }


def _rotated(items: Sequence[T], by: int) -> list[T]:
    start = by % len(items)
    return [*items[start:], *items[:start]]


def _inside(name: str) -> str:
    """An option's name within a sentence."""
    return name[:1].lower() + name[1:]


def _and(phrases: Sequence[str]) -> str:
    return " and ".join([", ".join(phrases[:-1]), phrases[-1]] if len(phrases) > 1 else phrases)
