"""Members' tiers in Postgres, a projection of billing's: they limit the nudges (ST-13)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from unora_common.copies import DELETE, Copy
from unora_common.database import Tx
from unora_common.rows import as_arrays

COPY = Copy("streak.tiers", ["user_id"], ["t.tier"], version="version", forget=DELETE, vanish=DELETE)

SAVE = """
    INSERT INTO streak.tiers AS t (user_id, tier, version)
    SELECT DISTINCT ON (user_id) * FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS given (user_id, tier, version)
    ORDER BY user_id, version DESC
    ON CONFLICT (user_id) DO UPDATE SET tier = excluded.tier, version = excluded.version
    WHERE t.version < excluded.version"""


async def save(tx: Tx, tiers: Iterable[tuple[UUID, str, int]]) -> None:
    """Stores members' tiers, each with its version, if that is newer than the stored one."""
    await tx.run(SAVE, *as_arrays(tiers))
