"""The parts of the texts of one reveal."""

from dataclasses import dataclass
from typing import NamedTuple


class Voice(NamedTuple):
    """A way of telling."""

    title: str
    opening: str
    """A sentence, or two, about people in general."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Sentences that can be combined freely. `{first}` and `{second}` are names of hobbies; `{invitation}` is of the
    first one's theme, `{time}` of the second one's, and `{rhythm}` is what the member's own words suggest.
    """

    voices: tuple[Voice, ...]
    firsts: tuple[str, ...]
    """They tell of the first hobby."""
    seconds: tuple[str, ...]
    """They tell of the second hobby, after a sentence about the first."""
    closings: tuple[str, ...]
    """They end the text, with an idea for the reader."""
    hints: tuple[str, ...] = ()
    """They come before the closing, if the member's own words suggest a rhythm."""
