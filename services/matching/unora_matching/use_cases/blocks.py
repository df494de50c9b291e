"""A member blocks another, or lifts the block (MA-12)."""

from __future__ import annotations

from unora_common.database import Tx

from unora_matching.domain.connections import EndReason, formed_until
from unora_matching.domain.notices import BlockNotice
from unora_matching.domain.policy import Slots
from unora_matching.messages import to_message
from unora_matching.store import blocks, connections, interest_closings, inventories
from unora_matching.use_cases.end_connections import end_connections


async def block_pair(tx: Tx, notice: BlockNotice, slots: Slots) -> None:
    """MA-12: ends the pair's connection and voids its interests. An interest that one of them sends at the same time
    comes before, and its effect is undone here, or comes after, and finds the block.

    If the block arrives after its own lifting, it ends what existed when it was lifted. What is newer stays.
    """
    pair = (notice.blocker_id, notice.blocked_id)
    members = await inventories.lock_or_create(tx, pair, slots)
    until = await blocks.save(tx, notice)
    active = await connections.lock_active_of_pair(tx, *pair)
    voided = await interest_closings.void_pair(tx, *pair, until)
    tx.emit(*map(to_message, voided))
    end_connections(
        tx, formed_until(active, until), members, notice.blocker_id, EndReason.BLOCK, acted_at=notice.changed_at
    )


async def unblock_pair(tx: Tx, notice: BlockNotice, slots: Slots) -> None:
    """MA-12: from now on the two may match again, unless the other blocks too. What the block closed stays closed."""
    await inventories.lock_or_create(tx, (notice.blocker_id, notice.blocked_id), slots)
    await blocks.save(tx, notice)
