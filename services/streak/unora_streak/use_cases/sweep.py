"""The sweep: it closes the days of all streaks that are due (ST-16)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from unora_common.database import Tx

from unora_streak.domain.closing import Closing, Kind, close
from unora_streak.domain.due import next_due
from unora_streak.domain.state import Policy
from unora_streak.messages import PAYLOAD, encode_same
from unora_streak.store import closings, streaks
from unora_streak.store.closings import Closed, Due
from unora_streak.use_cases.advance import OnError, advance_all


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
    closed: list[Closed] = []
    others: list[UUID] = []
    for each in due:
        closing = None if each.held else _close(each.kind, tx, policy)
        if closing:
            closed.append(Closed(each.ids, closing, *encode_same(closing.event)))
        else:
            others += each.ids
    if closed:
        await closings.save(tx, closed, PAYLOAD)
    if others:
        await _advance_others(tx, others, policy, on_error)


def _close(kind: Kind, tx: Tx, policy: Policy) -> Closing | None:
    try:
        return close(kind, tx.now, policy)
    except Exception:  # raised again for each of the streaks, which are passed to `on_error`
        return None


async def _advance_others(tx: Tx, ids: Sequence[UUID], policy: Policy, on_error: OnError) -> None:
    """None of them is due after it, except those that were passed to `on_error`. A streak that was due by its stored
    time only gets its new time: otherwise the sweep would lock it without pause until then.
    """
    advanced = await advance_all(tx, await streaks.list_by_ids(tx, ids), policy, on_error=on_error)
    rescheduled = [(streak.id, due) for streak in advanced if (due := next_due(streak, policy)) != streak.next_due_at]
    if rescheduled:
        await streaks.reschedule(tx, rescheduled)
