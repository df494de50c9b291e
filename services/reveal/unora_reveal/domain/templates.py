"""RE-06, RE-07: texts from templates, which need no network. None repeats the partner's own words.

Reveal 1 is about what they love, 2 about how they spend their time, 4 about a way to meet; 3 is the glimpse, with
sentences of its own. The reveal's id decides which template comes first: the same reveal always gets the same text, and
different members get different texts.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from uuid import UUID

from unora_reveal.domain.facts import Facts, FramedText
from unora_reveal.domain.guard import Guard
from unora_reveal.domain.rotation import rotated
from unora_reveal.domain.themes import rhythms, theme_of, themes_of

EMPTY = "…"
"""Title and text for a member without a hobby option whose name may be shown."""

_TEMPLATES = {
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


def template_texts(facts: Facts, reveal_id: UUID, number: int) -> Iterator[FramedText]:
    """The texts of all templates of reveal 1, 2 or 4, the template of this reveal first."""
    chance = int.from_bytes(sha256(reveal_id.bytes).digest()[:8])
    slots = _slots(facts, chance)
    for title, text in rotated(_TEMPLATES[number], chance):
        yield FramedText(title, text.format(**slots))


def option_names(facts: Facts, guard: Guard) -> FramedText:
    """The last fallback: names of hobby options, those that pass the guard, and nothing else. It always passes."""
    best, names = FramedText(EMPTY, EMPTY), list[str]()
    for hobby in facts.hobbies:
        tried = [*names, hobby.name]
        draft = FramedText(tried[0], " · ".join(tried))
        if guard.passes(draft):
            best, names = draft, tried
    return best


def _slots(facts: Facts, chance: int) -> dict[str, str]:
    """The phrases that fill the templates."""
    names = [_lower_first(hobby.name) for hobby in facts.hobbies] or ["things that are hard to put in a list"]
    chosen_names = rotated(names, chance // 4)
    chosen_rhythms = rhythms(facts.own_texts)
    themes = themes_of(hobby.option for hobby in facts.hobbies)
    last_option = rotated(facts.hobbies, chance // 4)[-1].option if facts.hobbies else ""
    return {
        "some": _joined(chosen_names[:3]),
        "last": chosen_names[-1],
        "rhythm": _joined(chosen_rhythms[:2]) or "days with a shape of their own",
        "time": rotated(themes, chance // 16)[0].time,
        "invitation": theme_of(last_option).invitation,
    }


def _lower_first(name: str) -> str:
    """An option's name as it is written within a sentence."""
    return name[:1].lower() + name[1:]


def _joined(phrases: Sequence[str]) -> str:
    return " and ".join([", ".join(phrases[:-1]), phrases[-1]] if len(phrases) > 1 else phrases)
