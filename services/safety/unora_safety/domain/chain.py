"""The audit chain (SA-01), pure: how an event becomes a row, and how a walk along the rows finds tampering.

Each row carries its number and the hash of the row before it, so a row that is changed, missing or moved breaks the
chain at its number. What a chain alone cannot show is that its end was cut off: for that its head is kept apart.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

FORMAT = b"unora audit 1"
"""Opens what is hashed, so that another encoding can never be taken for this one."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Event(NamedTuple):
    """An event of another context, as it was told."""

    event_id: UUID
    subject: str
    aggregate_id: UUID
    occurred_at: datetime
    payload: bytes
    """Ids, states and numbers only (XX-01)."""


class Head(NamedTuple):
    """The end of a chain: how many rows it has, and the hash of the last; empty before the first."""

    length: int
    hash: bytes


START = Head(0, b"")


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


def link(source_context: str, head: Head, events: Iterable[Event], recorded_at: datetime) -> list[Entry]:
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
    """SHA-256 over all of a row but its hash. Each part goes in with its length, so that no two rows share bytes."""
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
    """Microseconds since 1970 (UTC), which is as exact as Postgres and Python both are."""
    return struct.pack(">q", (moment - EPOCH) // MICROSECOND)


class Walk:
    """A walk along a chain from its first row, or on from where one came to before.

    Feed it rows by number, then `end` it with the head kept apart.
    """

    def __init__(self, reached: Head = START) -> None:
        self.reached = reached
        """Up to here the chain is whole."""
        self.broken_at = 0
        """Number of the first row that is changed, missing or moved; 0 while none is."""

    def take(self, entries: Sequence[Entry]) -> None:
        """Checks the next rows; once the chain is broken, what comes after proves nothing."""
        for entry in entries:
            if self.broken_at:
                return
            due = self.reached.length + 1
            if entry.number != due:
                self.broken_at = min(entry.number, due)  # one is missing, or one is there twice
            elif entry.previous_hash != self.reached.hash or entry.hash != digest(entry):
                self.broken_at = due
            else:
                self.reached = Head(due, entry.hash)

    def end(self, head: Head) -> int:
        """There are no more rows: does the chain end where its head says? Returns `broken_at`."""
        if not self.broken_at and self.reached != head:
            both = min(self.reached.length, head.length)
            self.broken_at = both if self.reached.length == head.length else both + 1
        return self.broken_at
