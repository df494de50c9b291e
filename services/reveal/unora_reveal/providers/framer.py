"""Who puts what is known into words (RE-07): templates, which need no network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol
from uuid import UUID

from unora_reveal.domain.facts import Facts, Framed
from unora_reveal.domain.glimpse import sayings
from unora_reveal.domain.personality import Leaning
from unora_reveal.domain.templates import voices


class Framer(Protocol):
    """Frames what is known of a member. It is not trusted: each draft goes through the guard (RE-06).

    The next draft is asked for only if the one before was refused.
    """

    def drafts(self, facts: Facts, reveal_id: UUID, number: int) -> AsyncIterator[Framed]:
        """Drafts for reveal 1, 2 or 4, the best first."""
        ...

    def glimpses(self, told: Sequence[Leaning], turn: int) -> AsyncIterator[Framed]:
        """Drafts for reveal 3, the best first. It gets no score, nor whether there was one (PE-06)."""
        ...


class TemplateFramer:
    """Speaks in the voices of the templates."""

    async def drafts(self, facts: Facts, reveal_id: UUID, number: int) -> AsyncIterator[Framed]:
        """The voice for this reveal, then the others."""
        for draft in voices(facts, reveal_id, number):
            yield draft

    async def glimpses(self, told: Sequence[Leaning], turn: int) -> AsyncIterator[Framed]:
        """The voice whose turn it is, then the others."""
        for draft in sayings(told, turn):
            yield draft
