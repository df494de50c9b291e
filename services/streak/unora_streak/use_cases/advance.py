"""Advancing streaks in time: the sweep does it, and each use case before its own change (ST-16)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from uuid import UUID

from unora_common.database import Tx

from unora_streak.domain import machine
from unora_streak.domain.due import next_due
from unora_streak.domain.events import Event
from unora_streak.domain.state import Policy, Streak
from unora_streak.messages import to_message
from unora_streak.store import streaks

OnError = Callable[[Streak, Exception], None]


async def advance_due(tx: Tx, limit: int, excluding: Collection[UUID], policy: Policy, on_error: OnError) -> int:
    """Locks at most `limit` due streaks and advances them to tx.now; returns how many it locked (ST-16).

    None of them is due after it, except those that were passed to `on_error`. After a deployment has changed the
    numbers of the policy, a streak can be due by its stored time only. Then it gets its new time: otherwise the sweep
    would lock it without pause until that time, and streaks that really are due would have to wait.
    """
    locked = await streaks.lock_due(tx, limit, excluding)
    advanced = await advance_all(tx, locked, policy, on_error=on_error)
    rescheduled = [(streak.id, due) for streak in advanced if (due := next_due(streak, policy)) != streak.next_due_at]
    if rescheduled:
        await streaks.reschedule(tx, rescheduled)
    return len(locked)


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
