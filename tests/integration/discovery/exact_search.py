"""The exact search, over the whole pool of a server in one statement: the search of the service is compared with it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from unora_common.database import Session
from unora_discovery.domain.cards import BATCH_SIZE, DRAWN_AT_MOST
from unora_discovery.domain.search import SearchCriteria, SearchResult
from unora_discovery.domain.servers import ServerType
from unora_discovery.store.search import to_result

# The members that must not be shown are collected first, by indexes, with only the part of the history that counts.
# (Batches are an array: for a join Postgres estimates their number, and with a wrong estimate it reads all cards.)
# A batch was shown from its creation until it was replaced. So a member of the batch that is being replaced is not in
# the next one, however old it is.
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

# The filters are those of this server, as they are now. Existing cards stay (DI-05, DI-03).
VIEWER: Final = """
    SELECT v.gender, v.age_band, v.place_id, coalesce(f.genders, '{}') AS genders,
        coalesce(f.age_bands, '{}') AS age_bands, coalesce(f.same_city_only, false) AS same_city_only
    FROM discovery.candidates v
    LEFT JOIN discovery.filters f ON f.user_id = v.user_id AND f.server_type = $2 AND f.deleted_at IS NULL
    WHERE v.user_id = $1"""

# Places are compared, and no place is the same as none (PR-11).
# The random draw is a hash of the member's id and a seed: one statement draws for all, and a test can repeat the draw.
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
        AND (NOT (v.same_city_only OR coalesce(f.same_city_only, false)) OR nullif(c.place_id, '') = v.place_id)
        AND NOT EXISTS (SELECT FROM apart WHERE apart.other_id = c.user_id)"""

# Waiting interests are searched apart from the ranking, whether there are any or not: only a few of thousands of
# candidates wait, and the cost must not depend on it (MA-10).
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
    SELECT found.part, c.user_id, c.profile_version, c.age_band, c.city, c.place_id, c.trust_level, c.hobbies
    FROM (SELECT user_id, shared, tie, 'ranked' AS part FROM ranked
          UNION ALL SELECT user_id, 0, tie, 'anyone' FROM anyone
          UNION ALL SELECT user_id, 0, tie, 'waiting' FROM waiting) AS found
    JOIN discovery.candidates c USING (user_id)
    ORDER BY found.part, found.shared DESC, found.tie"""


async def search(session: Session, viewer: UUID, server: ServerType, criteria: SearchCriteria) -> SearchResult:
    """Members of the server who may be shown to the viewer (DI-09), who pass the viewer's filters and whose filters the
    viewer passes (DI-05, DI-12).
    """
    rows = await session.rows(
        SEARCH,
        viewer,
        server,
        list(criteria.hobbies),
        criteria.not_shown_since,
        criteria.now,
        criteria.tie_seed,
        criteria.visibility_seed,
        criteria.visibility_below,
        criteria.ranked_limit,
    )
    return to_result(rows)
