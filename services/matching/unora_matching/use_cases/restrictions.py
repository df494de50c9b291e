"""Safety restricts or suspends a member, or lifts that."""

from __future__ import annotations

from unora_common.database import Tx
from unora_common.errors import RetryLater

from unora_matching.domain.connections import EndReason, formed_until
from unora_matching.domain.notices import Restriction
from unora_matching.domain.policy import Slots
from unora_matching.messages import to_message
from unora_matching.store import connections, interest_closings, inventories
from unora_matching.use_cases.end_connections import end_connections


async def change_restriction(tx: Tx, restriction: Restriction, slots: Slots) -> None:
    """SA-06, SA-08: the interests that the member sent become void and still look pending; a suspension also ends the
    member's connections. Interests that the member received stay pending: they can match when it is lifted.

    If a restriction arrives after a newer one, it still has its effect on what is older than the newer one. Raises
    RetryLater if a connection of the member was formed between the read of the partners and the lock.
    """
    member = restriction.user_id
    partners = await connections.list_partners(tx, member) if restriction.suspended else []
    members = await inventories.lock_or_create(tx, [member, *partners], slots)
    before = members[member]
    changed = before.change_restriction(restriction)
    until = None
    if changed is not None:
        await inventories.save_restriction(tx, changed)
    elif restriction.version < before.standing_version:
        until = before.standing_at
    if restriction.restricted or restriction.suspended:
        voided = await interest_closings.void_sent(tx, member, until)
        tx.emit(*map(to_message, voided))
    if restriction.suspended:
        active = formed_until(await connections.lock_active_of_member(tx, member), until)
        if any(connection.partner_of(member) not in members for connection in active):
            raise RetryLater("a connection was formed between the read of the partners and the lock")
        end_connections(tx, active, members, member, EndReason.SUSPENSION, acted_at=restriction.changed_at)
