"""RE-06: what no text about a member may hold. Each text is checked before it is stored or shown.

The guard refuses too much rather than too little: a refused text is framed again, and the last fallback always passes.
"""

from collections.abc import Iterator
from enum import StrEnum
from hashlib import sha256

from unora_text.contact import Finding
from unora_text.strict import general_findings, name_candidates
from unora_text.words import words

from unora_reveal.domain.facts import Facts, FramedText

REPEATED_WORDS = 5
"""This many words in a row of a member's own text count as repeating it."""


class Fault(StrEnum):
    """Why a text is refused. It may be logged, since it holds nothing of the text."""

    NAME = Finding.NAME
    PHONE = Finding.PHONE
    CONTACT = Finding.CONTACT
    DATE = Finding.DATE
    ADDRESS = Finding.ADDRESS
    OWN_WORDS = "own_words"


class Guard:
    """Checks texts about one member."""

    def __init__(self, facts: Facts) -> None:
        self._digests = facts.name_digests
        self._salt = facts.name_salt
        self._runs = {run for text in facts.own_texts for run in _runs(words(text))}

    def passes(self, framed: FramedText) -> bool:
        """Whether a text may be stored and shown. Title and text are checked as one, so nothing hides between them."""
        return not self.faults(f"{framed.title} {framed.text}")

    def faults(self, text: str) -> set[Fault]:
        """All faults of a text."""
        found = {Fault(finding) for finding in general_findings(text)}
        if self._has_name(text):
            found.add(Fault.NAME)
        if self._repeats_own_words(words(text)):
            found.add(Fault.OWN_WORDS)
        return found

    def _has_name(self, text: str) -> bool:
        return any(sha256(self._salt + word.encode()).digest() in self._digests for word in name_candidates(text))

    def _repeats_own_words(self, tokens: list[str]) -> bool:
        joined = "".join(tokens)  # so that spaces and hyphens make no difference
        return any(run in joined for run in self._runs)


def _runs(tokens: list[str]) -> Iterator[str]:
    return ("".join(tokens[start : start + REPEATED_WORDS]) for start in range(len(tokens) - REPEATED_WORDS + 1))
