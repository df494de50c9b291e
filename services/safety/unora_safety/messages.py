"""Domain to proto and back: targets, blocks, events."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from unora.safety.v1 import events_pb2, safety_service_pb2
from unora_common.database import Tx
from unora_common.errors import InvalidArgument
from unora_common.messages import by_name, by_number, to_timestamp

from unora_safety.domain import Block, Category, Decision, Pattern, Target, TargetKind, Told

PATTERNS = by_name(events_pb2.FlagPattern)
DECISIONS = by_name(events_pb2.Decision)
CATEGORIES = by_name(events_pb2.ReportCategory)
PATTERN_OF = {number: Pattern(name) for number, name in by_number(events_pb2.FlagPattern).items()}
DECISION_OF = {number: Decision(name) for number, name in by_number(events_pb2.Decision).items()}
CATEGORY_OF = {number: Category(name) for number, name in by_number(events_pb2.ReportCategory).items()}
ENUMS: dict[str, dict[str, Any]] = {"pattern": PATTERNS, "decision": DECISIONS, "category": CATEGORIES}
"""By the name of the event's field."""


def tell(tx: Tx, *events: Told) -> None:
    """Tells domain events: the contract's have the same names, and fields of the same names."""
    for event in events:
        message = getattr(events_pb2, type(event).__name__)()
        for field in event.__dataclass_fields__:
            match value := getattr(event, field):
                case UUID():
                    setattr(message, field, str(value))
                case StrEnum():
                    setattr(message, field, ENUMS[field][value])
                case datetime():
                    getattr(message, field).FromDatetime(value)
                case _:
                    setattr(message, field, value)
        tx.emit(message)


def from_text(field: str, text: str, *, required: bool = False) -> str:
    """What a person wrote, without the space around it. Raises InvalidArgument."""
    if "\0" in text:
        raise InvalidArgument({field: "holds a null character"})
    if required and not text.strip():
        raise InvalidArgument({field: "is empty"})
    return text.strip()


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
