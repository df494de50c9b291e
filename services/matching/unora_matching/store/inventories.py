"""Slots, and the locks under which members match."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora_common.database import Row, Session, Tx

from unora_matching.domain import Inventory, Slots, Tier, newcomer

TAKE = """
    INSERT INTO matching.inventory AS i (user_id, tier, active_connection_count, connection_limit, version)
    SELECT member, $2, 0, $3, 0 FROM unnest($1::uuid[]) AS member ORDER BY member
    ON CONFLICT (user_id) DO UPDATE SET version = i.version
    RETURNING i.user_id, i.tier, i.active_connection_count, i.connection_limit, i.version, clock.now() AS now"""
# Makes the rows that are missing and locks those that are there, one by one in the order of their ids, in one round
# trip. Made, then locked, would be two; and to lock what is there before what is missing is made breaks the order.

MOVE = """
    UPDATE matching.inventory AS i
    SET active_connection_count = i.active_connection_count + $3, version = moved.version
    FROM unnest($1::uuid[], $2::bigint[]) AS moved (user_id, version) WHERE i.user_id = moved.user_id"""

OF_MEMBER = """
    SELECT user_id, tier, active_connection_count, connection_limit, version FROM matching.inventory
    WHERE user_id = $1"""

PENDING = """
    SELECT count(*) FROM matching.interests WHERE sender_id = $1 AND shown_as = 'pending' AND deleted_at IS NULL"""


async def take(tx: Tx, one: UUID, other: UUID, slots: Slots) -> tuple[Inventory, Inventory]:
    """Locks the inventories of two members and sets tx.now (MA-02); makes the rows that are missing."""
    rows = await tx.lock(TAKE, [one, other], Tier.FREE, slots.of(Tier.FREE))
    found = {row["user_id"]: _inventory(row) for row in rows}
    return found[one], found[other]


def move(tx: Tx, inventories: Sequence[Inventory], by: int) -> None:
    """Stores that each took a slot, or freed one: the database itself counts, and refuses one too many (MA-06)."""
    tx.write(MOVE, [each.user_id for each in inventories], [each.version for each in inventories], by)


async def of_member(session: Session, member: UUID, slots: Slots) -> Inventory:
    """A member's slots, not locked."""
    row = await session.row(OF_MEMBER, member)
    return _inventory(row) if row else newcomer(member, slots)


async def pending_count(session: Session, member: UUID) -> int:
    """How many of a member's own interests look pending to them; those of others are counted for nobody (MA-10)."""
    count: int = await session.value(PENDING, member)
    return count


def _inventory(row: Row) -> Inventory:
    return Inventory(
        row["user_id"],
        Tier(row["tier"]),
        row["active_connection_count"],
        row["connection_limit"],
        row["version"],
    )
