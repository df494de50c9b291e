"""Ids (RFC 9562). No rule depends on the order of ids."""

from __future__ import annotations

import os
import time
import uuid
from uuid import UUID


def uuid7() -> UUID:
    """A new id that begins with its time: 48 bits of the machine's milliseconds, then 74 random bits. Such ids sort
    roughly by time, so index pages stay warm.

    For all that stays inside, or whose time everyone who sees the id may know, such as a connection of the two.
    """
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def random_id() -> UUID:
    """A new id that tells nothing: UUIDv4, 122 random bits.

    For what other members see whose time they must not know: members, their photos, cards (XX-04).
    """
    return uuid.uuid4()
