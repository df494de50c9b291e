"""How connections end, whoever or whatever ends them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from unora_common.database import Tx

from unora_matching import messages
from unora_matching.domain import Connection, EndReason, Inventory, end
from unora_matching.store import connections, inventories


def end_all(
    tx: Tx,
    active: Sequence[Connection],
    members: Mapping[UUID, Inventory],
    by: UUID,
    reason: EndReason,
    acted_at: datetime | None = None,
) -> list[Connection]:
    """MA-09: the slots of all are free at once. The time is that of the locks, which are those of the connections and,
    before them, of all their members. What was done elsewhere was done at `acted_at`: that is told for credits (BI-05),
    and not shown, since an ending that is older than its effect would betray its cause.
    """
    ended = [end(connection, tx.now) for connection in active]
    if not ended:
        return []
    slots = Counter(member for connection in ended for member in connection.pair)
    freed = [members[member].free_slots(count) for member, count in slots.items()]
    connections.end(tx, ended, by, reason)
    inventories.free_slots(tx, freed, slots)
    done_at = min(acted_at or tx.now, tx.now)
    tx.emit(*(messages.connection_ended(each, by, reason.cause, done_at) for each in ended))
    tx.emit(*(messages.inventory_changed(inventory, tx.now) for inventory in freed))
    return ended
