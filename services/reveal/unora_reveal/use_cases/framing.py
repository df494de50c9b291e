"""RE-06: from facts to a text that may be shown. Each draft of the framer goes through the guard."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from unora_reveal.domain.facts import Facts, FramedText
from unora_reveal.domain.glimpse import choose_leanings, turn_at
from unora_reveal.domain.guard import Guard
from unora_reveal.domain.labels import find_labels
from unora_reveal.domain.personality import Dimension, Score, ScoringPolicy, leanings
from unora_reveal.domain.templates import option_names
from unora_reveal.providers.framer import Framer


async def frame(framer: Framer, facts: Facts, reveal_id: UUID, number: int) -> FramedText:
    """The first draft for reveal 1, 2 or 4 that passes the guard; if none does, names of hobby options only."""
    guard = Guard(facts)
    async for draft in framer.drafts(facts, reveal_id, number):
        if guard.passes(draft):
            return draft
    return option_names(facts, guard)


async def frame_glimpse(
    framer: Framer,
    facts: Facts,
    scores: Mapping[Dimension, Score],
    policy: ScoringPolicy,
    reveal_id: UUID,
    now: datetime,
) -> FramedText:
    """PE-04: reveal 3, from the scores as they are now. A member without scores gets as good a text (PE-06)."""
    guard, turn = Guard(facts), turn_at(reveal_id, now)
    chosen = choose_leanings(leanings(scores, policy), facts, turn)
    async for draft in framer.glimpses(chosen, turn):
        if guard.passes(draft) and not find_labels(draft):
            return draft
    return option_names(facts, guard)
