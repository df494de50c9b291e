"""What follows when safety or billing tell something of members."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Tx
from unora_common.errors import RetryLater

from unora_matching import messages
from unora_matching.domain import Closed, Connection, EndReason, Slots, Tier
from unora_matching.store import blocks, connections, interests, inventories
from unora_matching.store.blocks import Told
from unora_matching.use_cases.endings import end_all


async def block(tx: Tx, told: Told, slots: Slots) -> None:
    """MA-12: the pair's connection ends and its interests are void. A wish of either comes before, and what it did is
    undone here, or after, and finds the block.

    A block that is told after its lifting still ended what there was at that time; what came later is not touched.
    """
    pair = (told.blocker_id, told.blocked_id)
    members = await inventories.take(tx, pair, slots)
    until = await blocks.project(tx, told, blocked=True)
    active = await connections.lock_active_of_pair(tx, *pair)
    voided = await interests.void_pair(tx, *pair, until)
    _tell(tx, voided)
    end_all(tx, _formed_by(active, until), members, told.blocker_id, EndReason.BLOCK, told.at)


async def unblock(tx: Tx, told: Told, slots: Slots) -> None:
    """MA-12: from now on the two may match again, unless the other blocks too. Nothing comes back."""
    await inventories.take(tx, (told.blocker_id, told.blocked_id), slots)
    await blocks.project(tx, told, blocked=False)


async def change_standing(
    tx: Tx, member: UUID, *, restricted: bool, suspended: bool, version: int, at: datetime, slots: Slots
) -> None:
    """SA-06, SA-08: what the member sent is void and goes on looking pending; a suspension ends their connections.

    Their own interests are void, not those in them: these wait for an answer that can only come when all is lifted. A
    standing that is told after a newer one still had its effect up to then.
    """
    partners = await connections.partners(tx, member) if suspended else []
    members = await inventories.take(tx, [member, *partners], slots)
    changed = members[member].change_standing(restricted=restricted, suspended=suspended, version=version, at=at)
    until = None
    if changed is not None:
        await inventories.save_standing(tx, changed)
    elif version < members[member].standing_version:
        until = members[member].standing_at
    if restricted or suspended:
        _tell(tx, await interests.void_sent(tx, member, until))
    if suspended:
        active = _formed_by(await connections.lock_active_of_member(tx, member), until)
        if any(connection.partner_of(member) not in members for connection in active):
            raise RetryLater("a connection formed between the look and the lock")
        end_all(tx, active, members, member, EndReason.SUSPENSION, at)


async def change_tier(tx: Tx, member: UUID, tier: Tier, version: int, slots: Slots) -> None:
    """MA-07: a rise opens slots at once; a fall keeps the connections there are, and if it leaves no slot open, the
    pending interests go with the last one (MA-04).
    """
    before = (await inventories.take(tx, [member], slots))[member]
    changed = before.change_tier(tier, slots, version)
    if changed is None:
        return
    tx.emit(messages.inventory_changed(changed, tx.now))
    latest = changed
    if changed.is_full and not before.is_full:
        latest = changed.wipe()
        closing = await interests.wipe(tx, member)
        _tell(tx, closing.closed)
        tx.emit(messages.interests_wiped(latest, closing.wiped[member], None, tx.now))
    inventories.save_tier(tx, latest)


def _formed_by(active: list[Connection], until: datetime | None) -> list[Connection]:
    return active if until is None else [connection for connection in active if connection.formed_at <= until]


def _tell(tx: Tx, closed: list[Closed]) -> None:
    tx.emit(*(messages.interest_closed(each, tx.now) for each in closed))
