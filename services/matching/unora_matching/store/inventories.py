"""Slots, and the locks under which members match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from unora_common.database import Row, Session, Tx

from unora_matching.domain import ConnectionNotFound, Inventory, Slots, Tier, newcomer

COLUMNS = """
    i.user_id, i.tier, i.active_connection_count, i.tier_limit, i.version, i.tier_version, i.restricted, i.suspended,
    i.standing_version, i.standing_at"""

TAKE = f"""
    INSERT INTO matching.inventory AS i (user_id, tier, active_connection_count, connection_limit, tier_limit, version)
    SELECT member, $2, 0, $3, $3, 0 FROM unnest($1::uuid[]) AS member ORDER BY member
    ON CONFLICT (user_id) DO UPDATE SET version = i.version
    RETURNING {COLUMNS}, clock.now() AS now"""
# Makes the rows that are missing and locks those that are there, one by one in the order of their ids, in one round
# trip. Made, then locked, would be two; and to lock what is there before what is missing is made breaks the order.

LOCK_ONE = f"""
    WITH i AS MATERIALIZED (SELECT * FROM matching.inventory WHERE user_id = $1 FOR UPDATE)
    SELECT {COLUMNS}, clock.now() AS now FROM i"""

LOCK_PAIR = f"""
    WITH i AS MATERIALIZED (
        SELECT * FROM matching.inventory WHERE user_id IN (
            SELECT unnest(ARRAY[user_a_id, user_b_id]) FROM matching.connections
            WHERE id = $1 AND $2 IN (user_a_id, user_b_id) AND deleted_at IS NULL)
        ORDER BY user_id FOR UPDATE)
    SELECT {COLUMNS}, clock.now() AS now FROM i"""

LOCK_WHOSE_INTERESTS_ARE_DUE = """
    WITH i AS MATERIALIZED (
        SELECT user_id FROM matching.inventory WHERE user_id IN (
            SELECT sender_id FROM matching.interests
            WHERE shown_as = 'pending' AND deleted_at IS NULL AND sent_at <= (SELECT clock.now()) - $1::interval
            ORDER BY sent_at LIMIT $2)
        FOR UPDATE SKIP LOCKED)
    SELECT user_id, clock.now() AS now FROM i"""

TAKE_SLOTS = """
    UPDATE matching.inventory AS i
    SET active_connection_count = i.active_connection_count + 1, version = taken.version
    FROM unnest($1::uuid[], $2::bigint[]) AS taken (user_id, version) WHERE i.user_id = taken.user_id"""

FREE_SLOTS = """
    UPDATE matching.inventory AS i
    SET active_connection_count = i.active_connection_count - freed.slots,
        connection_limit = greatest(i.tier_limit, i.active_connection_count - freed.slots), version = freed.version
    FROM unnest($1::uuid[], $2::bigint[], $3::int[]) AS freed (user_id, version, slots)
    WHERE i.user_id = freed.user_id"""

SAVE_TIER = """
    UPDATE matching.inventory AS i
    SET tier = $2, tier_limit = $3, connection_limit = greatest($3, i.active_connection_count), tier_version = $4,
        version = $5
    WHERE user_id = $1"""

SAVE_STANDING = """
    UPDATE matching.inventory SET restricted = $2, suspended = $3, standing_version = $4, standing_at = $5
    WHERE user_id = $1"""

OF_MEMBER = f"SELECT {COLUMNS} FROM matching.inventory i WHERE i.user_id = $1"

PENDING = """
    SELECT count(*) FROM matching.interests WHERE sender_id = $1 AND shown_as = 'pending' AND deleted_at IS NULL"""


async def take(tx: Tx, members: Sequence[UUID], slots: Slots) -> dict[UUID, Inventory]:
    """Locks the inventories of members and sets tx.now (MA-02); makes the rows that are missing."""
    rows = await tx.lock(TAKE, members, Tier.FREE, slots.of(Tier.FREE))
    return {row["user_id"]: _inventory(row) for row in rows}


async def lock_one(tx: Tx, member: UUID) -> Inventory | None:
    """Locks a member's inventory and sets tx.now; None if they never did anything here."""
    rows = await tx.lock(LOCK_ONE, member)
    return _inventory(rows[0]) if rows else None


async def lock_pair(tx: Tx, connection_id: UUID, member: UUID) -> dict[UUID, Inventory]:
    """Locks the inventories of the two of a member's connection. For another's nothing is even waited for, and it is
    the same as a missing one (XX-04).
    """
    rows = await tx.lock(LOCK_PAIR, connection_id, member)
    if not rows:
        raise ConnectionNotFound
    return {row["user_id"]: _inventory(row) for row in rows}


async def lock_whose_interests_are_due(tx: Tx, lifetime: timedelta, limit: int) -> list[UUID]:
    """Locks members whose interests are due to expire, of those whom nobody has locked just now (MA-11)."""
    return [row["user_id"] for row in await tx.lock(LOCK_WHOSE_INTERESTS_ARE_DUE, lifetime, limit)]


def take_slots(tx: Tx, inventories: Sequence[Inventory]) -> None:
    """Stores that each took a slot: the database itself counts, and refuses one too many (MA-06)."""
    tx.defer(TAKE_SLOTS, [each.user_id for each in inventories], [each.version for each in inventories])


def free_slots(tx: Tx, inventories: Sequence[Inventory], slots: Mapping[UUID, int]) -> None:
    """Stores that each freed so many slots, with which a limit above the tier's falls (MA-07)."""
    ids = [each.user_id for each in inventories]
    tx.defer(FREE_SLOTS, ids, [each.version for each in inventories], [slots[each] for each in ids])


def save_tier(tx: Tx, inventory: Inventory) -> None:
    """Stores a tier and its limit, above which more connections are kept than it has room for (MA-07)."""
    tier = (inventory.tier, inventory.tier_limit, inventory.tier_version)
    tx.defer(SAVE_TIER, inventory.user_id, *tier, inventory.version)


async def save_standing(tx: Tx, inventory: Inventory) -> None:
    """Stores what safety told, at once: slots of the same row may be freed at the commit."""
    standing = (inventory.restricted, inventory.suspended, inventory.standing_version, inventory.standing_at)
    await tx.run(SAVE_STANDING, inventory.user_id, *standing)


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
        user_id=row["user_id"],
        tier=Tier(row["tier"]),
        active_connection_count=row["active_connection_count"],
        tier_limit=row["tier_limit"],
        version=row["version"],
        tier_version=row["tier_version"],
        restricted=row["restricted"],
        suspended=row["suspended"],
        standing_version=row["standing_version"],
        standing_at=row["standing_at"],
    )
