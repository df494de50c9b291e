"""Events of reveal: which reveals wait to be opened, for the dashboard (ST-15)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora.reveal.v1.events_pb2 import RevealEarned, RevealPurchased, RevealUnlocked
from unora_common.database import Tx
from unora_common.handlers import on_batch
from unora_common.runtime import Runtime

from unora_streak.config import StreakConfig
from unora_streak.store import reveals
from unora_streak.store.reveals import WaitingReveal

Told = RevealEarned | RevealPurchased | RevealUnlocked


class RevealEvents:
    """Keeps which reveals wait. Events may come out of order: only a newer version counts."""

    def __init__(self, runtime: Runtime[StreakConfig, None]) -> None:
        self.runtime = runtime

    @on_batch(RevealEarned)
    async def on_reveals_earned(self, events: Sequence[RevealEarned], tx: Tx) -> None:
        """RE-02: it can be opened now."""
        await _save(tx, events, waiting=True)

    @on_batch(RevealPurchased)
    async def on_reveals_purchased(self, events: Sequence[RevealPurchased], tx: Tx) -> None:
        """RE-05: it can be opened now."""
        await _save(tx, events, waiting=True)

    @on_batch(RevealUnlocked)
    async def on_reveals_unlocked(self, events: Sequence[RevealUnlocked], tx: Tx) -> None:
        """RE-11: it was opened."""
        await _save(tx, events, waiting=False)


async def _save(tx: Tx, events: Sequence[Told], *, waiting: bool) -> None:
    told = (
        WaitingReveal(UUID(each.streak_id), UUID(each.user_id), each.reveal_number, each.version, waiting)
        for each in events
    )
    await reveals.save(tx, told)
