"""The audit log in Postgres (SA-01)."""

from __future__ import annotations

from collections.abc import Sequence

from unora_common.database import Session, Tx
from unora_common.rows import Columns

from unora_safety.domain.chain import Chain, Entry, EntryPosition, Head, SourceEvent

COLUMNS = Columns(*Entry._fields)
"""The fields of `Entry`, in their order: so `Entry(*row)` is safe, and faster than by name for whole chains."""

LOCK = "SELECT length, head_hash, known, now FROM safety.open_audit_chain($1, $2)"

APPEND = f"""
    INSERT INTO safety.audit_logs ({COLUMNS.names()})
    SELECT * FROM unnest(
        $1::text[], $2::bigint[], $3::uuid[], $4::text[], $5::uuid[], $6::timestamptz[], $7::timestamptz[],
        $8::bytea[], $9::bytea[], $10::bytea[])"""

# One statement, so that heads and rows are of one moment. `last` is read at the end of an index in each partition.
CHAINS = """
    SELECT source, coalesce(h.length, 0), coalesce(h.head_hash, ''), coalesce(last.number, 0), last.recorded_at
    FROM unnest($1::text[]) AS source
    LEFT JOIN safety.audit_chain_heads h ON h.source_context = source
    LEFT JOIN LATERAL (
        SELECT l.number, l.recorded_at FROM safety.audit_logs l WHERE l.source_context = source
        ORDER BY l.number DESC LIMIT 1) last ON true
    ORDER BY source"""

FIRST = f"""
    SELECT {COLUMNS.names()}
    FROM safety.audit_logs WHERE source_context = $1 AND number <= $2 ORDER BY number, recorded_at LIMIT $3"""

AFTER = f"""
    SELECT {COLUMNS.names()}
    FROM safety.audit_logs WHERE source_context = $1 AND number <= $2 AND (number, recorded_at) > ($4, $5)
    ORDER BY number, recorded_at LIMIT $3"""


async def lock_chain(tx: Tx, source_context: str, events: Sequence[SourceEvent]) -> tuple[Head, list[SourceEvent]]:
    """Locks the head of a chain and sets tx.now: only one transaction appends at a time.

    Returns the head, and the events that are not in the log yet.
    """
    (row,) = await tx.lock(LOCK, source_context, [event.event_id for event in events])
    known = set(row["known"])
    return Head(row["length"], row["head_hash"]), [event for event in events if event.event_id not in known]


async def append(tx: Tx, entries: Sequence[Entry]) -> None:
    """Appends rows to the locked chain. The database refuses rows that do not continue it, and moves its head."""
    if entries:
        await tx.run(APPEND, *(list(column) for column in zip(*entries, strict=True)))


async def list_chains(db: Session, source_contexts: Sequence[str]) -> list[Chain]:
    """The chains of these contexts, by name."""
    rows = await db.rows(CHAINS, list(source_contexts))
    return [Chain(source, Head(length, hash_), last, at) for source, length, hash_, last, at in rows]


async def list_entries(
    db: Session, source_context: str, up_to: int, after: EntryPosition | None, limit: int
) -> list[Entry]:
    """The next rows of a chain by number, at most `limit`: a whole chain may not fit into memory."""
    if after is None:
        rows = await db.rows(FIRST, source_context, up_to, limit)
    else:
        rows = await db.rows(AFTER, source_context, up_to, limit, *after)
    return [Entry(*row) for row in rows]
