"""Themes: what a hobby suggests about a member, in phrases for the templates.

A hobby option without a theme has CURIOSITY: identity may add options without a change here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from unora_text.words import words

from unora_reveal.domain.personality import Dimension, Leaning, Side


@dataclass(frozen=True, slots=True)
class Theme:
    """What several hobbies have in common. Its phrases fit into a sentence."""

    time: str
    """How the member may spend an hour of their own."""
    invitation: str
    """A first thing that the two could do together."""
    leanings: tuple[Leaning, ...]
    """Guesses of what the member is like, each about another dimension (PE-06)."""


HANDS = Theme(
    "with busy hands and a half-finished piece of work on the table",
    "sitting side by side with something to make, and no hurry to be good at it",
    (
        Leaning(Dimension.COMPOSURE, Side.ONE),
        Leaning(Dimension.STRUCTURE, Side.BOTH),
        Leaning(Dimension.EXPLORATION, Side.OTHER),
    ),
)
OPEN_AIR = Theme(
    "somewhere with more sky than ceiling",
    "a walk with no goal and a flask of something warm",
    (
        Leaning(Dimension.EXPLORATION, Side.ONE),
        Leaning(Dimension.STRUCTURE, Side.OTHER),
        Leaning(Dimension.COMPOSURE, Side.BOTH),
    ),
)
MOTION = Theme(
    "on the move and all the better for it",
    "doing something that leaves you both out of breath and laughing",
    (
        Leaning(Dimension.STRUCTURE, Side.ONE),
        Leaning(Dimension.CONSIDERATION, Side.BOTH),
        Leaning(Dimension.COMPOSURE, Side.BOTH),
    ),
)
TABLE = Theme(
    "paying attention to how things taste, look and feel",
    "a slow table for two where nobody looks at the time",
    (
        Leaning(Dimension.CONSIDERATION, Side.ONE),
        Leaning(Dimension.SOCIABILITY, Side.BOTH),
        Leaning(Dimension.EXPLORATION, Side.OTHER),
    ),
)
SOUND = Theme(
    "close to music or a stage and all ears",
    "sharing one song each, and saying why that one",
    (
        Leaning(Dimension.COMPOSURE, Side.OTHER),
        Leaning(Dimension.SOCIABILITY, Side.BOTH),
        Leaning(Dimension.EXPLORATION, Side.BOTH),
    ),
)
THOUGHT = Theme(
    "deep in a thought or a page",
    "swapping a question that neither of you can answer quickly",
    (
        Leaning(Dimension.SOCIABILITY, Side.OTHER),
        Leaning(Dimension.CONSIDERATION, Side.OTHER),
        Leaning(Dimension.EXPLORATION, Side.BOTH),
    ),
)
PLAY = Theme(
    "in a friendly contest that nobody minds losing",
    "a game in which the loser picks what comes next",
    (
        Leaning(Dimension.SOCIABILITY, Side.ONE),
        Leaning(Dimension.CONSIDERATION, Side.OTHER),
        Leaning(Dimension.STRUCTURE, Side.OTHER),
    ),
)
CARE = Theme(
    "giving their attention away and coming back calmer",
    "doing a small kindness together for someone who does not expect it",
    (
        Leaning(Dimension.CONSIDERATION, Side.ONE),
        Leaning(Dimension.COMPOSURE, Side.ONE),
        Leaning(Dimension.STRUCTURE, Side.ONE),
    ),
)
CURIOSITY = Theme(
    "following whatever has caught their interest this week",
    "trying something that is new to both of you",
    (
        Leaning(Dimension.EXPLORATION, Side.ONE),
        Leaning(Dimension.CONSIDERATION, Side.BOTH),
        Leaning(Dimension.STRUCTURE, Side.BOTH),
    ),
)

_OPTIONS = {
    HANDS: "bread_baking fermenting pottery knitting woodworking drawing sewing gardening",
    OPEN_AIR: "hiking cycling bird_watching camping wild_swimming wild_herbs climbing",
    MOTION: "running yoga social_dancing team_sports martial_arts",
    TABLE: "coffee cooking_for_friends trying_new_kitchens photography",
    SOUND: "playing_an_instrument singing concerts vinyl_records theatre",
    THOUGHT: "novels poetry languages history philosophy",
    PLAY: "board_games chess video_games puzzles pub_quizzes",
    CARE: "volunteering animals meditation local_politics slow_travel",
}
THEMES = {option: theme for theme, options in _OPTIONS.items() for option in options.split()}

# Phrases, each with the words of a member that suggest it. The first phrases that fit are used.
_RHYTHMS = (
    ("the early hours", "morning mornings dawn sunrise early breakfast"),
    ("the end of the day", "night nights evening evenings late midnight sunset"),
    ("unhurried weekends with room in them", "weekend weekends saturday saturdays sunday sundays"),
    ("good company", "friend friends family together people guests team group club neighbours"),
    ("the time that things need", "alone quiet silence calm peace peaceful solo slow slowly patience"),
    ("fresh air in more weather than most", "outside forest woods sea lake river mountain mountains rain trail"),
    ("the pleasure of still being a beginner", "learn learning beginner practice practise trying attempt"),
)


def theme_of(option: str) -> Theme:
    """The theme of one hobby option."""
    return THEMES.get(option, CURIOSITY)


def themes_of(options: Iterable[str]) -> list[Theme]:
    """The themes of several hobbies, each once, the most frequent first."""
    found = [theme_of(option) for option in options] or [CURIOSITY]
    return sorted(dict.fromkeys(found), key=lambda theme: -found.count(theme))


def rhythms(texts: Iterable[str]) -> list[str]:
    """Phrases for how a member likes to spend time, as the words of their texts suggest."""
    used = {word for text in texts for word in words(text)}
    return [phrase for phrase, signs in _RHYTHMS if used & set(signs.split())]
