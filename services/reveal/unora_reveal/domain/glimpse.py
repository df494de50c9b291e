"""Reveal 3, a glimpse of what the partner is like (PE-04, PE-06): two leanings, put into words.

Leanings that are not known from answers are guessed from the partner's hobbies. Both kinds use the same few sentences
in the same templates, so no text tells whether a question was ever answered. No sentence holds a score, the name of a
trait or a rank, and each is meant to be kind to the person that it describes.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from unora_reveal.domain.facts import Facts, FramedText
from unora_reveal.domain.personality import Dimension, Leaning, Side
from unora_reveal.domain.rotation import rotated
from unora_reveal.domain.themes import themes_of

GLIMPSE = 3
"""The number of the reveal that uses personality. It is not configurable, since the texts of the other reveals are
stored.
"""
SHOWN_LEANINGS = 2
"""How many leanings a glimpse shows."""
CANDIDATES = 3
"""Out of how many, the best known first; the two that are shown change over time."""
HOUR_SECONDS = 3600
TURN_HOURS = 4
"""A glimpse changes once in this many hours, on average."""

_SENTENCES = {
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

_TEMPLATES = (
    ("At a second look", "It seems that they {one}. They also {two}. Ask for the story behind either one."),
    ("Between the lines", "You may find that they {one}, and that they {two}. Both are easy to like."),
    ("How it feels nearby", "Spend an hour together and you might see it: they {one}, and they {two}."),
    ("A way of being", "Someone close to them could tell you that they {one}. And, with time, that they {two}."),
    ("On a good day", "On a good day, they {one}. On another good day, they {two}. Neither of the two is rare."),
    ("Small signs", "It shows in small things: they {one}, and when it comes to it, they {two}."),
    ("What friends might say", "If friends had to describe them, they might say: they {one}, and yes, they {two}."),
    (
        "Given a little time",
        "You may notice it only after a while: they {one}. Then, a little later, they {two}.",
    ),
    ("In one sentence", "To put it shortly: they {one}, they {two}, and they would not call it anything special."),
    ("From close by", "From close by, one might see that they {one}. A little later, one sees that they {two}."),
    ("Two things", "Two things about them, to begin with. They {one}. They {two}. The rest is for you."),
    ("When it matters", "When it matters, they {one}. When it matters less, they {two}. Both count."),
)


def choose_leanings(known: Sequence[Leaning], facts: Facts, turn: int) -> list[Leaning]:
    """The two leanings that are shown now, out of three: those known from answers, completed by guessed ones.

    Every member has exactly three candidates, each about another dimension. So a partner who looks often does not learn
    more of one member than of another, and never reads a leaning and its opposite.
    """
    candidates: dict[Dimension, Leaning] = {}
    for leaning in (*known, *guess_leanings(hobby.option for hobby in facts.hobbies)):
        candidates.setdefault(leaning.dimension, leaning)
    return rotated([*candidates.values()][:CANDIDATES], turn)[:SHOWN_LEANINGS]


def guess_leanings(options: Iterable[str]) -> list[Leaning]:
    """Leanings guessed from hobbies: the first one of each theme, then the second ones. At least three dimensions."""
    return [leaning for rank in zip(*(theme.leanings for theme in themes_of(options)), strict=True) for leaning in rank]


def glimpse_texts(leanings: Sequence[Leaning], turn: int) -> Iterator[FramedText]:
    """The two leanings in all templates, the template of this turn first."""
    one, two = (_SENTENCES[leaning] for leaning in leanings)
    for title, text in rotated(_TEMPLATES, turn // CANDIDATES):
        yield FramedText(title, text.format(one=one, two=two))


def turn_at(reveal_id: UUID, now: datetime) -> int:
    """A number that chooses leanings and template: different for each reveal, and changing over time.

    The moments of change depend on the reveal's id, which members never see: any second of an hour, in some hours
    only. So a text that has just changed does not tell that the partner has answered or withdrawn something.
    """
    second = int(now.timestamp())
    hour = second // HOUR_SECONDS
    while True:
        chance = sha256(reveal_id.bytes + hour.to_bytes(8)).digest()
        after = int.from_bytes(chance[:8]) % (TURN_HOURS * HOUR_SECONDS)
        if after < HOUR_SECONDS and hour * HOUR_SECONDS + after <= second:
            return int.from_bytes(chance[8:16])
        hour -= 1
