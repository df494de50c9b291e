"""The pool: what other contexts tell of members; of each the newest version is kept, in whatever order they come."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
from unora_common.database import Tx

from unora_discovery.domain import Inventory, Profile, Standing, Tier

PROJECT_PROFILE: Final = """
    INSERT INTO discovery.candidates AS c (
        user_id, profile_version, discovery_ready, gender, age_band, city, trust_level, hobby_option_ids, hobbies)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (user_id) DO UPDATE SET
        profile_version = excluded.profile_version, discovery_ready = excluded.discovery_ready,
        gender = excluded.gender, age_band = excluded.age_band, city = excluded.city,
        trust_level = excluded.trust_level, hobby_option_ids = excluded.hobby_option_ids, hobbies = excluded.hobbies
    WHERE c.profile_version < excluded.profile_version"""

PROJECT_INVENTORY: Final = """
    INSERT INTO discovery.candidates AS c (
        user_id, inventory_version, active_connection_count, connection_limit)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (user_id) DO UPDATE SET
        inventory_version = excluded.inventory_version,
        active_connection_count = excluded.active_connection_count, connection_limit = excluded.connection_limit
    WHERE c.inventory_version < excluded.inventory_version"""

# Says whether it was newer.
PROJECT_TIER: Final = """
    INSERT INTO discovery.candidates AS c (user_id, tier_version, tier) VALUES ($1, $2, $3)
    ON CONFLICT (user_id) DO UPDATE SET tier_version = excluded.tier_version, tier = excluded.tier
    WHERE c.tier_version < excluded.tier_version"""

PROJECT_STANDING: Final = """
    INSERT INTO discovery.candidates AS c (user_id, restriction_version, reduced_visibility, restricted, suspended)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (user_id) DO UPDATE SET
        restriction_version = excluded.restriction_version, reduced_visibility = excluded.reduced_visibility,
        restricted = excluded.restricted, suspended = excluded.suspended
    WHERE c.restriction_version < excluded.restriction_version"""


async def project_profile(tx: Tx, profile: Profile) -> None:
    """Keeps what identity tells of a member, unless what is kept is as new."""
    await tx.run(
        PROJECT_PROFILE,
        profile.user_id,
        profile.version,
        profile.discovery_ready,
        profile.gender,
        profile.age_band,
        profile.city,
        profile.trust_level,
        [hobby.hobby_option_id for hobby in profile.hobbies],
        msgspec.json.encode(profile.hobbies).decode(),
    )


async def project_inventory(tx: Tx, inventory: Inventory) -> None:
    """Keeps what matching tells of a member's slots, unless what is kept is as new."""
    await tx.run(
        PROJECT_INVENTORY,
        inventory.user_id,
        inventory.version,
        inventory.active_connection_count,
        inventory.connection_limit,
    )


async def project_tier(tx: Tx, user_id: UUID, version: int, tier: Tier) -> bool:
    """Keeps a member's tier as billing tells it, unless what is kept is as new; tells whether it was."""
    return await tx.run(PROJECT_TIER, user_id, version, tier) > 0


async def project_standing(tx: Tx, standing: Standing) -> None:
    """Keeps a member's standing as safety tells it, unless what is kept is as new."""
    what = (standing.reduced_visibility, standing.restricted, standing.suspended)
    await tx.run(PROJECT_STANDING, standing.user_id, standing.version, *what)
