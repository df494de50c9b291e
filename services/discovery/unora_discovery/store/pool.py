"""The pool: projections of what other contexts publish of members. Their events come in any order; the newest version
of each projection counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

import msgspec
from unora_common.copies import Copy
from unora_common.database import Tx
from unora_common.rows import Columns, as_arrays

from unora_discovery.domain.pool import Inventory, Profile, Restriction, TierNotice

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


INVENTORIES: Final = Copy(
    "discovery.candidates",
    ["user_id"],
    ["t.active_connection_count", "t.connection_limit"],
    version="inventory_version",
    forget="inventory_version = -1",
    vanish="active_connection_count = 0, connection_limit = 1, inventory_version = 0",
)
TIERS: Final = Copy("discovery.candidates", ["user_id"], ["t.tier"], version="tier_version", forget="tier_version = -1")
RESTRICTIONS: Final = Copy(
    "discovery.candidates",
    ["user_id"],
    ["t.reduced_visibility", "t.restricted", "t.suspended"],
    version="restriction_version",
    forget="restriction_version = -1",
    vanish="reduced_visibility = false, restricted = false, suspended = false, restriction_version = 0",
)
# What a profile says is compared where it is stored. A row that claims to be newer than the profile still knows when
# the texts were judged, which one without a version would not. Whom identity does not know is not shown any more.
PROFILES: Final = Copy(
    "discovery.candidates",
    ["user_id"],
    [],
    version="profile_version",
    forget="profile_version = 1",
    vanish="discovery_ready = false, profile_version = 0",
)
# A plan that was made while the pool was empty would read all of it for each page.
REPLAN: Final = "SET LOCAL plan_cache_mode = force_custom_plan"


def _project(columns: Columns, types: str) -> str:
    """Inserts members' rows with these columns, or updates them: one array for each column; of each member the newest
    counts. The second column is the version: only a newer one updates.
    """
    version = columns[1]
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types.split(), start=1))
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
    return f"""
    INSERT INTO discovery.candidates AS c ({columns.names()})
    SELECT DISTINCT ON (user_id) * FROM unnest({arrays}) AS given ({columns.names()}) ORDER BY user_id, {version} DESC
    ON CONFLICT (user_id) DO UPDATE SET {changes} WHERE c.{version} < excluded.{version}"""


PROJECT_INVENTORIES: Final = _project(INVENTORY, "uuid bigint smallint smallint")
PROJECT_TIERS: Final = f"{_project(TIER, 'uuid bigint text')} RETURNING c.user_id"
PROJECT_RESTRICTIONS: Final = _project(RESTRICTION, "uuid bigint boolean boolean boolean")
_NEW_PROFILE: Final = PROFILE + Columns("texts_version")
_OF_THE_VERSION: Final = Columns(*PROFILE[2:])
# If identity does not know when a member's texts were judged anew, the pool's own knowledge counts. Those of a profile
# that is new to the pool count as judged at its version: cards of earlier versions then show fewer texts, never more.
# Rows are locked in the order of their ids. Unnest takes no lists of lists: the options of a member are one text.
PROJECT_PROFILES: Final = f"""
    INSERT INTO discovery.candidates AS c ({_NEW_PROFILE.names()})
    SELECT {Columns(*PROFILE[:-2]).names("n")},
        string_to_array(n.hobby_option_ids, ','), n.hobbies::jsonb,
        coalesce(n.texts_version, CASE WHEN k.profile_version > 0 THEN k.texts_version ELSE n.profile_version END)
    FROM unnest($1::uuid[], $2::bigint[], $3::boolean[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::smallint[], $9::text[], $10::text[], $11::bigint[]) AS n ({_NEW_PROFILE.names()})
    LEFT JOIN discovery.candidates k ON k.user_id = n.user_id ORDER BY n.user_id
    ON CONFLICT (user_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in PROFILE[1:])},
        texts_version = greatest(c.texts_version, excluded.texts_version)
    WHERE c.profile_version < excluded.profile_version
        OR $12 AND c.profile_version = excluded.profile_version
            AND ({_OF_THE_VERSION.names("c")}) IS DISTINCT FROM ({_OF_THE_VERSION.names("excluded")})"""
REVIEW_TEXTS: Final = """
    UPDATE discovery.candidates c SET texts_version = n.version
    FROM (SELECT user_id, max(version) AS version FROM unnest($1::uuid[], $2::bigint[]) AS n (user_id, version)
          GROUP BY user_id) n
    WHERE c.user_id = n.user_id AND c.texts_version < n.version"""


async def replan(tx: Tx) -> None:
    """Lets Postgres plan the transaction's statements for the pool as it is by now: it grows while it is made."""
    await tx.run(REPLAN)


async def project_profiles(tx: Tx, profiles: Iterable[Profile], *, repair: bool = False) -> None:
    """Stores members' profiles, one of each, unless what is stored is as new. To repair, what is stored of the same
    version is replaced too if it differs. A profile of version 0 is of nobody.
    """
    rows = [
        _NEW_PROFILE.values_of(
            profile,
            profile_version=profile.version,
            hobby_option_ids=",".join(hobby.hobby_option_id for hobby in profile.hobbies),
            hobbies=msgspec.json.encode(profile.hobbies).decode(),
        )
        for profile in profiles
        if profile.version
    ]
    if rows:
        await tx.run(PROJECT_PROFILES, *as_arrays(rows), repair)


async def review_texts(tx: Tx, versions: Sequence[tuple[UUID, int]]) -> None:
    """PR-10: stores that all texts of members, who are in the pool, were judged anew at these versions. A card that was
    made from an earlier one shows only texts that the member shows now.
    """
    await tx.run(REVIEW_TEXTS, [user_id for user_id, _ in versions], [version for _, version in versions])


async def project_inventories(tx: Tx, inventories: Iterable[Inventory]) -> None:
    """Stores members' slots, unless what is stored is as new."""
    rows = (INVENTORY.values_of(each, inventory_version=each.version) for each in inventories)
    await tx.run(PROJECT_INVENTORIES, *as_arrays(rows))


async def project_tiers(tx: Tx, tiers: Sequence[TierNotice]) -> set[UUID]:
    """Stores members' tiers, one of each, unless what is stored is as new. Returns the members whose tier was newer."""
    columns = [each.user_id for each in tiers], [each.version for each in tiers], [each.tier for each in tiers]
    return {row["user_id"] for row in await tx.rows(PROJECT_TIERS, *columns)}


async def project_restrictions(tx: Tx, restrictions: Iterable[Restriction]) -> None:
    """Stores members' restrictions, unless what is stored is as new."""
    rows = (RESTRICTION.values_of(each, restriction_version=each.version) for each in restrictions)
    await tx.run(PROJECT_RESTRICTIONS, *as_arrays(rows))
