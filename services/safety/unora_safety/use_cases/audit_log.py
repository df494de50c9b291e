"""The audit log: events are appended, indexed and searched (SA-01)."""

from __future__ import annotations

from collections.abc import Sequence

from unora_common.database import Session, Tx
from unora_common.pages import DEFAULT_SIZE

from unora_safety.domain.audit_search import IndexHead, Search, SearchPosition
from unora_safety.domain.chain import Entry, SourceEvent, link
from unora_safety.messages.audit_index_terms import is_hidden_from, terms_of
from unora_safety.store import audit, audit_index


async def append_events(tx: Tx, source_context: str, events: Sequence[SourceEvent]) -> None:
    """Appends events of a context to its chain, each once; replicas that append to one chain wait for each other."""
    head, new = await audit.lock_chain(tx, source_context, events)
    await audit.append(tx, link(source_context, head, new, tx.now))


async def index_entries(tx: Tx, batch: int) -> int:
    """Indexes the next rows, at most `batch` of each chain that no other replica has locked; returns how many rows.

    The rows of a chain become visible in the order of their numbers, since each is written under the lock of the
    chain's head.
    """
    count = 0
    for head in await audit_index.lock_heads(tx):
        entries = await audit.list_entries(tx, head.source_context, audit_index.MAX_NUMBER, head.last, batch)
        if not entries:
            continue
        await audit_index.add(tx, [(term, entry) for entry in entries for term in terms_of(entry)])
        await audit_index.save_head(tx, IndexHead(head.source_context, entries[-1].position))
        count += len(entries)
    return count


async def search_entries(db: Session, search: Search, after: SearchPosition | None, size: int) -> list[Entry]:
    """Rows that fit and that the moderator who asks may see; if there are more than `size`, more than `size` rows.

    Hidden rows (SA-02, SA-07, MA-10) are replaced by those that follow: a shorter page would show that they exist.
    """
    visible, limit = list[Entry](), max(size, DEFAULT_SIZE) + 1
    while True:
        found = await audit_index.search(db, search, after, limit)
        visible += [entry for entry in found if not is_hidden_from(entry, db.user)]
        if len(visible) > size or len(found) < limit:
            return visible
        after = SearchPosition.of(found[-1])
