"""Interests expire."""

from __future__ import annotations

from datetime import timedelta

from unora_common.database import Tx

from unora_matching.messages import to_message
from unora_matching.store import interests, inventories


async def expire_interests(tx: Tx, lifetime: timedelta, limit: int) -> int:
    """MA-11: expires interests that are due, of members who are not locked at the moment. Looks at the `limit` oldest.
    Returns the number of expired interests.
    """
    senders = await inventories.lock_senders_of_due_interests(tx, lifetime, limit)
    if not senders:
        return 0
    expired = await interests.expire(tx, senders, lifetime)
    tx.emit(*map(to_message, expired))
    return len(expired)
