"""The index of the audit log (SA-01): each row under its context, its event, its aggregate, and each member it names.

What it says is never taken for the truth: rows are read from the log itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from unora_common.config import CONTEXTS
from unora_common.database import Session, Tx
from unora_common.pages import Place

from unora_safety.domain import Entry
from unora_safety.store.audit import AFTER, COLUMNS, FIRST

NEWEST = 9223372036854775807

# By each leading term its newest rows, probed for the other terms, and the newest of all: every step is by the key.
SEARCH = f"""
    SELECT {", ".join(f"l.{column.strip()}" for column in COLUMNS.split(","))}
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

ADD = """
    INSERT INTO safety.audit_index (term, recorded_at, source_context, number)
    SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::bigint[]) ON CONFLICT DO NOTHING"""

ADVANCE = "UPDATE safety.audit_index_heads SET number = $2, recorded_at = $3 WHERE source_context = $1"


class Search(NamedTuple):
    """What is searched for."""

    leads: Sequence[str]
    """Rows under any of these terms,"""
    others: Sequence[str]
    """and under each of these,"""
    since: datetime
    until: datetime
    """recorded from here to before there."""


async def search(db: Session, wanted: Search, after: Place | None, count: int) -> list[Entry]:
    """Rows that fit, newest first."""
    at, source, number = (wanted.until, "", NEWEST) if after is None else row_at(after)
    rows = await db.rows(SEARCH, wanted.leads, wanted.others, wanted.since, wanted.until, at, source, number, count)
    return [Entry(*row) for row in rows]


def place_at(entry: Entry) -> Place:
    """The place of a row, as page tokens hold it: UUIDs are only numbers here."""
    return Place(entry.recorded_at, _number(CONTEXTS.index(entry.source_context), entry.number))


def row_at(place: Place) -> tuple[datetime, str, int]:
    """The row of a place."""
    return place.at, CONTEXTS[place.id.int >> 64], place.id.int & NEWEST


def _number(context: int, number: int) -> UUID:
    return UUID(int=context << 64 | number)


async def advance(tx: Tx, batch: int, terms: Callable[[Entry], Sequence[str]]) -> int:
    """Indexes the next rows of each chain that no other replica is at; returns how many rows.

    A chain's rows become visible in the order of their numbers, since each is written under the lock of its head.
    """
    done = 0
    for source, number, at in await tx.rows(HEADS):
        after = (number, at) if number else ()
        rows = await tx.rows(AFTER if after else FIRST, source, NEWEST, batch, *after)
        entries = [Entry(*row) for row in rows]
        if not entries:
            continue
        named = [(term, entry) for entry in entries for term in terms(entry)]
        columns = [[entry.recorded_at for _, entry in named], [source] * len(named), [e.number for _, e in named]]
        await tx.run(ADD, [term for term, _ in named], *columns)
        await tx.run(ADVANCE, source, entries[-1].number, entries[-1].recorded_at)
        done += len(entries)
    return done
