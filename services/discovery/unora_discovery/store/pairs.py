"""Exclusions, waiting interests and blocks. Their events come in any order; of each row the newest version counts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from unora_common.copies import DELETE, Copy
from unora_common.database import Tx
from unora_common.rows import Columns, as_arrays

from unora_discovery.domain.pairs import Exclusion, MemberBlock, WaitingInterest

EXCLUSION: Final = Columns("source_id", "version", "user_id", "other_id", "reason", "apart_until")
WAITING: Final = Columns("interest_id", "version", "sender_id", "receiver_id", "server_type", "waits", "waits_until")
BLOCK: Final = Columns("blocker_id", "blocked_id", "in_force", "changed_at")

# Until when one that is lifted is stored is no fact of matching.
EXCLUSIONS: Final = Copy(
    "discovery.exclusions",
    ["source_id", "user_id"],
    ["t.other_id", "t.reason", "CASE WHEN t.reason <> 'lifted' THEN t.apart_until END"],
    version="version",
    forget=DELETE,
    vanish=DELETE,
    release="reason = 'lifted'",
)
WAITING_INTERESTS: Final = Copy(
    "discovery.waiting_interests",
    ["interest_id"],
    ["t.sender_id", "t.receiver_id", "t.server_type", "t.waits", "t.waits_until"],
    version="version",
    forget=DELETE,
    vanish=DELETE,
)
MEMBER_BLOCKS: Final = Copy(
    "discovery.member_blocks",
    ["blocker_id", "blocked_id"],
    ["t.in_force", "t.changed_at"],
    forget=DELETE,
    vanish=DELETE,
    release="in_force = false",
)

# Only the event of its sending says when an interest ends at the latest. If the event of its closing is applied first,
# the row has no end until the sending is applied, and keeps that end from then on. One that is lifted keeps nobody
# apart, so its end only says when it may be purged.
SAVE_EXCLUSIONS: Final = f"""
    INSERT INTO discovery.exclusions AS e ({EXCLUSION.names()})
    SELECT DISTINCT ON (source_id, user_id) source_id, version, user_id, other_id, reason,
        min(coalesce(apart_until, CASE WHEN reason = 'lifted' THEN clock.now() END))
            OVER (PARTITION BY source_id, user_id)
    FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[])
        AS given ({EXCLUSION.names()})
    ORDER BY source_id, user_id, version DESC
    ON CONFLICT (source_id, user_id) DO UPDATE SET
        version = greatest(e.version, excluded.version),
        reason = CASE WHEN e.version < excluded.version THEN excluded.reason ELSE e.reason END,
        apart_until = least(e.apart_until, excluded.apart_until)"""

SAVE_WAITING: Final = f"""
    INSERT INTO discovery.waiting_interests AS w ({WAITING.names()})
    SELECT DISTINCT ON (interest_id) interest_id, version, sender_id, receiver_id, server_type, waits,
        min(coalesce(waits_until, 'infinity')) OVER (PARTITION BY interest_id)
    FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::boolean[], $7::timestamptz[])
        AS given ({WAITING.names()})
    ORDER BY interest_id, version DESC
    ON CONFLICT (interest_id) DO UPDATE SET
        version = greatest(w.version, excluded.version),
        waits = CASE WHEN w.version < excluded.version THEN excluded.waits ELSE w.waits END,
        waits_until = least(w.waits_until, excluded.waits_until)"""

# One row per direction, not per block: safety publishes the first and the last of several blocks, whose ids differ.
SAVE_BLOCKS: Final = f"""
    INSERT INTO discovery.member_blocks AS b ({BLOCK.names()})
    SELECT DISTINCT ON (blocker_id, blocked_id) *
    FROM unnest($1::uuid[], $2::uuid[], $3::boolean[], $4::timestamptz[]) AS given ({BLOCK.names()})
    ORDER BY blocker_id, blocked_id, changed_at DESC
    ON CONFLICT (blocker_id, blocked_id) DO UPDATE SET in_force = excluded.in_force, changed_at = excluded.changed_at
    WHERE b.changed_at < excluded.changed_at"""

PURGE_WAITING: Final = """
    DELETE FROM discovery.waiting_interests WHERE interest_id = ANY (ARRAY(
        SELECT interest_id FROM discovery.waiting_interests
        WHERE waits_until < (SELECT least(clock.now(), clock_timestamp()) - $1::interval)
        ORDER BY waits_until LIMIT $2 FOR UPDATE SKIP LOCKED))"""

PURGE_EXCLUSIONS: Final = """
    DELETE FROM discovery.exclusions WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM discovery.exclusions
        WHERE reason IN ('lifted', 'interest_pending')
            AND apart_until < (SELECT least(clock.now(), clock_timestamp()) - $1::interval)
        ORDER BY apart_until LIMIT $2 FOR UPDATE SKIP LOCKED))"""

PURGE_BLOCKS: Final = """
    DELETE FROM discovery.member_blocks WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM discovery.member_blocks
        WHERE NOT in_force AND changed_at < (SELECT least(clock.now(), clock_timestamp()) - $1::interval)
        ORDER BY changed_at LIMIT $2 FOR UPDATE SKIP LOCKED))"""


async def save_exclusions(tx: Tx, exclusions: Iterable[Exclusion]) -> None:
    """Stores exclusions, lifted ones too; of each source the newest version counts."""
    await tx.run(SAVE_EXCLUSIONS, *as_arrays(map(EXCLUSION.values_of, exclusions)))


async def save_waiting_interests(tx: Tx, waiting: Iterable[WaitingInterest]) -> None:
    """Stores whether interests wait; the newest version of each counts."""
    await tx.run(SAVE_WAITING, *as_arrays(map(WAITING.values_of, waiting)))


async def save_blocks(tx: Tx, blocks: Iterable[MemberBlock]) -> None:
    """Stores blocks or their lifting, unless what is stored of that direction is as new."""
    await tx.run(SAVE_BLOCKS, *as_arrays(map(BLOCK.values_of, blocks)))


async def purge_waiting_interests(tx: Tx, retention: timedelta, limit: int) -> int:
    """Deletes interests that stopped waiting longer ago than `retention`, by both clocks; returns the number."""
    return await tx.run(PURGE_WAITING, retention, limit)


async def purge_exclusions(tx: Tx, retention: timedelta, limit: int) -> int:
    """Deletes exclusions that were lifted or ran out longer ago than `retention`, by both clocks; returns the number.

    By then no earlier event of them can come, which would restore a deleted one.
    """
    return await tx.run(PURGE_EXCLUSIONS, retention, limit)


async def purge_blocks(tx: Tx, retention: timedelta, limit: int) -> int:
    """Deletes what is known of blocks that were lifted longer ago than `retention`, by both clocks; returns the number
    of directions.
    """
    return await tx.run(PURGE_BLOCKS, retention, limit)
