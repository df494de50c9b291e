"""The audit chain (SA-01), pure: how an event becomes a row.

Each row has its number and the hash of the row before, so a row that is changed, missing or moved breaks the chain at
its number. A chain alone cannot show that its end was cut off: for that its head is stored separately.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

FORMAT = b"unora audit 1"
"""The first part of the hashed bytes, so that the bytes of another encoding are never mistaken for this one."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class SourceEvent(NamedTuple):
    """An event of a context, as it was published."""

    event_id: UUID
    subject: str
    aggregate_id: UUID
    occurred_at: datetime
    payload: bytes
    """Ids, states and numbers only (XX-01)."""


class Head(NamedTuple):
    """The end of a chain: the number of its rows, and the hash of the last row, empty if there is no row."""

    length: int
    hash: bytes


START = Head(0, b"")


class EntryPosition(NamedTuple):
    """The place of a row in its chain. `recorded_at` finds the row's partition, and tells two rows with one number
    apart.
    """

    number: int
    recorded_at: datetime


class Entry(NamedTuple):
    """A row of the audit log, in the order of its columns."""

    source_context: str
    number: int
    event_id: UUID
    subject: str
    aggregate_id: UUID
    occurred_at: datetime
    recorded_at: datetime
    payload: bytes
    previous_hash: bytes
    hash: bytes

    @property
    def position(self) -> EntryPosition:
        """Its place in the chain."""
        return EntryPosition(self.number, self.recorded_at)


class Chain(NamedTuple):
    """The head of a chain and its last row, both of one moment."""

    source_context: str
    head: Head
    last_number: int
    """The highest number of its rows; it equals the head's length, unless the chain was tampered with."""
    last_recorded_at: datetime | None


def link(source_context: str, head: Head, events: Iterable[SourceEvent], recorded_at: datetime) -> list[Entry]:
    """The events as the next rows of a chain, in their order."""
    entries: list[Entry] = []
    number, previous = head
    for event in events:
        number += 1
        bare = Entry(source_context, number, *event[:4], recorded_at, event.payload, previous, b"")
        previous = digest(bare)
        entries.append(bare._replace(hash=previous))
    return entries


def digest(entry: Entry) -> bytes:
    """SHA-256 over all columns but `hash`. Each column follows its length, so two rows never give the same bytes."""
    parts = (
        FORMAT,
        entry.source_context.encode(),
        struct.pack(">q", entry.number),
        entry.event_id.bytes,
        entry.subject.encode(),
        entry.aggregate_id.bytes,
        _moment(entry.occurred_at),
        _moment(entry.recorded_at),
        entry.payload,
        entry.previous_hash,
    )
    return hashlib.sha256(b"".join(struct.pack(">I", len(part)) + part for part in parts)).digest()


def _moment(moment: datetime) -> bytes:
    """Microseconds since 1970 (UTC): the precision of Postgres and of Python."""
    return struct.pack(">q", (moment - EPOCH) // MICROSECOND)
