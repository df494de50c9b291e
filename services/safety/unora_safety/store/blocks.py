"""Blocks in Postgres (SA-02)."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Row, Session, Tx
from unora_common.pages import Place

from unora_safety.domain.blocks import Block, Direction, Target, TargetKind
from unora_safety.domain.errors import BlockNotFound

# An existing row does not change: it is written only to be locked.
LOCK = """
    WITH p AS (
        INSERT INTO safety.blocked_pairs AS p (blocker_id, blocked_id, version) VALUES ($1, $2, 0)
        ON CONFLICT (blocker_id, blocked_id) DO UPDATE SET version = p.version
        RETURNING p.began_with_id, p.version)
    SELECT p.*, clock.now() AS now FROM p"""

# A statement of its own, so that it sees the writes of the transactions that held the lock before.
IN_FORCE = """
    SELECT id, target_kind, target_id, blocked_at FROM safety.blocks
    WHERE blocker_id = $1 AND blocked_id = $2 AND deleted_at IS NULL"""

BLOCKED = "SELECT blocked_id FROM safety.blocks WHERE id = $1 AND blocker_id = $2 AND deleted_at IS NULL"

SAVE = "UPDATE safety.blocked_pairs SET began_with_id = $3, version = $4 WHERE blocker_id = $1 AND blocked_id = $2"

INSERT = """
    INSERT INTO safety.blocks (id, blocker_id, blocked_id, target_kind, target_id, blocked_at)
    VALUES ($1, $2, $3, $4, $5, $6)"""

LIFT = "UPDATE safety.blocks SET deleted_at = $2 WHERE id = $1"

BY_BLOCKER = """
    SELECT id, target_kind, target_id, blocked_at FROM safety.blocks
    WHERE blocker_id = $1 AND deleted_at IS NULL
        AND (blocked_at, id) < (coalesce($2, 'infinity'::timestamptz), coalesce($3::uuid, $1))
    ORDER BY blocked_at DESC, id DESC LIMIT $4"""

HAS_BLOCK_BETWEEN = """
    SELECT EXISTS (SELECT FROM safety.blocks WHERE blocker_id = $1 AND blocked_id = $2 AND deleted_at IS NULL)
        OR EXISTS (SELECT FROM safety.blocks WHERE blocker_id = $2 AND blocked_id = $1 AND deleted_at IS NULL)"""


# The events name the first block of those that were in force together. Of a direction that was lifted and blocked
# again, only the latest time counts. A direction without a version is only a lock so far.
LIST_AFTER = """
    SELECT p.blocker_id, p.blocked_id, first.id AS block_id, p.version, p.began_with_id IS NOT NULL AS in_force,
        CASE WHEN p.began_with_id IS NOT NULL THEN first.blocked_at ELSE (
            SELECT max(b.deleted_at) FROM safety.blocks b
            WHERE (b.blocker_id, b.blocked_id) = (p.blocker_id, p.blocked_id)) END AS changed_at
    FROM (
        SELECT blocker_id, blocked_id, version, began_with_id FROM safety.blocked_pairs
        WHERE blocker_id > $1 AND version > 0 ORDER BY blocker_id FETCH FIRST $2 ROWS WITH TIES) p
    CROSS JOIN LATERAL (
        SELECT b.id, b.blocked_at FROM safety.blocks b
        WHERE (b.blocker_id, b.blocked_id) = (p.blocker_id, p.blocked_id) AND NOT EXISTS (
            SELECT FROM safety.blocks o WHERE (o.blocker_id, o.blocked_id) = (b.blocker_id, b.blocked_id)
                AND (o.blocked_at, o.id) < (b.blocked_at, b.id)
                AND (o.deleted_at IS NULL OR o.deleted_at > b.blocked_at))
        ORDER BY b.blocked_at DESC, b.id DESC LIMIT 1) first
    ORDER BY p.blocker_id, p.blocked_id"""


async def lock_or_create(tx: Tx, blocker_id: UUID, blocked_id: UUID) -> Direction:
    """Locks the blocks of one member by another, and sets tx.now."""
    (row,) = await tx.lock(LOCK, blocker_id, blocked_id)
    blocks = tuple(_block(each) for each in await tx.rows(IN_FORCE, blocker_id, blocked_id))
    return Direction(blocker_id, blocked_id, row["began_with_id"], row["version"], blocks)


async def lock_by_block(tx: Tx, block_id: UUID, blocker_id: UUID) -> Direction:
    """Locks the direction that a member's block belongs to, and sets tx.now. Raises BlockNotFound."""
    blocked_id: UUID | None = await tx.value(BLOCKED, block_id, blocker_id)
    if blocked_id is None:
        raise BlockNotFound
    return await lock_or_create(tx, blocker_id, blocked_id)


def save(tx: Tx, before: Direction, after: Direction) -> None:
    """Stores blocks that were added or lifted."""
    pair = (after.blocker_id, after.blocked_id)
    ids_before, ids_after = ({each.id for each in direction.blocks} for direction in (before, after))
    for each in after.blocks:
        if each.id not in ids_before:
            tx.defer(INSERT, each.id, *pair, each.target.kind, each.target.id, each.blocked_at)
    for block_id in ids_before - ids_after:
        tx.defer(LIFT, block_id, tx.now)
    if before.version != after.version:
        tx.defer(SAVE, *pair, after.began_with_id, after.version)


async def list_by_blocker(db: Session, blocker_id: UUID, after: Place | None, limit: int) -> list[Block]:
    """A member's blocks in force, newest first, at most `limit`."""
    blocked_at, identifier = after or (None, None)
    return [_block(row) for row in await db.rows(BY_BLOCKER, blocker_id, blocked_at, identifier, limit)]


async def has_block_between(db: Session, a: UUID, b: UUID) -> bool:
    """Whether one of the two members blocks the other now (RE-10)."""
    blocked: bool = await db.value(HAS_BLOCK_BETWEEN, a, b)
    return blocked


async def list_after(db: Session, blocker_id: UUID, limit: int) -> list[Row]:
    """A page of what was told last of each direction, from the blocker after this one on; a page ends with all
    directions of its last blocker, so it may be longer than `limit`.
    """
    return await db.rows(LIST_AFTER, blocker_id, limit)


def _block(row: Row) -> Block:
    return Block(row["id"], Target(TargetKind(row["target_kind"]), row["target_id"]), row["blocked_at"])
