"""The pool: projections that take only what is newer, and the search for candidates."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from unora_common.database import Row, Session, Tx

from unora_discovery.domain import (
    BATCH_SIZE,
    AgeBand,
    Candidate,
    Exclusion,
    Hobby,
    Inventory,
    Profile,
    ServerType,
)

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
        user_id, inventory_version, tier, active_connection_count, connection_limit)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (user_id) DO UPDATE SET
        inventory_version = excluded.inventory_version, tier = excluded.tier,
        active_connection_count = excluded.active_connection_count, connection_limit = excluded.connection_limit
    WHERE c.inventory_version < excluded.inventory_version"""

EXCLUDE: Final = """
    INSERT INTO discovery.exclusions AS e (source_id, version, user_id, other_id, reason)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (source_id, user_id) DO UPDATE SET version = excluded.version, reason = excluded.reason
    WHERE e.version < excluded.version"""

# Whom the viewer must not be shown is gathered first, by indexes and of history only what counts. (Batches as an array:
# for a join Postgres guesses how many there are, and where it guesses wrong it reads all cards.) A batch was shown from
# its making until it was replaced, so that the people of the batch that is being replaced are not in the next one,
# however old it is.
# The viewer's filters are those of this server, as they are now: cards that are shown stay (DI-05, DI-03).
SEARCH: Final = f"""
    WITH apart AS MATERIALIZED (
        SELECT other_id FROM discovery.exclusions WHERE user_id = $1 AND reason <> 'lifted'
        UNION ALL
        SELECT shown_user_id FROM discovery.discovery_cards WHERE batch_id = ANY (ARRAY(
            SELECT id FROM discovery.discovery_batches WHERE user_id = $1 AND deleted_at IS NULL
            UNION ALL
            SELECT id FROM discovery.discovery_batches WHERE user_id = $1 AND deleted_at > $4)))
    SELECT c.user_id, c.age_band, c.city, c.trust_level, c.hobbies
    FROM discovery.server_memberships m
    JOIN discovery.candidates c ON c.user_id = m.user_id
    LEFT JOIN discovery.filters f ON f.user_id = $1 AND f.server_type = $2 AND f.deleted_at IS NULL
    WHERE m.server_type = $2 AND m.user_id <> $1
        AND c.discovery_ready AND c.active_connection_count < c.connection_limit
        AND (coalesce(f.genders, '{{}}') = '{{}}' OR c.gender = ANY (f.genders))
        AND (coalesce(f.age_bands, '{{}}') = '{{}}' OR c.age_band = ANY (f.age_bands))
        AND NOT EXISTS (SELECT FROM apart WHERE apart.other_id = c.user_id)
    ORDER BY (SELECT count(*) FROM unnest(c.hobby_option_ids) AS hobby WHERE hobby = ANY($3)) DESC, random()
    LIMIT {BATCH_SIZE}"""


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
        inventory.tier,
        inventory.active_connection_count,
        inventory.connection_limit,
    )


async def exclude(tx: Tx, *exclusions: Exclusion) -> None:
    """Keeps members apart, or no longer; of each source the newest version counts, in whatever order they come."""
    await tx.run_many(EXCLUDE, [(e.source_id, e.version, e.user_id, e.other_id, e.reason) for e in exclusions])


async def search(
    session: Session, viewer: UUID, server: ServerType, hobbies: Collection[str], not_shown_since: datetime
) -> list[Candidate]:
    """At most five members of the server who may be shown to the viewer (DI-09) and pass the viewer's filters (DI-05):
    those who share most of these hobbies first, and by chance among equals (DI-07).
    """
    rows = await session.rows(SEARCH, viewer, server, list(hobbies), not_shown_since)
    return [_candidate(row) for row in rows]


def _candidate(row: Row) -> Candidate:
    return Candidate(
        user_id=row["user_id"],
        age_band=AgeBand(row["age_band"]),
        city=row["city"],
        trust_level=row["trust_level"],
        hobbies=msgspec.json.decode(row["hobbies"], type=tuple[Hobby, ...]),
    )
