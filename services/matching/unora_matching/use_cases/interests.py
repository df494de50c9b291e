"""Members send interests and withdraw them."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.ids import uuid7

from unora_matching.domain.connections import Connection, form
from unora_matching.domain.errors import InterestNotFound
from unora_matching.domain.interests import Interest, Outcome, ResolvedCard, decide, match, send, withdraw
from unora_matching.domain.inventory import Inventory
from unora_matching.domain.policy import Policy, Slots
from unora_matching.messages import to_message
from unora_matching.store import connections, interests, inventories


class SentInterest(NamedTuple):
    """An interest as its sender sees it, and the connection if it was mutual."""

    interest: Interest
    connection: Connection | None


async def require_open_slot(session: Session, member: UUID, slots: Slots) -> None:
    """MA-13: raises CapacityFull if the member has no open slot. For use before a card is resolved; `send_interest`
    checks again under the lock.
    """
    (await inventories.get(session, member, slots)).require_open_slot()


async def send_interest(tx: Tx, sender_id: UUID, card: ResolvedCard, policy: Policy) -> SentInterest:
    """MA-01 to MA-06, MA-12, MA-13, SA-08. Unless it matches, it runs the same statements for every receiver, so that
    its cost does not reveal what the receiver did (MA-10).
    """
    both = await inventories.lock_or_create(tx, [sender_id, card.receiver_id], policy.slots)
    sender, receiver = both[sender_id], both[card.receiver_id]
    sender.require_open_slot()
    relation = await interests.get_pair_relation(tx, sender_id, card, policy.lifetime)
    outcome = decide(sender, receiver, relation)
    interest, events = send(uuid7(), sender_id, card, outcome, tx.now, policy.lifetime)
    tx.emit(*map(to_message, events))
    if outcome is Outcome.MATCH:
        assert relation.returned_interest_id is not None
        return await _connect(tx, sender, receiver, interest, relation.returned_interest_id)
    interests.insert(tx, interest)
    return SentInterest(interest, None)


async def _connect(
    tx: Tx, sender: Inventory, receiver: Inventory, interest: Interest, returned_interest_id: UUID
) -> SentInterest:
    """The two interests become a connection. It takes a slot of each, and closes other interests of both."""
    connection, formed = form(uuid7(), sender.user_id, receiver.user_id, interest.server_type, tx.now)
    taken = [sender.take_slot(tx.now), receiver.take_slot(tx.now)]
    full = [inventory for inventory, _ in taken if inventory.is_full]
    await connections.insert(tx, connection)
    await interests.insert_now(tx, interest)
    closing = await interests.close_for_connection(tx, connection, [interest.id, returned_interest_id], full)
    wiped = [inventory.wipe(closing.wiped[inventory.user_id], connection.id, tx.now) for inventory in full]
    latest = {inventory.user_id: inventory for inventory, _ in [*taken, *wiped]}
    inventories.save_taken_slots(tx, list(latest.values()))
    events = [formed, *closing.events, *(event for _, event in taken), *(event for _, event in wiped)]
    tx.emit(*map(to_message, events))
    return SentInterest(match(interest, connection.id), connection)


async def withdraw_interest(tx: Tx, interest_id: UUID, sender_id: UUID) -> Interest:
    """MA-11: the same statements and the same event for a pending and a void interest, so that its sender cannot tell
    them apart.
    """
    if await inventories.lock(tx, sender_id) is None:
        raise InterestNotFound
    withdrawn, closed = withdraw(await interests.get(tx, interest_id, sender_id), tx.now)
    interests.save_withdrawn(tx, withdrawn)
    tx.emit(to_message(closed))
    return withdrawn
