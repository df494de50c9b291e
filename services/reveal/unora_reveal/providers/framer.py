"""Who puts facts into words (RE-07): templates, which need no network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol
from uuid import UUID

from unora_reveal.domain import Facts, Framed, voices


class Framer(Protocol):
    """Frames what is known of a member. It is not trusted: each draft goes through the guard (RE-06)."""

    def drafts(self, facts: Facts, reveal_id: UUID, number: int) -> AsyncIterator[Framed]:
        """Drafts for reveal 1 to 4, the best first; the next is asked for only if the guard refused the one before."""
        ...


class TemplateFramer:
    """Speaks in the voices of the templates."""

    async def drafts(self, facts: Facts, reveal_id: UUID, number: int) -> AsyncIterator[Framed]:
        """The voice for this reveal, then the others."""
        for draft in voices(facts, reveal_id, number):
            yield draft
