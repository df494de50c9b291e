"""Closing an account does not shed a suspension (ID-09), in whatever order the events of accounts come.

What finds accounts returns them, for the detector's queue: a transaction queues once (`sightings.queue`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from unora_common.database import Tx

from unora_safety.domain.patterns import Pattern, Sighting
from unora_safety.store import restrictions, traces
from unora_safety.use_cases.sightings import add_sightings


async def keep_traces(
    tx: Tx, user_id: UUID, digests: Sequence[bytes], closed_at: datetime, successor: UUID | None = None
) -> list[UUID]:
    """An account was closed or hidden. Of a member who is not suspended the traces count for nothing, unless moderators
    suspend them before the account is erased. `successor` is the account that the number made in the same step (ID-13).
    """
    await traces.lock_member(tx, user_id)
    restriction = await restrictions.lock_or_create(tx, user_id)
    locked = await traces.lock_digests(tx, [*digests, *await traces.list_devices(tx, user_id)])
    await traces.add(tx, locked, user_id, suspended=restriction.suspended, closed_at=closed_at)
    if not restriction.suspended:
        return []
    made = [Sighting(closed_at, successor)] if successor else []
    return _see(tx, user_id, [*made, *await traces.list_created_since(tx, user_id)])


async def keep_trace_of_session(tx: Tx, user_id: UUID, digest: bytes, opened_at: datetime) -> list[UUID]:
    """A session was opened on a device. If it is told after the closing of the account, the device is a trace too."""
    await traces.lock_member(tx, user_id)
    closed_at = await traces.get_closed_at(tx, user_id)
    if closed_at is None or opened_at > closed_at:
        return []
    return await keep_traces(tx, user_id, [digest], closed_at)


async def drop_traces(tx: Tx, user_id: UUID, reopened_at: datetime) -> None:
    """An account is open again, and carries its suspension itself."""
    await traces.lock_member(tx, user_id)
    await traces.remove(tx, user_id, reopened_at)


async def mark_traces(tx: Tx, user_id: UUID, *, suspended: bool) -> list[UUID]:
    """Moderators suspended a member who is locked, or lifted that. Accounts that began shortly before count too."""
    traces.mark(tx, user_id, suspended=suspended)
    if not suspended or not await traces.lock_digests(tx, await traces.list_digests(tx, user_id)):
        return []
    return _see(tx, user_id, await traces.list_created_since(tx, user_id))


async def look_for_traces(
    tx: Tx, user_id: UUID, digests: Sequence[bytes], created_at: datetime, kept: timedelta
) -> list[UUID]:
    """SA-04: a new account on the number or the device of a suspended member is a sighting; the detector judges."""
    locked = await traces.lock_digests(tx, digests)
    found = await traces.list_suspended(tx, locked, user_id, created_at, kept)
    traces.add_created(tx, locked, user_id, created_at)
    if not found:
        return []
    add_sightings(tx, Pattern.SUSPENDED_BEFORE, [(user_id, Sighting(created_at, other)) for other in found])
    return [user_id]


def _see(tx: Tx, suspended: UUID, accounts: Sequence[Sighting]) -> list[UUID]:
    """These accounts began on traces of this member."""
    if accounts:
        seen = [(each.key, Sighting(each.seen_at, suspended)) for each in accounts]
        add_sightings(tx, Pattern.SUSPENDED_BEFORE, seen)
    return [each.key for each in accounts]
