"""Blocks (SA-02), pure.

A member blocks a target: a card or a connection. The same person may be blocked through several targets, each with a
block of its own, so that no answer shows that they are one person. Events are published for the first block of a
direction and for the end of the last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypedDict
from uuid import UUID

from unora_safety.domain.errors import BlockNotFound
from unora_safety.domain.events import MemberBlocked, MemberUnblocked


class TargetKind(StrEnum):
    """How the two met."""

    CARD = "card"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class Target:
    """Another member, named by the card or the connection through which the two met."""

    kind: TargetKind
    id: UUID


@dataclass(frozen=True, slots=True)
class Block:
    """One block that is in force."""

    id: UUID
    target: Target
    blocked_at: datetime


@dataclass(frozen=True, slots=True)
class Direction:
    """All blocks in force of one member by one other."""

    blocker_id: UUID
    blocked_id: UUID
    began_with_id: UUID | None
    """The first of the blocks in force, which the events name; None if no block is in force."""
    version: int
    """Grows with each event of the direction."""
    blocks: tuple[Block, ...] = ()


class EventHeader(TypedDict):
    """The fields that both events have."""

    block_id: UUID
    version: int
    blocker_id: UUID
    blocked_id: UUID
    occurred_at: datetime


def block(
    direction: Direction, target: Target, block_id: UUID, now: datetime
) -> tuple[Direction, Block, list[MemberBlocked]]:
    """Adds a block, or returns the one that exists for this target. Only the first of a direction has an event."""
    for each in direction.blocks:
        if each.target == target:
            return direction, each, []
    new = Block(block_id, target, now)
    after = replace(direction, blocks=(*direction.blocks, new))
    if direction.began_with_id is not None:
        return after, new, []
    after = replace(after, began_with_id=block_id, version=direction.version + 1)
    return after, new, [MemberBlocked(**event_header(after, block_id, now))]


def unblock(direction: Direction, block_id: UUID, now: datetime) -> tuple[Direction, list[MemberUnblocked]]:
    """Lifts a block. Only the last of a direction has an event. Raises BlockNotFound."""
    left = tuple(each for each in direction.blocks if each.id != block_id)
    if len(left) == len(direction.blocks) or direction.began_with_id is None:
        raise BlockNotFound
    after = replace(direction, blocks=left)
    if left:
        return after, []
    after = replace(after, began_with_id=None, version=direction.version + 1)
    return after, [MemberUnblocked(**event_header(after, direction.began_with_id, now))]


def event_header(direction: Direction, block_id: UUID, now: datetime) -> EventHeader:
    """The fields that both events of a direction have; `block_id` is the first block."""
    return {
        "block_id": block_id,
        "version": direction.version,
        "blocker_id": direction.blocker_id,
        "blocked_id": direction.blocked_id,
        "occurred_at": now,
    }
