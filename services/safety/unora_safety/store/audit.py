"""The audit log in Postgres (SA-01)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from unora_common.database import Session, Tx

from unora_safety.domain import Entry, Event, Head

COLUMNS = """
    source_context, number, event_id, subject, aggregate_id, occurred_at, recorded_at, payload, previous_hash, hash"""

OPEN = "SELECT length, head_hash, known, now FROM safety.open_audit_chain($1, $2)"

APPEND = f"""
    INSERT INTO safety.audit_logs ({COLUMNS})
    SELECT * FROM unnest(
        $1::text[], $2::bigint[], $3::uuid[], $4::text[], $5::uuid[], $6::timestamptz[], $7::timestamptz[],
        $8::bytea[], $9::bytea[], $10::bytea[])"""

# One statement, so that heads and rows are of one moment. `last` is found at the end of an index in each partition.
CHAINS = """
    SELECT source, coalesce(h.length, 0), coalesce(h.head_hash, ''), coalesce(last.number, 0), last.recorded_at
    FROM unnest($1::text[]) AS source
    LEFT JOIN safety.audit_chain_heads h ON h.source_context = source
    LEFT JOIN LATERAL (
        SELECT l.number, l.recorded_at FROM safety.audit_logs l WHERE l.source_context = source
        ORDER BY l.number DESC LIMIT 1) last ON true
    ORDER BY source"""

FIRST = f"""
    SELECT {COLUMNS}
    FROM safety.audit_logs WHERE source_context = $1 AND number <= $2 ORDER BY number, recorded_at LIMIT $3"""

AFTER = f"""
    SELECT {COLUMNS}
    FROM safety.audit_logs WHERE source_context = $1 AND number <= $2 AND (number, recorded_at) > ($4, $5)
    ORDER BY number, recorded_at LIMIT $3"""


class Chain(NamedTuple):
    """A chain as it stood at one moment."""

    source_context: str
    head: Head
    last_number: int
    """The highest number among its rows; the head's length, unless it was tampered with."""
    last_recorded_at: datetime | None


class Step(NamedTuple):
    """A row where a walk along a chain stands."""

    number: int
    recorded_at: datetime


async def open_chain(tx: Tx, source_context: str, events: Sequence[Event]) -> tuple[Head, list[Event]]:
    """Locks a chain's head, so that one at a time appends, and sets tx.now. Returns the head, and the new events."""
    (row,) = await tx.lock(OPEN, source_context, [event.event_id for event in events])
    known = set(row["known"])
    return Head(row["length"], row["head_hash"]), [event for event in events if event.event_id not in known]


async def append(tx: Tx, entries: Sequence[Entry]) -> None:
    """Appends rows to the chain that was opened; the database refuses what does not continue it, and moves its head."""
    if entries:
        await tx.run(APPEND, *(list(column) for column in zip(*entries, strict=True)))


async def chains(session: Session, sources: Sequence[str]) -> list[Chain]:
    """The chains of these contexts, by name."""
    rows = await session.rows(CHAINS, list(sources))
    return [Chain(source, Head(length, hash_), last, at) for source, length, hash_, last, at in rows]


async def entries(session: Session, source_context: str, up_to: int, after: Step | None, count: int) -> list[Entry]:
    """The next rows of a chain by number, so many at most: the chain may be longer than memory is wide."""
    if after is None:
        rows = await session.rows(FIRST, source_context, up_to, count)
    else:
        rows = await session.rows(AFTER, source_context, up_to, count, *after)
    return [Entry(*row) for row in rows]
