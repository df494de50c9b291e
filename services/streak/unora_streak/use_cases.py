"""What the servicer, the consumers and the sweep share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from unora_common.database import Tx

from unora_streak import store
from unora_streak.domain import Policy, Streak, step


async def settle_all(tx: Tx, streaks: Sequence[Streak], policy: Policy, until: datetime | None = None) -> list[Streak]:
    """Closes what is due on locked streaks up to `until`, or tx.now: day by day, in order, each step once (ST-16).

    Round by round: the first thing due on every streak, then the second, so that any number of streaks takes as many
    round trips as the longest of them has days to catch up with.
    """
    settled = {streak.id: streak for streak in streaks}
    open_ = list(streaks)
    while steps := [made for streak in open_ if (made := step(streak, until or tx.now, tx.now, policy))]:
        await store.save_steps(tx, steps, policy)
        open_ = [streak for streak, _ in steps]
        settled.update((streak.id, streak) for streak in open_)
    return [settled[streak.id] for streak in streaks]
