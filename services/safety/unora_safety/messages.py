"""Domain to proto and back."""

from __future__ import annotations

from uuid import UUID

from unora.safety.v1 import events_pb2, safety_service_pb2
from unora_common.messages import to_timestamp

from unora_safety.domain import Block, Blocked, Target, TargetKind, Unblocked


def from_target(target: safety_service_pb2.Target) -> Target:
    """A target from a request that was validated: exactly one is given."""
    if target.WhichOneof("target") == "card_id":
        return Target(TargetKind.CARD, UUID(target.card_id))
    return Target(TargetKind.CONNECTION, UUID(target.connection_id))


def to_target(target: Target) -> safety_service_pb2.Target:
    """A target as it was given."""
    if target.kind is TargetKind.CARD:
        return safety_service_pb2.Target(card_id=str(target.id))
    return safety_service_pb2.Target(connection_id=str(target.id))


def to_block(block: Block) -> safety_service_pb2.Block:
    """A block as the one who made it sees it: nothing of whom it is about."""
    return safety_service_pb2.Block(
        block_id=str(block.id), target=to_target(block.target), blocked_at=to_timestamp(block.blocked_at)
    )


def to_block_event(event: Blocked | Unblocked) -> events_pb2.MemberBlocked | events_pb2.MemberUnblocked:
    """What the other contexts are told of a block."""
    kind = events_pb2.MemberBlocked if isinstance(event, Blocked) else events_pb2.MemberUnblocked
    return kind(
        block_id=str(event.block_id),
        version=event.version,
        blocker_id=str(event.blocker_id),
        blocked_id=str(event.blocked_id),
        occurred_at=to_timestamp(event.at),
    )
