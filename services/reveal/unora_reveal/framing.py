"""RE-06: from facts to a text that may be stored and shown."""

from __future__ import annotations

from uuid import UUID

from unora_reveal.domain import Facts, Framed, Guard, option_names
from unora_reveal.providers.framer import Framer


async def frame(framer: Framer, facts: Facts, reveal_id: UUID, number: int) -> Framed:
    """The first draft that the guard lets pass; when none does, the voice that holds only option names."""
    guard = Guard(facts)
    async for draft in framer.drafts(facts, reveal_id, number):
        if guard.passes(draft):
            return draft
    return option_names(facts, guard)
