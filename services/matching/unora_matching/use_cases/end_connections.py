"""Connections end: by a member, by a block, by a suspension."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from unora_common.database import Tx

from unora_matching.domain.connections import Connection, EndReason, end
from unora_matching.domain.errors import ConnectionNotFound
from unora_matching.domain.inventory import Inventory
from unora_matching.messages import to_message
from unora_matching.store import connections, inventories


async def end_connection(tx: Tx, connection_id: UUID, by: UUID, reason: EndReason) -> Connection:
    """MA-09: either of the two ends it, with a reason that the other never sees."""
    both = await inventories.lock_pair(tx, connection_id, by)
    connection = await connections.lock(tx, connection_id)
    if connection is None:
        raise ConnectionNotFound
    (ended,) = end_connections(tx, [connection], both, by, reason)
    return ended


def end_connections(
    tx: Tx,
    active: Sequence[Connection],
    members: Mapping[UUID, Inventory],
    by: UUID,
    reason: EndReason,
    acted_at: datetime | None = None,
) -> list[Connection]:
    """MA-09: ends connections and frees their slots at tx.now. The connections are locked, and before them all their
    members, whose inventories are `members`.

    `acted_at` (UTC) is when `by` acted in another context, as a block or a suspension is older than its effect here. It
    is published for credits (BI-05), but not shown: an ending with an older time would reveal its cause.
    """
    if not active:
        return []
    acted_at = min(acted_at or tx.now, tx.now)
    ended = [end(connection, by, reason.cause, acted_at, tx.now) for connection in active]
    counts = Counter(member for connection in active for member in connection.pair)
    freed = [members[member].free_slots(count, tx.now) for member, count in counts.items()]
    connections.save_ended(tx, [connection for connection, _ in ended], by, reason, acted_at)
    inventories.save_freed_slots(tx, [inventory for inventory, _ in freed], counts)
    tx.emit(*(to_message(event) for _, event in [*ended, *freed]))
    return [connection for connection, _ in ended]
