"""How connections end, whoever or whatever ends them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from unora_common.database import Tx

from unora_matching import messages
from unora_matching.domain import Connection, EndReason, Inventory, end
from unora_matching.store import connections, inventories


def end_all(
    tx: Tx, active: Sequence[Connection], members: Mapping[UUID, Inventory], by: UUID, reason: EndReason
) -> list[Connection]:
    """MA-09: the slots of all are free at once. The time is that of the locks, which are those of the connections and,
    before them, of all their members.
    """
    ended = [end(connection, tx.now) for connection in active]
    if not ended:
        return []
    slots = Counter(member for connection in ended for member in connection.pair)
    freed = [members[member].free_slots(count) for member, count in slots.items()]
    connections.end(tx, ended, by, reason)
    inventories.free_slots(tx, freed, slots)
    tx.emit(*(messages.connection_ended(each, by, reason.cause) for each in ended))
    tx.emit(*(messages.inventory_changed(inventory, tx.now) for inventory in freed))
    return ended
