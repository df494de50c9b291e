"""RE-06: from facts to a text that may be shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from unora_reveal.domain.facts import Facts, Framed
from unora_reveal.domain.glimpse import glimpsed, turn_of
from unora_reveal.domain.guard import Guard
from unora_reveal.domain.labels import labels
from unora_reveal.domain.personality import Dimension, Reading, Score, leanings
from unora_reveal.domain.templates import option_names
from unora_reveal.providers.framer import Framer


async def frame(framer: Framer, facts: Facts, reveal_id: UUID, number: int) -> Framed:
    """The first draft that the guard lets pass; when none does, the voice that holds only option names."""
    guard = Guard(facts)
    async for draft in framer.drafts(facts, reveal_id, number):
        if guard.passes(draft):
            return draft
    return option_names(facts, guard)


async def frame_glimpse(
    framer: Framer, facts: Facts, scores: Mapping[Dimension, Score], reading: Reading, reveal_id: UUID, now: datetime
) -> Framed:
    """PE-04: reveal 3, from the scores of this moment, for this answer only; as good without any (PE-06)."""
    guard, turn = Guard(facts), turn_of(reveal_id, now)
    async for draft in framer.glimpses(glimpsed(leanings(scores, reading), facts, turn), turn):
        if guard.passes(draft) and not labels(draft):
            return draft
    return option_names(facts, guard)
