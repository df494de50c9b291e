"""Blocks (SA-02)."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Tx
from unora_common.ids import uuid7

from unora_safety.domain.blocks import Block, Target, block, unblock
from unora_safety.messages.events import to_message
from unora_safety.store import blocks


async def block_member(tx: Tx, blocked_id: UUID, target: Target) -> Block:
    """The caller blocks a member through a target. Only the first block of the direction has an event (MA-12)."""
    before = await blocks.lock_or_create(tx, tx.user, blocked_id)
    after, made, events = block(before, target, uuid7(), tx.now)
    blocks.save(tx, before, after)
    tx.emit(*map(to_message, events))
    return made


async def lift_block(tx: Tx, block_id: UUID) -> None:
    """Lifts a block of the caller. Only the last block of the direction has an event. Raises BlockNotFound."""
    before = await blocks.lock_by_block(tx, block_id, tx.user)
    after, events = unblock(before, block_id, tx.now)
    blocks.save(tx, before, after)
    tx.emit(*map(to_message, events))
