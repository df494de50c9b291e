"""Advancing streaks in time: each use case does it before its own change (ST-16). The sweep: `sweep.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from unora_common.database import Tx

from unora_streak.domain import machine
from unora_streak.domain.events import Event
from unora_streak.domain.state import Policy, Streak
from unora_streak.messages import to_message
from unora_streak.store import streaks

OnError = Callable[[Streak, Exception], None]


async def advance(tx: Tx, streak: Streak, policy: Policy, until: datetime | None = None) -> Streak:
    """As `advance_all`, for one locked streak."""
    (advanced,) = await advance_all(tx, [streak], policy, until)
    return advanced


async def advance_all(
    tx: Tx,
    locked: Sequence[Streak],
    policy: Policy,
    until: datetime | None = None,
    on_error: OnError | None = None,
) -> list[Streak]:
    """Stores every step of time that is due on locked streaks up to `until`, or tx.now: in order, each once (ST-16).

    It goes in rounds: first the first step due on every streak, then the second. So the number of round trips depends
    only on the streak with the most steps. With `on_error`, a streak whose step raises is passed to it and stays
    unchanged, and the other streaks advance; without `on_error` the error is raised.
    """
    advanced = {streak.id: streak for streak in locked}
    remaining = list(locked)
    while remaining and (steps := _due_steps(remaining, until or tx.now, tx.now, policy, on_error)):
        await streaks.save_steps(tx, steps)
        tx.emit(*(to_message(event) for _, event in steps))
        remaining = [streak for streak, _ in steps]
        advanced.update((streak.id, streak) for streak in remaining)
    return [advanced[streak.id] for streak in locked]


def _due_steps(
    remaining: Sequence[Streak], until: datetime, now: datetime, policy: Policy, on_error: OnError | None
) -> list[tuple[Streak, Event]]:
    """The first step that is due on each of the streaks."""
    steps = []
    for streak in remaining:
        try:
            made = machine.step(streak, until, now, policy)
        except Exception as error:
            if on_error is None:
                raise
            on_error(streak, error)
            continue
        if made:
            steps.append(made)
    return steps
