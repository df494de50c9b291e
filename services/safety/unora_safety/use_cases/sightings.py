"""Sightings and activity: what the detector counts (SA-04, SA-09)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Tx

from unora_safety.domain.patterns import Pattern, Sighting
from unora_safety.store import examination_queue, sightings


def add_sighting(tx: Tx, pattern: Pattern, user_id: UUID, sighting: Sighting) -> None:
    """Stores a sighting of a member, and queues the member for the detector."""
    sightings.add(tx, pattern, [(user_id, sighting)])
    examination_queue.add(tx, [user_id])


def add_activity(tx: Tx, user_id: UUID, kind: str, occurred_at: datetime) -> None:
    """Counts something that a member did at this time (UTC)."""
    sightings.count_activity(tx, user_id, kind, occurred_at.date())


async def add_device_account(tx: Tx, digest: bytes, user_id: UUID, seen_at: datetime, limit: int) -> None:
    """An account of a device: it and at most `limit` others, the latest, become sightings of each other."""
    others = await sightings.add_device_account(tx, digest, user_id, seen_at, limit)
    if others:
        seen = [(user_id, other) for other in others] + [(other.key, Sighting(seen_at, user_id)) for other in others]
        sightings.add(tx, Pattern.SHARED_DEVICE, seen)
        examination_queue.add(tx, [user for user, _ in seen])
