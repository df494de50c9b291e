"""Blocks (SA-02), pure.

A block is made through a target: a card or a connection. The same person may be blocked through several, each a block
of its own, so that no answer tells that they are one person. The other contexts learn of the first and of the last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from unora_safety.domain.errors import BlockNotFound
from unora_safety.domain.events import MemberBlocked, MemberUnblocked


class TargetKind(StrEnum):
    """How the two met."""

    CARD = "card"
    CONNECTION = "connection"


@dataclass(frozen=True)
class Target:
    """Someone whom the member has met, by how they met."""

    kind: TargetKind
    id: UUID


@dataclass(frozen=True)
class Block:
    """One block that is in force."""

    id: UUID
    target: Target
    blocked_at: datetime


@dataclass(frozen=True)
class Direction:
    """All that one member's blocks of one other come to."""

    blocker_id: UUID
    blocked_id: UUID
    began_with: UUID | None
    """The block that began what is in force; None when nothing is."""
    version: int
    """Grows with each beginning and each end, over all blocks of the direction."""
    blocks: tuple[Block, ...] = ()


def block(
    direction: Direction, target: Target, block_id: UUID, now: datetime
) -> tuple[Direction, Block, list[MemberBlocked]]:
    """Adds a block, or gives the one there is through this target. Told only when it is the direction's first."""
    for each in direction.blocks:
        if each.target == target:
            return direction, each, []
    new = Block(block_id, target, now)
    after = replace(direction, blocks=(*direction.blocks, new))
    if direction.began_with is not None:
        return after, new, []
    after = replace(after, began_with=block_id, version=direction.version + 1)
    told = MemberBlocked(block_id, after.version, after.blocker_id, after.blocked_id, now)
    return after, new, [told]


def unblock(direction: Direction, block_id: UUID, now: datetime) -> tuple[Direction, list[MemberUnblocked]]:
    """Lifts a block. Told only when it was the direction's last. Raises BlockNotFound."""
    left = tuple(each for each in direction.blocks if each.id != block_id)
    if len(left) == len(direction.blocks) or direction.began_with is None:
        raise BlockNotFound
    after = replace(direction, blocks=left)
    if left:
        return after, []
    after = replace(after, began_with=None, version=direction.version + 1)
    return after, [MemberUnblocked(direction.began_with, after.version, after.blocker_id, after.blocked_id, now)]
