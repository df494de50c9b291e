"""What members do themselves."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from unora_common.database import Tx
from unora_common.ids import uuid7

from unora_matching import messages
from unora_matching.domain import (
    Connection,
    ConnectionNotFound,
    EndReason,
    Interest,
    InterestNotFound,
    InterestStatus,
    Inventory,
    Policy,
    Verdict,
    Wish,
    closed,
    form,
    judge,
    match,
    send,
    withdraw,
)
from unora_matching.store import connections, interests, inventories
from unora_matching.use_cases.endings import end_all


class Sent(NamedTuple):
    """An interest as its sender sees it, and the connection if it was mutual."""

    interest: Interest
    connection: Connection | None


async def send_interest(tx: Tx, sender_id: UUID, wish: Wish, policy: Policy) -> Sent:
    """MA-01 to MA-06, MA-12, MA-13, SA-08. All but a match takes the same statements, whoever is behind the card and
    whatever they did (MA-10).
    """
    both = await inventories.take(tx, [sender_id, wish.receiver_id], policy.slots)
    sender, receiver = both[sender_id], both[wish.receiver_id]
    sender.demand_open_slot()
    standing = await interests.standing(tx, sender_id, wish, policy.lifetime)
    verdict = judge(sender, receiver, standing)
    interest = send(uuid7(), sender_id, wish, verdict, tx.now)
    tx.emit(messages.interest_sent(interest, policy.lifetime))
    if verdict is Verdict.MATCH:
        assert standing.answer is not None
        return await _connect(tx, sender, receiver, interest, standing.answer)
    interests.insert(tx, interest)
    if verdict is Verdict.VOID:
        tx.emit(messages.interest_closed(closed(interest, InterestStatus.VOID), tx.now))
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
    inventories.take_slots(tx, list(latest.values()))
    tx.emit(messages.connection_formed(connection))
    tx.emit(*(messages.interest_closed(each, tx.now) for each in closing.closed))
    tx.emit(*(messages.inventory_changed(inventory, tx.now) for inventory in taken))
    tx.emit(*(messages.interests_wiped(each, closing.wiped[each.user_id], connection.id, tx.now) for each in full))
    return Sent(match(interest), connection)


async def withdraw_interest(tx: Tx, interest_id: UUID, sender_id: UUID) -> Interest:
    """MA-11: the same statements and the same event whether it pends or is void, which its sender cannot know."""
    if await inventories.lock_one(tx, sender_id) is None:
        raise InterestNotFound
    withdrawn = withdraw(await interests.own(tx, interest_id, sender_id))
    interests.save_withdrawn(tx, withdrawn)
    tx.emit(messages.interest_closed(closed(withdrawn, InterestStatus.WITHDRAWN), tx.now))
    return withdrawn


async def end_connection(tx: Tx, connection_id: UUID, by: UUID, reason: EndReason) -> Connection:
    """MA-09: either of the two, with a reason that the other never sees."""
    both = await inventories.lock_pair(tx, connection_id, by)
    connection = await connections.lock(tx, connection_id)
    if connection is None:
        raise ConnectionNotFound
    (ended,) = end_all(tx, [connection], both, by, reason)
    return ended
