"""Reveal 3, a glimpse of how the other is (PE-04, PE-06): two things that may be said of them, put into words.

What is not known by answers is guessed from what they love, as a friend would. Both come from the same few sentences
and are said in the same voices, so that no text tells whether a question was ever answered. None holds a score, the
name of a trait or a rank, and each is meant to be a kind thing to read about oneself.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

from unora_reveal.domain.facts import Facts, Framed
from unora_reveal.domain.personality import Dimension, Leaning, Side
from unora_reveal.domain.themes import themes_of

T = TypeVar("T")
GLIMPSE = 3
"""The number of the reveal that draws on personality; no policy, since what was stored of others stays."""
TOLD = 2
"""So many things a glimpse tells."""
THINGS = 3
"""Of so many, those known best, and they turn by themselves."""
HOUR = 3600
HOURS_BETWEEN = 4
"""A glimpse turns once in so many hours, taking one day with another."""

_SAYINGS = {
    Leaning(Dimension.EXPLORATION, Side.ONE): "say yes to the unfamiliar before asking what it is for",
    Leaning(Dimension.EXPLORATION, Side.BOTH): "like a new idea with something familiar beside it",
    Leaning(Dimension.EXPLORATION, Side.OTHER): "know a favourite place well and go back there on purpose",
    Leaning(Dimension.STRUCTURE, Side.ONE): "keep a promise as if it had been written down",
    Leaning(Dimension.STRUCTURE, Side.BOTH): "make a plan with care and forgive it when it bends",
    Leaning(Dimension.STRUCTURE, Side.OTHER): "leave room in a day for whatever happens to turn up",
    Leaning(Dimension.SOCIABILITY, Side.ONE): "think out loud and warm up a room on the way",
    Leaning(Dimension.SOCIABILITY, Side.BOTH): "enjoy a full table and the quiet walk home alike",
    Leaning(Dimension.SOCIABILITY, Side.OTHER): "save their words for one good conversation at a time",
    Leaning(Dimension.CONSIDERATION, Side.ONE): "notice who has gone quiet and pull up a chair",
    Leaning(Dimension.CONSIDERATION, Side.BOTH): "help without fuss and say so when they need a hand",
    Leaning(Dimension.CONSIDERATION, Side.OTHER): "say plainly what they think and like to hear the same",
    Leaning(Dimension.COMPOSURE, Side.ONE): "take it lightly when a day goes its own way",
    Leaning(Dimension.COMPOSURE, Side.BOTH): "feel a bumpy morning and find their feet by evening",
    Leaning(Dimension.COMPOSURE, Side.OTHER): "feel things early and clearly, the good ones too",
}

_VOICES = (
    ("At a second look", "It seems that they {one}. They also {two}. Ask for the story behind either one."),
    ("Between the lines", "You may find that they {one}, and that they {two}. Both are easy to like."),
    ("How it feels nearby", "Spend an hour together and you might see it: they {one}, and they {two}."),
    ("A way of being", "Someone close to them could tell you that they {one}. And, with time, that they {two}."),
)


def glimpsed(known: Sequence[Leaning], facts: Facts, turn: int) -> list[Leaning]:
    """The two that are told now, of three: what is known by answers, and as much as is missing of what is guessed.

    Three things, each with one side, for everybody: who looks often hears of nobody more than of another, and of nobody
    both this and its contrary.
    """
    things: dict[Dimension, Leaning] = {}
    for leaning in (*known, *guessed(hobby.option for hobby in facts.hobbies)):
        things.setdefault(leaning.dimension, leaning)
    return _turned([*things.values()][:THINGS], turn)[:TOLD]


def guessed(options: Iterable[str]) -> list[Leaning]:
    """What somebody's hobbies let one guess, of each thread in turn; of no less than three things."""
    return [leaning for rank in zip(*(theme.leanings for theme in themes_of(options)), strict=True) for leaning in rank]


def sayings(told: Sequence[Leaning], turn: int) -> Iterator[Framed]:
    """The two in all voices, the one whose turn it is first."""
    one, two = (_SAYINGS[leaning] for leaning in told)
    for title, text in _turned(_VOICES, turn // THINGS):
        yield Framed(title, text.format(one=one, two=two))


def turn_of(reveal_id: UUID, now: datetime) -> int:
    """What decides between things and voices: another for each reveal, and from time to time another for the same one.

    When it turns hangs on the reveal's id, which no member is told: at any second of an hour, and in some hours only.
    So a text that turns does not tell, by turning just now, that the other has answered or withdrawn something.
    """
    second = int(now.timestamp())
    hour = second // HOUR
    while True:
        chance = sha256(reveal_id.bytes + hour.to_bytes(8)).digest()
        after = int.from_bytes(chance[:8]) % (HOURS_BETWEEN * HOUR)
        if after < HOUR and hour * HOUR + after <= second:
            return int.from_bytes(chance[8:16])
        hour -= 1


def _turned(items: Sequence[T], by: int) -> list[T]:
    start = by % len(items) if items else 0
    return [*items[start:], *items[:start]]
