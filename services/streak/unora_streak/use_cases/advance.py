"""Days that are over are closed, by the sweep and by each write first (ST-16)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from unora_common.database import Tx

from unora_streak.domain import Event, Policy, Streak, step
from unora_streak.store.streaks import save_steps


async def settle_all(
    tx: Tx,
    streaks: Sequence[Streak],
    policy: Policy,
    until: datetime | None = None,
    failed: Callable[[Streak, Exception], None] | None = None,
) -> list[Streak]:
    """Closes what is due on locked streaks up to `until`, or tx.now: day by day, in order, each step once (ST-16).

    Round by round: the first thing due on every streak, then the second, so that any number of streaks takes as many
    round trips as the longest of them has days to catch up with. A streak on which that raises is left as it is and
    given to `failed`, so that it does not keep the days of all others from ending; without `failed` it raises.
    """
    settled = {streak.id: streak for streak in streaks}
    open_ = list(streaks)
    while open_ and (steps := _steps(open_, until or tx.now, tx.now, policy, failed)):
        await save_steps(tx, steps, policy)
        open_ = [streak for streak, _ in steps]
        settled.update((streak.id, streak) for streak in open_)
    return [settled[streak.id] for streak in streaks]


def _steps(
    streaks: Sequence[Streak],
    until: datetime,
    now: datetime,
    policy: Policy,
    failed: Callable[[Streak, Exception], None] | None,
) -> list[tuple[Streak, Event]]:
    """The first thing due on each of the streaks."""
    steps = []
    for streak in streaks:
        try:
            made = step(streak, until, now, policy)
        except Exception as error:
            if failed is None:
                raise
            failed(streak, error)
            continue
        if made:
            steps.append(made)
    return steps
