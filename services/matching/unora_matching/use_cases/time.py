"""What time brings about by itself."""

from __future__ import annotations

from datetime import timedelta

from unora_common.database import Tx

from unora_matching import messages
from unora_matching.store import interests, inventories


async def expire_interests(tx: Tx, lifetime: timedelta, limit: int) -> int:
    """MA-11: expires what is due, of members whom nobody has locked just now. Returns how many interests."""
    senders = await inventories.lock_whose_interests_are_due(tx, lifetime, limit)
    if not senders:
        return 0
    expired = await interests.expire(tx, senders, lifetime)
    tx.emit(*(messages.interest_closed(each, tx.now) for each in expired))
    return len(expired)
