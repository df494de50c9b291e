"""A member's tier changes."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Tx

from unora_matching.domain.policy import Slots, Tier
from unora_matching.messages import to_message
from unora_matching.store import interest_closings, inventories


async def change_tier(tx: Tx, member: UUID, tier: Tier, version: int, slots: Slots) -> None:
    """MA-07: a higher tier opens slots at once. A lower tier keeps all connections; if it leaves no open slot, the
    member's pending interests are wiped (MA-04). `version` is that of billing's account.
    """
    before = (await inventories.lock_or_create(tx, [member], slots))[member]
    change = before.change_tier(tier, slots, version, tx.now)
    if change is None:
        return
    changed, event = change
    tx.emit(to_message(event))
    if changed.is_full and not before.is_full:
        closing = await interest_closings.wipe_sent(tx, member)
        changed, wiped = changed.wipe(closing.wiped[member], None, tx.now)
        tx.emit(*map(to_message, [*closing.events, wiped]))
    inventories.save_tier(tx, changed)
