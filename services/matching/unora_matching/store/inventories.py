"""Slots, and the locks under which members match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from unora_common.copies import Copy
from unora_common.database import Session, Tx
from unora_common.due import Due, due_sql, find_due
from unora_common.rows import Columns, from_row

from unora_matching.domain.errors import ConnectionNotFound
from unora_matching.domain.inventory import Inventory, new_inventory
from unora_matching.domain.policy import Slots, Tier

COLUMNS = Columns(
    "user_id",
    "tier",
    "active_connection_count",
    "tier_limit",
    "version",
    "tier_version",
    "restricted",
    "suspended",
    "standing_version",
    "standing_at",
    "paused",
    "closed",
    "away_version",
    "away_at",
)

TIERS = Copy(
    "matching.inventory",
    ["user_id"],
    ["t.tier", "t.tier_limit"],
    version="tier_version",
    forget="tier_version = -1",
)
AWAY = Copy(
    "matching.inventory",
    ["user_id"],
    ["t.paused", "t.closed"],
    version="away_version",
    forget="away_version = -1",
)
STANDINGS = Copy(
    "matching.inventory",
    ["user_id"],
    ["t.restricted", "t.suspended", "t.standing_at"],
    version="standing_version",
    forget="standing_version = -1",
    vanish="restricted = false, suspended = false, standing_version = 0, standing_at = NULL",
)

LOCK_OR_CREATE = f"""
    INSERT INTO matching.inventory AS i (user_id, tier, active_connection_count, connection_limit, tier_limit, version)
    SELECT member, $2, 0, $3, $3, 0 FROM unnest($1::uuid[]) AS member ORDER BY member
    ON CONFLICT (user_id) DO UPDATE SET version = i.version
    RETURNING {COLUMNS.names("i")}, clock.now() AS now"""
# One round trip creates the missing rows and locks the existing ones, one by one in the order of their ids. To create
# first and lock then would take two round trips; to lock the existing rows first would break the order.

LOCK = f"""
    WITH i AS MATERIALIZED (SELECT * FROM matching.inventory WHERE user_id = $1 FOR UPDATE)
    SELECT {COLUMNS.names("i")}, clock.now() AS now FROM i"""

LOCK_PAIR = f"""
    WITH i AS MATERIALIZED (
        SELECT * FROM matching.inventory WHERE user_id IN (
            SELECT unnest(ARRAY[user_a_id, user_b_id]) FROM matching.connections
            WHERE id = $1 AND $2 IN (user_a_id, user_b_id) AND deleted_at IS NULL)
        ORDER BY user_id FOR UPDATE)
    SELECT {COLUMNS.names("i")}, clock.now() AS now FROM i"""

LOCK_SENDERS_OF_DUE_INTERESTS = """
    WITH i AS MATERIALIZED (
        SELECT user_id FROM matching.inventory WHERE user_id = ANY (ARRAY(
            SELECT sender_id FROM matching.interests
            WHERE shown_as = 'pending' AND deleted_at IS NULL AND sent_at <= (SELECT clock.now()) - $1::interval
                AND sender_id <> ALL ($3) AND ($4::uuid IS NULL OR sender_id = $4)
            ORDER BY sent_at LIMIT $2))
        FOR UPDATE SKIP LOCKED)
    SELECT user_id, clock.now() AS now FROM i"""

SAVE_TAKEN_SLOTS = """
    UPDATE matching.inventory AS i
    SET active_connection_count = i.active_connection_count + 1, version = taken.version
    FROM unnest($1::uuid[], $2::bigint[]) AS taken (user_id, version) WHERE i.user_id = taken.user_id"""

SAVE_FREED_SLOTS = """
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

SAVE_RESTRICTION = """
    UPDATE matching.inventory SET restricted = $2, suspended = $3, standing_version = $4, standing_at = $5
    WHERE user_id = $1"""

SAVE_AWAY = """
    UPDATE matching.inventory SET paused = $2, closed = $3, away_version = $4, away_at = $5 WHERE user_id = $1"""

GET = f"SELECT {COLUMNS.names()} FROM matching.inventory WHERE user_id = $1"

# A row without a version is only a lock so far: no event told of it.
LIST_AFTER = f"""
    SELECT {COLUMNS.names()} FROM matching.inventory WHERE user_id > $1 AND version > 0 ORDER BY user_id LIMIT $2"""

COUNT_PENDING = """
    SELECT count(*) FROM matching.interests WHERE sender_id = $1 AND shown_as = 'pending' AND deleted_at IS NULL"""

DUE_INTERESTS = due_sql(
    "matching.interests WHERE shown_as = 'pending' AND deleted_at IS NULL",
    "sent_at",
    now="((SELECT clock.now()) - $1::interval)",
)


async def lock_or_create(tx: Tx, members: Sequence[UUID], slots: Slots) -> dict[UUID, Inventory]:
    """Locks the inventories of members and sets tx.now (MA-02); creates the missing ones."""
    rows = await tx.lock(LOCK_OR_CREATE, members, Tier.FREE, slots.of(Tier.FREE))
    return {row["user_id"]: from_row(Inventory, row) for row in rows}


async def lock(tx: Tx, member: UUID) -> Inventory | None:
    """Locks a member's inventory and sets tx.now; None if the member has none yet."""
    rows = await tx.lock(LOCK, member)
    return from_row(Inventory, rows[0]) if rows else None


async def lock_pair(tx: Tx, connection_id: UUID, member: UUID) -> dict[UUID, Inventory]:
    """Locks the inventories of the two of a member's connection, and sets tx.now. Raises ConnectionNotFound, also for
    a connection of others, and then it has not waited for any lock (XX-04).
    """
    rows = await tx.lock(LOCK_PAIR, connection_id, member)
    if not rows:
        raise ConnectionNotFound
    return {row["user_id"]: from_row(Inventory, row) for row in rows}


async def lock_senders_of_due_interests(
    tx: Tx, lifetime: timedelta, limit: int, left_out: Sequence[UUID] = (), only: UUID | None = None
) -> list[UUID]:
    """Locks the members who sent the `limit` oldest of the interests that are due to expire, and sets tx.now; skips
    members who are locked, and those in `left_out` (MA-11). With `only` it looks at this member's.
    """
    rows = await tx.lock(LOCK_SENDERS_OF_DUE_INTERESTS, lifetime, limit, left_out, only)
    return [row["user_id"] for row in rows]


async def count_due_interests(session: Session, lifetime: timedelta) -> Due:
    """The interests that are due to expire (MA-11)."""
    return await find_due(session, DUE_INTERESTS, lifetime)


def save_taken_slots(tx: Tx, inventories: Sequence[Inventory]) -> None:
    """Stores that each took a slot. The database counts itself, and refuses one too many (MA-06)."""
    tx.defer(SAVE_TAKEN_SLOTS, [each.user_id for each in inventories], [each.version for each in inventories])


async def save_taken_slots_now(tx: Tx, inventories: Sequence[Inventory]) -> None:
    """The same at once, for a transaction in which a member may take several slots: what is deferred runs as one
    statement, which changes a row once.
    """
    await tx.run(SAVE_TAKEN_SLOTS, [each.user_id for each in inventories], [each.version for each in inventories])


def save_freed_slots(tx: Tx, inventories: Sequence[Inventory], counts: Mapping[UUID, int]) -> None:
    """Stores how many slots each freed. A limit that is higher than the tier's falls with them (MA-07)."""
    ids = [each.user_id for each in inventories]
    tx.defer(SAVE_FREED_SLOTS, ids, [each.version for each in inventories], [counts[each] for each in ids])


def save_tier(tx: Tx, inventory: Inventory) -> None:
    """Stores a tier and its limit. Connections above that limit are kept (MA-07)."""
    tier = (inventory.tier, inventory.tier_limit, inventory.tier_version)
    tx.defer(SAVE_TIER, inventory.user_id, *tier, inventory.version)


async def save_restriction(tx: Tx, inventory: Inventory) -> None:
    """Stores a restriction at once, because slots of the same row may be freed at the commit."""
    restriction = (inventory.restricted, inventory.suspended, inventory.standing_version, inventory.standing_at)
    await tx.run(SAVE_RESTRICTION, inventory.user_id, *restriction)


async def save_away(tx: Tx, inventory: Inventory) -> None:
    """Stores whether a member is away, at once, as `save_restriction` does."""
    away = (inventory.paused, inventory.closed, inventory.away_version, inventory.away_at)
    await tx.run(SAVE_AWAY, inventory.user_id, *away)


async def get(session: Session, member: UUID, slots: Slots) -> Inventory:
    """A member's slots, not locked; those of a new member if none are stored."""
    row = await session.row(GET, member)
    return from_row(Inventory, row) if row else new_inventory(member, slots)


async def list_after(session: Session, member: UUID, limit: int) -> list[Inventory]:
    """A page of all slots of which there was an event, by member, from the one after this member on."""
    return [from_row(Inventory, row) for row in await session.rows(LIST_AFTER, member, limit)]


async def count_pending(session: Session, member: UUID) -> int:
    """The number of interests that the member sent and that look pending. Received ones are never counted (MA-10)."""
    count: int = await session.value(COUNT_PENDING, member)
    return count
