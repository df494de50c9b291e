"""The sweep: it closes the days of all streaks that are due (ST-16)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from unora_common.database import Tx

from unora_streak.domain.closing import Closing, Kind, close
from unora_streak.domain.due import next_due
from unora_streak.domain.state import Policy
from unora_streak.messages import PAYLOAD, encode_recorded_at, encode_same
from unora_streak.metrics import STEPS, STEPS_LATE
from unora_streak.store import closings, streaks
from unora_streak.store.closings import Closed, Due
from unora_streak.use_cases.advance import OnError, advance_all

LATE_AFTER: Final = timedelta(minutes=1)
"""A step of time is late if the sweep takes it more than this after it was due."""
MAX_KINDS: Final = 1000
"""The most kinds that are remembered: a midnight has three or four in each of its time zones."""


async def lock_due(tx: Tx, limit: int, excluding: Collection[UUID]) -> list[Due]:
    """Locks at most `limit` due streaks, the oldest times first, for `advance_due`; skips what another replica has
    locked. Sets tx.now if there are any.
    """
    return await closings.lock_due(tx, limit, excluding)


async def advance_due(tx: Tx, due: Sequence[Due], policy: Policy, on_error: OnError) -> None:
    """Streaks that `lock_due` locked take the step of time that is due (ST-16).

    All streaks of a kind take it at once, in a few statements. A streak that is behind by more steps is due again, so a
    later batch takes the next one: batches go from the oldest time to the newest. Streaks whose kind does not decide
    take all their steps one by one: those with a hold, those whose step raises, and those that are due by their stored
    time only, because a deployment has changed the policy.
    """
    if not due:
        return
    closed: list[Closed] = []
    others: list[UUID] = []
    recorded_at = encode_recorded_at(tx.now)
    for each in due:
        decided = None if each.held else _decide(each.kind, policy)
        if decided and decided.closing.due <= tx.now:
            _measure_steps(tx, len(each.ids), decided.closing.due)
            closed.append(Closed(each.ids, decided.closing, decided.subject, decided.same + recorded_at))
        else:
            others += each.ids
    if closed:
        await closings.save(tx, closed, PAYLOAD)
    if others:
        await _advance_others(tx, others, policy, on_error)


def _measure_steps(tx: Tx, steps: int, due: datetime) -> None:
    """Counts steps that were due then, and that the transaction takes."""
    tx.measure(STEPS, steps)
    if tx.now - due > LATE_AFTER:
        tx.measure(STEPS_LATE, steps)


class _Decided(NamedTuple):
    """The next step of a kind, with what its events have in common."""

    closing: Closing
    subject: str
    same: bytes


@lru_cache(maxsize=MAX_KINDS)
def _decide(kind: Kind, policy: Policy) -> _Decided | None:
    """Remembered, because a midnight has many batches of the same kinds."""
    try:
        closing = close(kind, policy)
    except Exception:  # raised again for each of the streaks, which are passed to `on_error`
        return None
    return _Decided(closing, *encode_same(closing.event)) if closing else None


async def _advance_others(tx: Tx, ids: Sequence[UUID], policy: Policy, on_error: OnError) -> None:
    """Takes all steps of these streaks, so that none of them is due any more, except those that were passed to
    `on_error`. If only the stored time said that a streak is due, it gets its new time: otherwise the sweep would lock
    it again and again.
    """
    behind = await streaks.list_by_ids(tx, ids)
    advanced = await advance_all(tx, behind, policy, on_error=on_error)
    for before, after in zip(behind, advanced, strict=True):
        if after.version > before.version and before.next_due_at:
            _measure_steps(tx, after.version - before.version, before.next_due_at)
    rescheduled = [(streak.id, due) for streak in advanced if (due := next_due(streak, policy)) != streak.next_due_at]
    if rescheduled:
        await streaks.reschedule(tx, rescheduled)
