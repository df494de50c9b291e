"""Members' tiers in Postgres, a projection of billing's: they limit the nudges (ST-13)."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Tx

SAVE = """
    INSERT INTO streak.tiers AS t (user_id, tier, version) VALUES ($1, $2, $3)
    ON CONFLICT (user_id) DO UPDATE SET tier = excluded.tier, version = excluded.version
    WHERE t.version < excluded.version"""


async def save(tx: Tx, user: UUID, tier: str, version: int) -> None:
    """Stores a member's tier, if this version is newer than the stored one."""
    await tx.run(SAVE, user, tier, version)
