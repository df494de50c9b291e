"""Who is not shown to whom, and whose interest waits for whom; told in any order, and the newest counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from unora_common.database import Tx

from unora_discovery.domain import Block, Exclusion, Wait

# When an interest ends at the latest is told with its sending alone. Whatever closes it may be heard of first: then it
# has no end until the sending is heard of, and keeps it from then on.
EXCLUDE: Final = """
    INSERT INTO discovery.exclusions AS e (source_id, version, user_id, other_id, reason, apart_until)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (source_id, user_id) DO UPDATE SET
        version = greatest(e.version, excluded.version),
        reason = CASE WHEN e.version < excluded.version THEN excluded.reason ELSE e.reason END,
        apart_until = least(e.apart_until, excluded.apart_until)"""

WAIT: Final = """
    INSERT INTO discovery.waiting_interests AS w (
        interest_id, version, sender_id, receiver_id, server_type, waits, waits_until)
    VALUES ($1, $2, $3, $4, $5, $6, coalesce($7, 'infinity'::timestamptz))
    ON CONFLICT (interest_id) DO UPDATE SET
        version = greatest(w.version, excluded.version),
        waits = CASE WHEN w.version < excluded.version THEN excluded.waits ELSE w.waits END,
        waits_until = least(w.waits_until, excluded.waits_until)"""

# By direction, not by block: safety tells of the first and of the last of several, which are two.
BLOCK: Final = """
    INSERT INTO discovery.member_blocks AS b (blocker_id, blocked_id, in_force, changed_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (blocker_id, blocked_id) DO UPDATE SET in_force = excluded.in_force, changed_at = excluded.changed_at
    WHERE b.changed_at < excluded.changed_at"""

FORGET: Final = """
    DELETE FROM discovery.waiting_interests WHERE interest_id = ANY (ARRAY(
        SELECT interest_id FROM discovery.waiting_interests
        WHERE waits_until < (SELECT least(clock.now(), clock_timestamp()) - $1::interval)
        ORDER BY waits_until LIMIT $2 FOR UPDATE SKIP LOCKED))"""


async def exclude(tx: Tx, *exclusions: Exclusion) -> None:
    """Keeps members apart, or no longer; of each source the newest version counts."""
    rows = [(e.source_id, e.version, e.user_id, e.other_id, e.reason, e.apart_until) for e in exclusions]
    await tx.run_many(EXCLUDE, rows)


async def wait(tx: Tx, told: Wait) -> None:
    """Keeps whether an interest waits; the newest version counts."""
    who = (told.interest_id, told.version, told.sender_id, told.receiver_id, told.server_type)
    await tx.run(WAIT, *who, told.waits, told.waits_until)


async def block(tx: Tx, told: Block) -> None:
    """Keeps a block or its lifting, unless what is kept of that direction is as new."""
    await tx.run(BLOCK, told.blocker_id, told.blocked_id, told.in_force, told.changed_at)


async def forget_waits(tx: Tx, kept: timedelta, limit: int) -> int:
    """Deletes interests that have waited in vain so long ago, by both clocks; returns how many."""
    return await tx.run(FORGET, kept, limit)
