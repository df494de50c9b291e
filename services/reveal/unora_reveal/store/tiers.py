"""The tiers of members, a projection of billing (RE-08)."""

from __future__ import annotations

from uuid import UUID

from unora_common.copies import Copy
from unora_common.database import Tx

from unora_reveal.domain.streaks import Streak

COPY = Copy(
    "reveal.tiers",
    ["user_id"],
    ["t.tier", "NOT EXISTS (SELECT FROM reveal.progressions p WHERE p.user_id = t.user_id AND p.tier <> t.tier)"],
    version="version",
    forget="version = -1",
)

# A member without a row is free (BI-01). In the order of ids; a row that exists is locked all the same.
LOCK_OR_CREATE = """
    INSERT INTO reveal.tiers AS t (user_id) SELECT member FROM unnest($1::uuid[]) AS member ORDER BY member
    ON CONFLICT (user_id) DO UPDATE SET tier = t.tier"""

SAVE = """
    INSERT INTO reveal.tiers AS t (user_id, tier, version) VALUES ($1, $2, $3)
    ON CONFLICT (user_id) DO UPDATE SET tier = excluded.tier, version = excluded.version
    WHERE t.version < excluded.version
    RETURNING version"""

SET_PROGRESSIONS = "UPDATE reveal.progressions SET tier = $2 WHERE user_id = $1 AND tier <> $2"


async def lock_or_create(tx: Tx, streak: Streak) -> None:
    """Locks the tiers of the two members of a streak."""
    await tx.run(LOCK_OR_CREATE, [streak.user_a_id, streak.user_b_id])


async def save(tx: Tx, user_id: UUID, tier: str, version: int) -> bool:
    """Stores a member's tier and locks it; False if a newer version is stored."""
    return bool(await tx.rows(SAVE, user_id, tier, version))


async def set_progressions(tx: Tx, user_id: UUID, tier: str) -> None:
    """From now on the member earns by this tier in all their streaks; their pairs are locked."""
    await tx.run(SET_PROGRESSIONS, user_id, tier)
