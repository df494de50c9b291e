"""What a member's wish, and its end, bring about; each a function of one open transaction."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from unora_common.database import Tx
from unora_common.ids import uuid7

from unora_matching import messages
from unora_matching.domain import (
    Connection,
    EndReason,
    Interest,
    Inventory,
    Slots,
    Verdict,
    Wish,
    end,
    form,
    judge,
    match,
    send,
)
from unora_matching.store import connections, interests, inventories


class Sent(NamedTuple):
    """An interest as its sender sees it, and the connection if it was mutual."""

    interest: Interest
    connection: Connection | None


async def send_interest(tx: Tx, sender_id: UUID, wish: Wish, slots: Slots) -> Sent:
    """MA-01 to MA-06, MA-13. All but a match takes the same statements, whatever the other did (MA-10)."""
    sender, receiver = await inventories.take(tx, sender_id, wish.receiver_id, slots)
    sender.demand_open_slot()
    standing = await interests.standing(tx, sender_id, wish)
    verdict = judge(sender, receiver, standing)
    interest = send(uuid7(), sender_id, wish, verdict, tx.now)
    tx.emit(messages.interest_sent(interest))
    if verdict is Verdict.MATCH:
        assert standing.answer is not None
        return await _connect(tx, sender, receiver, interest, standing.answer)
    interests.insert(tx, interest)
    if verdict is Verdict.VOID:
        tx.emit(messages.interest_closed(interest, tx.now))
    return Sent(interest, None)


async def _connect(tx: Tx, sender: Inventory, receiver: Inventory, interest: Interest, answer: UUID) -> Sent:
    """The two interests become a connection, which takes a slot of each and closes what it must."""
    connection = form(uuid7(), sender.user_id, receiver.user_id, interest.server_type, tx.now)
    taken = [sender.take_slot(), receiver.take_slot()]
    full = [inventory.wipe() for inventory in taken if inventory.is_full]
    latest = {inventory.user_id: inventory for inventory in [*taken, *full]}
    await connections.insert(tx, connection)
    await interests.insert_now(tx, interest)
    closing = await interests.close(tx, connection, [interest.id, answer], full)
    inventories.move(tx, list(latest.values()), by=+1)
    tx.emit(messages.connection_formed(connection))
    tx.emit(*(messages.interest_closed(closed, tx.now) for closed in closing.closed))
    tx.emit(*(messages.inventory_changed(inventory, tx.now) for inventory in taken))
    tx.emit(*(messages.interests_wiped(each, closing.wiped[each.user_id], connection) for each in full))
    return Sent(match(interest), connection)


async def end_connection(tx: Tx, connection_id: UUID, by: UUID, reason: EndReason, slots: Slots) -> Connection:
    """MA-09: the slots of both are free at once. The time is taken under all three locks."""
    connection = await connections.lock(tx, connection_id, by)
    both = await inventories.take(tx, *connection.pair, slots)
    ended = end(connection, tx.now)
    freed = [inventory.free_slot() for inventory in both]
    connections.end(tx, ended, by, reason)
    inventories.move(tx, freed, by=-1)
    tx.emit(messages.connection_ended(ended, by))
    tx.emit(*(messages.inventory_changed(inventory, tx.now) for inventory in freed))
    return ended
