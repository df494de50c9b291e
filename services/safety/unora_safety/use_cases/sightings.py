"""Sightings and activity: what the detector counts (SA-04, SA-09)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from unora_common.database import Tx

from unora_safety.domain.patterns import Pattern, Sighting
from unora_safety.store import examination_queue, sightings


def add_sightings(tx: Tx, pattern: Pattern, seen: Sequence[tuple[UUID, Sighting]]) -> None:
    """Stores sightings of members."""
    sightings.add(tx, pattern, seen)


def add_activity(tx: Tx, kind: str, done: Sequence[tuple[UUID, datetime]]) -> None:
    """Counts what members did at these times (UTC)."""
    sightings.count_activity(tx, kind, [(user_id, at.date()) for user_id, at in done])


def queue(tx: Tx, users: Iterable[UUID]) -> None:
    """Queues members for the detector; once in a transaction, or two of these would wait for each other."""
    members = list(users)
    if members:
        examination_queue.add(tx, members)


async def add_device_account(tx: Tx, digest: bytes, user_id: UUID, seen_at: datetime, limit: int) -> list[UUID]:
    """An account of a device: it and at most `limit` others, the latest, become sightings of each other. Returns those
    whom the detector is to examine.
    """
    others = await sightings.add_device_account(tx, digest, user_id, seen_at, limit)
    if not others:
        return []
    seen = [(user_id, other) for other in others] + [(other.key, Sighting(seen_at, user_id)) for other in others]
    sightings.add(tx, Pattern.SHARED_DEVICE, seen)
    return [user_id, *(other.key for other in others)]
