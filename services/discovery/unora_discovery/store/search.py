"""The search for candidates: exact, over the whole pool of a server, in one statement."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from unora_common.database import Row, Session

from unora_discovery.domain import BATCH_SIZE, DRAWN_AT_MOST, AgeBand, Candidate, Found, Hobby, ServerType

# Whom the viewer must not be shown is gathered first, by indexes and of history only what counts. (Batches as an array:
# for a join Postgres guesses how many there are, and where it guesses wrong it reads all cards.) A batch was shown from
# its making until it was replaced, so that the people of the batch that is being replaced are not in the next one,
# however old it is.
APART: Final = """
    SELECT other_id FROM discovery.exclusions
    WHERE user_id = $1 AND reason <> 'lifted'
        AND (reason <> 'interest_pending' OR apart_until IS NULL OR apart_until > $5)
    UNION ALL
    SELECT blocked_id FROM discovery.member_blocks WHERE blocker_id = $1 AND in_force
    UNION ALL
    SELECT blocker_id FROM discovery.member_blocks WHERE blocked_id = $1 AND in_force
    UNION ALL
    SELECT shown_user_id FROM discovery.discovery_cards WHERE batch_id = ANY (ARRAY(
        SELECT id FROM discovery.discovery_batches WHERE user_id = $1 AND deleted_at IS NULL
        UNION ALL
        SELECT id FROM discovery.discovery_batches WHERE user_id = $1 AND deleted_at > $4))"""

# The filters are those of this server, as they are now: cards that are shown stay (DI-05, DI-03).
VIEWER: Final = """
    SELECT v.gender, v.age_band, lower(v.city) AS city, coalesce(f.genders, '{}') AS genders,
        coalesce(f.age_bands, '{}') AS age_bands, coalesce(f.same_city_only, false) AS same_city_only
    FROM discovery.candidates v
    LEFT JOIN discovery.filters f ON f.user_id = v.user_id AND f.server_type = $2 AND f.deleted_at IS NULL
    WHERE v.user_id = $1"""

# Chance is a hash of who it is and a seed, so that one statement draws for all, and a test can say what was drawn.
ELIGIBLE: Final = """
    SELECT c.user_id, uuid_hash_extended(c.user_id, $6) AS tie,
        (SELECT count(*) FROM unnest(c.hobby_option_ids) AS hobby WHERE hobby = ANY ($3)) AS shared
    FROM {source}
    JOIN discovery.candidates c ON c.user_id = m.user_id
    LEFT JOIN discovery.filters f ON f.user_id = m.user_id AND f.server_type = $2 AND f.deleted_at IS NULL
    CROSS JOIN viewer v
    WHERE m.server_type = $2 AND m.left_at IS NULL AND m.user_id <> $1
        AND c.discovery_ready AND c.active_connection_count < c.connection_limit
        AND NOT c.restricted AND NOT c.suspended
        AND (NOT c.reduced_visibility OR uuid_hash_extended(c.user_id, $7) & 4294967295 < $8)
        AND (v.genders = '{{}}' OR c.gender = ANY (v.genders))
        AND (v.age_bands = '{{}}' OR c.age_band = ANY (v.age_bands))
        AND (coalesce(f.genders, '{{}}') = '{{}}' OR v.gender = ANY (f.genders))
        AND (coalesce(f.age_bands, '{{}}') = '{{}}' OR v.age_band = ANY (f.age_bands))
        AND (NOT (v.same_city_only OR coalesce(f.same_city_only, false)) OR lower(c.city) = v.city)
        AND NOT EXISTS (SELECT FROM apart WHERE apart.other_id = c.user_id)"""

# Interests that wait are sought apart from the ranking, whether there are any or not: of thousands of candidates a few
# wait, and it must cost the same (MA-10).
SEARCH: Final = f"""
    WITH apart AS MATERIALIZED ({APART}),
    viewer AS MATERIALIZED ({VIEWER}),
    eligible AS MATERIALIZED (
        {ELIGIBLE.format(source="discovery.server_memberships m")}),
    ranked AS MATERIALIZED (SELECT * FROM eligible ORDER BY shared DESC, tie LIMIT $9),
    anyone AS MATERIALIZED (SELECT * FROM eligible ORDER BY tie LIMIT {BATCH_SIZE + DRAWN_AT_MOST}),
    admirers AS MATERIALIZED (
        SELECT DISTINCT sender_id FROM discovery.waiting_interests
        WHERE receiver_id = $1 AND server_type = $2 AND waits AND waits_until > $5),
    waiting AS MATERIALIZED (
        {ELIGIBLE.format(source="admirers JOIN discovery.server_memberships m ON m.user_id = admirers.sender_id")}
        ORDER BY tie LIMIT {BATCH_SIZE + DRAWN_AT_MOST})
    SELECT found.part, c.user_id, c.age_band, c.city, c.trust_level, c.hobbies
    FROM (SELECT user_id, shared, tie, 'ranked' AS part FROM ranked
          UNION ALL SELECT user_id, 0, tie, 'anyone' FROM anyone
          UNION ALL SELECT user_id, 0, tie, 'waiting' FROM waiting) AS found
    JOIN discovery.candidates c USING (user_id)
    ORDER BY found.part, found.shared DESC, found.tie"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a search goes by, beside the viewer."""

    hobbies: Collection[str]
    not_shown_since: datetime
    """Whoever was on a card of the viewer's after this (UTC) is left out (DI-09)."""
    now: datetime
    tie_seed: int
    visibility_seed: int
    visibility_below: int
    ranked: int
    """How many of the best to bring."""


async def search(session: Session, viewer: UUID, server: ServerType, asked: Asked) -> Found:
    """Members of the server who may be shown to the viewer (DI-09), who pass the viewer's filters and whose filters the
    viewer passes (DI-05, DI-12): the best ranked, some of all, and some of those whose interest waits.
    """
    rows = await session.rows(
        SEARCH,
        viewer,
        server,
        list(asked.hobbies),
        asked.not_shown_since,
        asked.now,
        asked.tie_seed,
        asked.visibility_seed,
        asked.visibility_below,
        asked.ranked,
    )
    parts = ([_candidate(row) for row in rows if row["part"] == part] for part in ("ranked", "anyone", "waiting"))
    return Found(*map(tuple, parts))


def _candidate(row: Row) -> Candidate:
    return Candidate(
        user_id=row["user_id"],
        age_band=AgeBand(row["age_band"]),
        city=row["city"],
        trust_level=row["trust_level"],
        hobbies=msgspec.json.decode(row["hobbies"], type=tuple[Hobby, ...]),
    )
