"""PE-06: what a text that uses personality must not hold: a score, the name of a trait, a rank."""

import re

from unora_text.words import words

from unora_reveal.domain.facts import FramedText
from unora_reveal.domain.personality import Dimension

_TRAITS = (
    "open openness conscientious conscientiousness extravert extraverted extraversion extrovert extroverted introvert"
    " introverted introversion ambivert agreeable agreeableness disagreeable neurotic neuroticism stable stability"
    " sociable structured considerate composed empath empathic narcissist narcissistic anxious anxiety"
)
_MEASURES = (
    "score scores scored rank ranks ranked ranking rating rated percent percentage percentile points level grade"
    " average above below highest lowest higher lower top bottom best worst most least confidence"
)
_SOURCES = (
    "personality trait traits type types label dimension dimensions profile quiz questionnaire question questions"
    " answer answers answered skipped test tests tested result results assessment survey"
)
_LABELS = frozenset(f"{_TRAITS} {_MEASURES} {_SOURCES}".split()) | frozenset(map(str, Dimension))
_FIGURE = re.compile(r"\d|[%‰]|\b[ei][ns][ft][jp]\b")


def find_labels(framed: FramedText) -> set[str]:
    """The words and figures of a text that would label a member; empty if the text may be shown."""
    text = f"{framed.title} {framed.text}"
    return {*(_LABELS & set(words(text))), *_FIGURE.findall(text.casefold())}
