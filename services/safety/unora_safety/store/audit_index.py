"""The index of the audit log in Postgres (SA-01): each row by its context, event, aggregate and the members it names.

The index only finds rows; what they say is read from the log itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from unora_common.common_metrics import COUNT_LIMIT
from unora_common.database import Session, Tx
from unora_common.due import Due

from unora_safety.domain.audit_search import IndexHead, Search, SearchPosition
from unora_safety.domain.chain import Entry, EntryPosition
from unora_safety.store.audit import COLUMNS

MAX_NUMBER = 9223372036854775807
"""The largest bigint: no row has a greater number."""

# For each leading term its newest rows that have the other terms too, then the newest of all these. Every step reads
# the index by its key.
SEARCH = f"""
    SELECT {COLUMNS.names("l")}
    FROM unnest($1::text[]) AS lead CROSS JOIN LATERAL (
        SELECT i.recorded_at, i.source_context, i.number FROM safety.audit_index i
        WHERE i.term = lead AND i.recorded_at >= $3 AND i.recorded_at < $4
            AND (i.recorded_at, i.source_context, i.number) < ($5, $6, $7)
            AND NOT EXISTS (
                SELECT FROM unnest($2::text[]) AS other WHERE NOT EXISTS (
                    SELECT FROM safety.audit_index o WHERE o.term = other AND o.recorded_at = i.recorded_at
                        AND o.source_context = i.source_context AND o.number = i.number))
        ORDER BY i.recorded_at DESC, i.source_context DESC, i.number DESC LIMIT $8) AS found
    JOIN safety.audit_logs l USING (source_context, number, recorded_at)
    ORDER BY recorded_at DESC, source_context DESC, number DESC LIMIT $8"""

HEADS = """
    SELECT source_context, number, recorded_at FROM safety.audit_index_heads ORDER BY source_context
    FOR UPDATE SKIP LOCKED"""

COUNT_MISSING = f"""
    SELECT least(coalesce(sum(h.length - coalesce(i.number, 0)), 0), {COUNT_LIMIT})::bigint
    FROM safety.audit_chain_heads h LEFT JOIN safety.audit_index_heads i USING (source_context)"""

ADD = """
    INSERT INTO safety.audit_index (term, recorded_at, source_context, number)
    SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::bigint[]) ON CONFLICT DO NOTHING"""

ADVANCE = "UPDATE safety.audit_index_heads SET number = $2, recorded_at = $3 WHERE source_context = $1"


async def search(db: Session, search: Search, after: SearchPosition | None, limit: int) -> list[Entry]:
    """Rows that fit, newest first, at most `limit`."""
    after = after or SearchPosition(search.until, "", MAX_NUMBER)
    rows = await db.rows(SEARCH, search.leads, search.others, search.since, search.until, *after, limit)
    return [Entry(*row) for row in rows]


async def lock_heads(tx: Tx) -> list[IndexHead]:
    """Locks the heads that no other replica has locked."""
    return [
        IndexHead(source, EntryPosition(number, recorded_at) if number else None)
        for source, number, recorded_at in await tx.rows(HEADS)
    ]


async def add(tx: Tx, terms: Sequence[tuple[str, Entry]]) -> None:
    """Adds rows to the index, each by one of its terms."""
    entries = [entry for _, entry in terms]
    await tx.run(
        ADD,
        [term for term, _ in terms],
        [entry.recorded_at for entry in entries],
        [entry.source_context for entry in entries],
        [entry.number for entry in entries],
    )


async def save_head(tx: Tx, head: IndexHead) -> None:
    """Stores up to which row a chain is in the index."""
    if head.last is not None:
        await tx.run(ADVANCE, head.source_context, *head.last)


async def count_missing(db: Session) -> Due:
    """The rows that are not in the index yet; since when would need a look at the rows."""
    return Due(await db.value(COUNT_MISSING), None)
