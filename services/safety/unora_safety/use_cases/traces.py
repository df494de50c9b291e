"""Closing an account does not shed a suspension (ID-09)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from unora_common.database import Tx

from unora_safety.domain.patterns import Pattern, Sighting
from unora_safety.store import restrictions, traces
from unora_safety.use_cases.sightings import add_sightings, queue


async def keep_traces(
    tx: Tx, user_id: UUID, digests: Sequence[bytes], closed_at: datetime, successor: UUID | None = None
) -> None:
    """An account was closed or hidden. Of a member who is not suspended the traces count for nothing, unless moderators
    suspend them before the account is erased. `successor` is the account that the number made in the same step, whose
    own event may have come before (ID-13).
    """
    restriction = await restrictions.lock_or_create(tx, user_id)
    await traces.add(tx, digests, user_id, suspended=restriction.suspended, closed_at=closed_at)
    if successor and restriction.suspended:
        add_sightings(tx, Pattern.SUSPENDED_BEFORE, [(successor, Sighting(closed_at, user_id))])
        queue(tx, [successor])


async def look_for_traces(
    tx: Tx, user_id: UUID, digests: Sequence[bytes], created_at: datetime, kept: timedelta
) -> None:
    """SA-04: a new account on the number or the device of a suspended member is a sighting; the detector judges."""
    found = await traces.list_suspended(tx, digests, user_id, created_at, kept)
    if found:
        add_sightings(tx, Pattern.SUSPENDED_BEFORE, [(user_id, Sighting(created_at, other)) for other in found])
        queue(tx, [user_id])
