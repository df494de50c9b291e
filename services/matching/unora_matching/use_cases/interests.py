"""Members send interests and withdraw them; mutual ones become connections."""

from __future__ import annotations

from collections.abc import Sequence
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
from unora_matching.store import connections, interest_closings, interests, inventories


class SentInterest(NamedTuple):
    """An interest as its sender sees it, and the connection if it was mutual."""

    interest: Interest
    connection: Connection | None


async def require_may_send(session: Session, member: UUID, slots: Slots) -> None:
    """MA-13, ID-16: raises AccountPaused, and CapacityFull if the member has no open slot. For use before a card is
    resolved; `send_interest` checks again under the lock.
    """
    (await inventories.get(session, member, slots)).require_may_send()


async def send_interest(tx: Tx, sender_id: UUID, card: ResolvedCard, policy: Policy) -> SentInterest:
    """MA-01 to MA-06, MA-12, MA-13, SA-08. Unless it matches, it runs the same statements for every receiver, so that
    its cost does not reveal what the receiver did (MA-10).
    """
    both = await inventories.lock_or_create(tx, [sender_id, card.receiver_id], policy.slots)
    sender, receiver = both[sender_id], both[card.receiver_id]
    sender.require_may_send()
    relation = await interests.get_pair_relation(tx, sender_id, card, policy.lifetime)
    outcome = decide(sender, receiver, relation)
    interest, events = send(uuid7(), sender_id, card, outcome, tx.now, policy.lifetime)
    tx.emit(*map(to_message, events))
    if outcome is Outcome.MATCH:
        assert relation.returned_interest_id is not None
        await interests.insert_now(tx, interest)
        matched = [interest.id, relation.returned_interest_id]
        connection, after = await connect(tx, sender, receiver, card.server_type, matched)
        inventories.save_taken_slots(tx, after)
        return SentInterest(match(interest, connection.id), connection)
    interests.insert(tx, interest)
    return SentInterest(interest, None)


async def connect(
    tx: Tx, sender: Inventory, receiver: Inventory, server_type: str, matched: Sequence[UUID]
) -> tuple[Connection, list[Inventory]]:
    """Two stored interests become a connection. It takes a slot of each, and closes other interests of both. Returns
    also the inventories of the two after it, which the caller saves.
    """
    connection, formed = form(uuid7(), sender.user_id, receiver.user_id, server_type, tx.now)
    taken = [sender.take_slot(tx.now), receiver.take_slot(tx.now)]
    full = [inventory for inventory, _ in taken if inventory.is_full]
    await connections.insert(tx, connection)
    closing = await interest_closings.close_for_connection(tx, connection, matched, full)
    wiped = [inventory.wipe(closing.wiped[inventory.user_id], connection.id, tx.now) for inventory in full]
    latest = {inventory.user_id: inventory for inventory, _ in [*taken, *wiped]}
    events = [formed, *closing.events, *(event for _, event in taken), *(event for _, event in wiped)]
    tx.emit(*map(to_message, events))
    return connection, list(latest.values())


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
