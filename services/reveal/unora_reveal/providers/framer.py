"""Framers put what is known of a member into words (RE-07). This one uses templates, and no network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol
from uuid import UUID

from unora_reveal.domain.facts import Facts, FramedText
from unora_reveal.domain.glimpse import glimpse_texts
from unora_reveal.domain.personality import Leaning
from unora_reveal.domain.templates import template_texts


class Framer(Protocol):
    """Frames what is known of a member. It is not trusted: each draft goes through the guard (RE-06).

    The next draft is requested only if the guard refused the one before.
    """

    def drafts(self, facts: Facts, reveal_id: UUID, number: int) -> AsyncIterator[FramedText]:
        """Drafts for reveal 1, 2 or 4, the best first."""
        ...

    def glimpses(self, leanings: Sequence[Leaning], turn: int) -> AsyncIterator[FramedText]:
        """Drafts for reveal 3, the best first. It gets no score, and not whether there is one (PE-06)."""
        ...


class TemplateFramer:
    """Fills templates."""

    async def drafts(self, facts: Facts, reveal_id: UUID, number: int) -> AsyncIterator[FramedText]:
        """The template of this reveal, then the others."""
        for draft in template_texts(facts, reveal_id, number):
            yield draft

    async def glimpses(self, leanings: Sequence[Leaning], turn: int) -> AsyncIterator[FramedText]:
        """The template of this turn, then the others."""
        for draft in glimpse_texts(leanings, turn):
            yield draft
