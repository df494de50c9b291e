"""RE-05, BI-11: reveals that are bought."""

from __future__ import annotations

from uuid import UUID

from unora_common.clients import Clients
from unora_common.database import Database, Tx
from unora_common.pair_facts import are_connected

from unora_reveal.domain.purchases import Purchase, decide, require_purchasable
from unora_reveal.domain.reveals import ConnectionEnded
from unora_reveal.messages import to_message
from unora_reveal.store import purchases, reveals


async def authorize(database: Database, clients: Clients, payer_id: UUID, streak_id: UUID, number: int) -> UUID:
    """Returns the connection's id if the payer can buy this reveal now. Raises a refusal otherwise.

    Nothing is held: what changes before the payment succeeds is found then (BI-11).
    """
    async with database.session() as session:
        member_reveals = await reveals.list_by_member(session, streak_id, payer_id)
    require_purchasable(number, member_reveals)
    reveal = member_reveals[0]
    if not await are_connected(clients, reveal.connection_id, reveal.user_id, reveal.partner_id):
        raise ConnectionEnded
    return reveal.connection_id


async def is_pair_connected(database: Database, clients: Clients, purchase: Purchase) -> bool:
    """Asks matching and safety, since the event of an ending or a block may not have arrived yet."""
    async with database.session() as session:
        reveal = (await reveals.list_by_member(session, purchase.streak_id, purchase.payer_id))[0]
    return await are_connected(clients, reveal.connection_id, reveal.user_id, reveal.partner_id)


async def deliver_or_reject(tx: Tx, purchase: Purchase, *, connected: bool) -> None:
    """Decides once for each payment, however often its event comes.

    The rules are applied again, under the lock: meanwhile the reveal may have been earned or bought, the tier may have
    changed, the connection may have ended.
    """
    member_reveals = await reveals.lock(tx, purchase.streak_id, purchase.payer_id)
    if await purchases.is_decided(tx, purchase.payment_id):
        return
    decision = decide(purchase, member_reveals, tx.now, connected=connected)
    await purchases.save(tx, decision)
    tx.emit(to_message(decision.event))
