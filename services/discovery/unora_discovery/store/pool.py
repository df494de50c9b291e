"""The pool: projections of what other contexts publish of members. Their events come in any order; the newest version
of each projection counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

import msgspec
from unora_common.database import Tx
from unora_common.rows import Columns, as_arrays

from unora_discovery.domain.pool import Inventory, Profile, Restriction, Tier

PROFILE: Final = Columns(
    "user_id",
    "profile_version",
    "discovery_ready",
    "gender",
    "age_band",
    "city",
    "place_id",
    "trust_level",
    "hobby_option_ids",
    "hobbies",
)
INVENTORY: Final = Columns("user_id", "inventory_version", "active_connection_count", "connection_limit")
TIER: Final = Columns("user_id", "tier_version", "tier")
RESTRICTION: Final = Columns("user_id", "restriction_version", "reduced_visibility", "restricted", "suspended")


def _project(columns: Columns) -> str:
    """Inserts a member's row with these columns, or updates them. The second column is the version: only a newer one
    updates.
    """
    version = columns[1]
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
    return f"""
    INSERT INTO discovery.candidates AS c ({columns.names()}) VALUES ({columns.parameters()})
    ON CONFLICT (user_id) DO UPDATE SET {changes} WHERE c.{version} < excluded.{version}"""


def _project_many(columns: Columns, types: str) -> str:
    """The same for many rows, as one array for each column: of each member the newest counts."""
    version = columns[1]
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types.split(), start=1))
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
    return f"""
    INSERT INTO discovery.candidates AS c ({columns.names()})
    SELECT DISTINCT ON (user_id) * FROM unnest({arrays}) AS given ({columns.names()}) ORDER BY user_id, {version} DESC
    ON CONFLICT (user_id) DO UPDATE SET {changes} WHERE c.{version} < excluded.{version}"""


PROJECT_PROFILE: Final = _project(PROFILE)
PROJECT_INVENTORIES: Final = _project_many(INVENTORY, "uuid bigint smallint smallint")
PROJECT_TIER: Final = _project(TIER)
PROJECT_RESTRICTIONS: Final = _project_many(RESTRICTION, "uuid bigint boolean boolean boolean")


REVIEW_TEXTS: Final = """
    UPDATE discovery.candidates SET texts_version = $2 WHERE user_id = $1 AND texts_version < $2"""


async def project_profile(tx: Tx, profile: Profile) -> None:
    """Stores a member's profile, unless what is stored is as new."""
    values = PROFILE.values_of(
        profile,
        profile_version=profile.version,
        hobby_option_ids=[hobby.hobby_option_id for hobby in profile.hobbies],
        hobbies=msgspec.json.encode(profile.hobbies).decode(),
    )
    await tx.run(PROJECT_PROFILE, *values)


async def review_texts(tx: Tx, user_id: UUID, version: int) -> None:
    """PR-10: stores that all texts of a member, who is in the pool, were judged anew at this version. A card made from
    an earlier one shows only texts that the member shows now.
    """
    await tx.run(REVIEW_TEXTS, user_id, version)


async def project_inventories(tx: Tx, inventories: Iterable[Inventory]) -> None:
    """Stores members' slots, unless what is stored is as new."""
    rows = (INVENTORY.values_of(each, inventory_version=each.version) for each in inventories)
    await tx.run(PROJECT_INVENTORIES, *as_arrays(rows))


async def project_tier(tx: Tx, user_id: UUID, version: int, tier: Tier) -> bool:
    """Stores a member's tier, unless what is stored is as new. Returns whether it was newer."""
    return await tx.run(PROJECT_TIER, user_id, version, tier) > 0


async def project_restrictions(tx: Tx, restrictions: Iterable[Restriction]) -> None:
    """Stores members' restrictions, unless what is stored is as new."""
    rows = (RESTRICTION.values_of(each, restriction_version=each.version) for each in restrictions)
    await tx.run(PROJECT_RESTRICTIONS, *as_arrays(rows))
