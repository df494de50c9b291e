"""Safety, pure: no I/O, no clock, no proto."""

from unora_safety.domain.blocks import Block, Blocked, Direction, Target, TargetKind, Unblocked, block, unblock
from unora_safety.domain.chain import Entry, Event, Head, Walk, digest, link
from unora_safety.domain.errors import BlockNotFound, TargetNotFound

__all__ = [
    "Block",
    "BlockNotFound",
    "Blocked",
    "Direction",
    "Entry",
    "Event",
    "Head",
    "Target",
    "TargetKind",
    "TargetNotFound",
    "Unblocked",
    "Walk",
    "block",
    "digest",
    "link",
    "unblock",
]
