"""Parts of the pool made anew (XX-08): a page of them at once. The newest version counts, as in `pool`; what is stored
of the same version is replaced too if it differs, since the pool may be damaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.rows import Columns

from unora_discovery.domain.pool import Inventory, Restriction, TierNotice
from unora_discovery.store.pool import INVENTORY, RESTRICTION


def _repair(columns: Columns, types: tuple[str, ...]) -> str:
    version, content = columns[1], Columns(*columns[2:])
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, start=1))
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
    return f"""
    INSERT INTO discovery.candidates AS c ({columns.names()})
    SELECT {columns.names()} FROM unnest({arrays}) AS n ({columns.names()}) ORDER BY user_id
    ON CONFLICT (user_id) DO UPDATE SET {changes}
    WHERE c.{version} < excluded.{version}
        OR c.{version} = excluded.{version} AND ({content.names("c")}) IS DISTINCT FROM ({content.names("excluded")})"""


INVENTORIES: Final = _repair(INVENTORY, ("uuid", "bigint", "smallint", "smallint"))
RESTRICTIONS: Final = _repair(RESTRICTION, ("uuid", "bigint", "boolean", "boolean", "boolean"))
# Members whose timer fits this tier already, because the pool has it from an event. The others need their timer's lock.
KNOWN_TIERS: Final = """
    UPDATE discovery.candidates c SET tier_version = n.version
    FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS n (user_id, version, tier)
    WHERE c.user_id = n.user_id AND c.tier = n.tier AND c.tier_version > 0 AND c.tier_version < n.version"""
OLDER_TIERS: Final = """
    SELECT n.user_id FROM unnest($1::uuid[], $2::bigint[]) AS n (user_id, version)
    LEFT JOIN discovery.candidates c ON c.user_id = n.user_id WHERE coalesce(c.tier_version, 0) < n.version"""
KNOWN: Final = "SELECT user_id FROM discovery.candidates WHERE user_id = ANY($1::uuid[])"
OTHERS_SHOWN: Final = """
    SELECT user_id FROM discovery.candidates
    WHERE user_id > $1 AND ($2::uuid IS NULL OR user_id <= $2) AND discovery_ready AND user_id <> ALL($3::uuid[])
    ORDER BY user_id"""
HIDE: Final = "UPDATE discovery.candidates SET discovery_ready = false WHERE user_id = ANY($1::uuid[])"


async def repair_inventories(tx: Tx, inventories: Sequence[Inventory]) -> None:
    """Stores members' slots, one of each."""
    rows = [INVENTORY.values_of(each, inventory_version=each.version) for each in inventories]
    await tx.run(INVENTORIES, *map(list, zip(*rows, strict=True)))


async def repair_restrictions(tx: Tx, restrictions: Sequence[Restriction]) -> None:
    """Stores members' restrictions, one of each."""
    rows = [RESTRICTION.values_of(each, restriction_version=each.version) for each in restrictions]
    await tx.run(RESTRICTIONS, *map(list, zip(*rows, strict=True)))


async def keep_tiers(tx: Tx, tiers: Sequence[TierNotice]) -> list[UUID]:
    """Stores the version of tiers that are known already. Returns the members whose tier in the pool is older."""
    users, versions = [each.user_id for each in tiers], [each.version for each in tiers]
    await tx.run(KNOWN_TIERS, users, versions, [each.tier for each in tiers])
    return [row["user_id"] for row in await tx.rows(OLDER_TIERS, users, versions)]


async def find_known(session: Session, users: Sequence[UUID]) -> set[UUID]:
    """Those of the members who are in the pool."""
    return {row["user_id"] for row in await session.rows(KNOWN, list(users))}


async def list_others_shown(session: Session, after: UUID, last: UUID | None, listed: Sequence[UUID]) -> list[UUID]:
    """The members between two ids whom the pool shows, without those who were listed. `last` None is the end."""
    return [row["user_id"] for row in await session.rows(OTHERS_SHOWN, after, last, list(listed))]


async def hide(tx: Tx, users: Sequence[UUID]) -> None:
    """Shows members no longer."""
    await tx.run(HIDE, list(users))
