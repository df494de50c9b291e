"""Members' tiers, as billing tells of them (RE-08)."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Tx

# Of whom billing has told nothing is free (BI-01). In the order of ids; a row that is there is locked all the same.
HOLD = """
    INSERT INTO reveal.tiers AS t (user_id) SELECT member FROM unnest($1::uuid[]) AS member ORDER BY member
    ON CONFLICT (user_id) DO UPDATE SET tier = t.tier"""

TAKE = """
    INSERT INTO reveal.tiers AS t (user_id, tier, version) VALUES ($1, $2, $3)
    ON CONFLICT (user_id) DO UPDATE SET tier = excluded.tier, version = excluded.version
    WHERE t.version < excluded.version
    RETURNING version"""

LOCK_PAIRS = """
    WITH p AS MATERIALIZED (
        SELECT connection_id FROM reveal.pairs
        WHERE streak_id IN (SELECT streak_id FROM reveal.progressions WHERE user_id = $1) AND ended_at IS NULL
        ORDER BY connection_id FOR UPDATE)
    SELECT clock.now() AS now FROM p"""

FOLLOW = "UPDATE reveal.progressions SET tier = $2 WHERE user_id = $1 AND tier <> $2"


async def hold(tx: Tx, members: tuple[UUID, UUID]) -> None:
    """Locks the tiers of two members whose progressions are about to begin."""
    await tx.run(HOLD, list(members))


async def take(tx: Tx, member: UUID, tier: str, version: int) -> bool:
    """The member's tier from now on, in all their streaks; False if a newer one is known. Their pairs are locked."""
    if not await tx.rows(TAKE, member, tier, version):
        return False
    await tx.lock(LOCK_PAIRS, member)
    await tx.run(FOLLOW, member, tier)
    return True
