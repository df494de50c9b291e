"""SafetyService: targets, blocks, texts of members."""

from __future__ import annotations

from unicodedata import normalize
from uuid import UUID

from unora.safety.v1 import safety_service_pb2
from unora_common.errors import InvalidArgument
from unora_common.messages import to_timestamp
from unora_text.visible import length, shows_nothing

from unora_safety.domain.blocks import Block, Target, TargetKind


def from_text(field: str, text: str, most: int, *, required: bool = False) -> str:
    """PR-12: a text without the space around it, of at most so many graphemes; empty if it shows nothing. Nothing else
    is taken from it: it may be evidence. Raises InvalidArgument.
    """
    if "\0" in text:
        raise InvalidArgument({field: "contains a null character"})
    composed = "" if shows_nothing(text) else normalize("NFC", text).strip()
    if required and not composed:
        raise InvalidArgument({field: "is empty"})
    if length(composed) > most:
        raise InvalidArgument({field: f"has more than {most} characters"}, most=most)
    return composed


def from_target(target: safety_service_pb2.Target) -> Target:
    """A target of a validated request, which has exactly one."""
    if target.WhichOneof("target") == "card_id":
        return Target(TargetKind.CARD, UUID(target.card_id))
    return Target(TargetKind.CONNECTION, UUID(target.connection_id))


def to_target(target: Target) -> safety_service_pb2.Target:
    """A target as the member named it."""
    if target.kind is TargetKind.CARD:
        return safety_service_pb2.Target(card_id=str(target.id))
    return safety_service_pb2.Target(connection_id=str(target.id))


def to_block(block: Block) -> safety_service_pb2.Block:
    """A block as the member who made it sees it: without the id of the blocked member."""
    return safety_service_pb2.Block(
        block_id=str(block.id), target=to_target(block.target), blocked_at=to_timestamp(block.blocked_at)
    )
