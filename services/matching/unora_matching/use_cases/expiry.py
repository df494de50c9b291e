"""Interests expire."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from unora_common.database import Tx

from unora_matching.messages import to_message
from unora_matching.store import interest_closings, inventories


async def expire_interests(tx: Tx, lifetime: timedelta, limit: int) -> int:
    """MA-11: expires interests that are due, of members who are not locked at the moment. Looks at the `limit` oldest.
    Returns the number of expired interests.
    """
    senders = await inventories.lock_senders_of_due_interests(tx, lifetime, limit)
    return await expire_interests_of(tx, senders, lifetime) if senders else 0


async def expire_interests_of(tx: Tx, senders: Iterable[UUID], lifetime: timedelta) -> int:
    """MA-11: expires the due interests of members whose locks the caller holds. Returns their number."""
    expired = await interest_closings.expire(tx, list(senders), lifetime)
    tx.emit(*map(to_message, expired))
    return len(expired)
