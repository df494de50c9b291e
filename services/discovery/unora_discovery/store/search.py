"""Decides on finalists: who of those that the planes propose may be shown, exactly and in the transaction (DI-09)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
from unora_common.database import Row, Session
from unora_common.rows import from_row

from unora_discovery.domain.bits import Slots
from unora_discovery.domain.cards import BATCH_SIZE, DRAWN_AT_MOST
from unora_discovery.domain.pool import Candidate
from unora_discovery.domain.search import SearchCriteria, SearchResult
from unora_discovery.domain.servers import ServerType
from unora_discovery.store.planes import to_slots

# Whoever was on a card lately. The timer bounds how many that are (DI-04), so they are collected first. (Batches are an
# array: for a join Postgres estimates their number, and with a wrong estimate it reads all cards.)
# A batch was shown from its creation until it was replaced. So a member of the batch that is being replaced is not in
# the next one, however old it is.
SEEN: Final = """
    SELECT shown_user_id AS user_id FROM discovery.discovery_cards WHERE batch_id = ANY (ARRAY(
        SELECT id FROM discovery.discovery_batches WHERE user_id = $1 AND deleted_at IS NULL
        UNION ALL
        SELECT id FROM discovery.discovery_batches WHERE user_id = $1 AND deleted_at > {since}))"""
EXCLUDED: Final = """
    reason <> 'lifted' AND (reason <> 'interest_pending' OR apart_until IS NULL OR apart_until > {now})"""

# The filters are those of this server, as they are now. Existing cards stay (DI-05, DI-03).
VIEWER: Final = """
    SELECT v.gender, v.age_band, v.place_id, coalesce(f.genders, '{}') AS genders,
        coalesce(f.age_bands, '{}') AS age_bands, coalesce(f.same_city_only, false) AS same_city_only
    FROM discovery.candidates v
    LEFT JOIN discovery.filters f ON f.user_id = v.user_id AND f.server_type = $2 AND f.deleted_at IS NULL
    WHERE v.user_id = $1"""

# Places are compared, and no place is the same as none (PR-11).
# The random draw is a hash of the member's id and a seed: one statement draws for all, and a test can repeat the draw.
# The draw of reduced visibility is by the slot, so that the planes can make it too (DI-10).
# What keeps a pair apart is asked of each finalist by an index, however long the history of the viewer is (DI-17).
# OFFSET 0 keeps each look-up a look-up: a plan that reads a table whole never is the better one here.
ELIGIBLE: Final = f"""
    SELECT c.*, p.slot, uuid_hash_extended(c.user_id, $6) AS tie,
        (SELECT count(*) FROM unnest(c.hobby_option_ids) AS hobby WHERE hobby = ANY ($3)) AS shared
    FROM finalists p
    CROSS JOIN LATERAL (
        SELECT user_id FROM discovery.server_memberships
        WHERE user_id = p.user_id AND server_type = $2 AND left_at IS NULL OFFSET 0) AS m
    CROSS JOIN LATERAL (SELECT * FROM discovery.candidates WHERE user_id = p.user_id OFFSET 0) AS c
    LEFT JOIN LATERAL (
        SELECT genders, age_bands, same_city_only FROM discovery.filters
        WHERE user_id = p.user_id AND server_type = $2 AND deleted_at IS NULL OFFSET 0) AS f ON true
    CROSS JOIN viewer v
    WHERE c.user_id <> $1
        AND c.discovery_ready AND c.active_connection_count < c.connection_limit
        AND NOT c.restricted AND NOT c.suspended
        AND (NOT c.reduced_visibility OR hashint4extended(p.slot, $7) & 4294967295 < $8)
        AND (v.genders = '{{}}' OR c.gender = ANY (v.genders))
        AND (v.age_bands = '{{}}' OR c.age_band = ANY (v.age_bands))
        AND (coalesce(f.genders, '{{}}') = '{{}}' OR v.gender = ANY (f.genders))
        AND (coalesce(f.age_bands, '{{}}') = '{{}}' OR v.age_band = ANY (f.age_bands))
        AND (NOT (v.same_city_only OR coalesce(f.same_city_only, false)) OR nullif(c.place_id, '') = v.place_id)
        AND NOT EXISTS (SELECT FROM seen WHERE seen.user_id = c.user_id)
        AND NOT EXISTS (SELECT FROM discovery.exclusions
            WHERE user_id = $1 AND other_id = c.user_id AND {EXCLUDED.format(now="$5")} OFFSET 0)
        AND NOT EXISTS (SELECT FROM discovery.member_blocks
            WHERE blocker_id = $1 AND blocked_id = c.user_id AND in_force OFFSET 0)
        AND NOT EXISTS (SELECT FROM discovery.member_blocks
            WHERE blocker_id = c.user_id AND blocked_id = $1 AND in_force OFFSET 0)"""

MAX_WAITING: Final = 24
"""Up to so many members who wait are all looked up; of more, so many are drawn at random."""

# Waiting interests are looked up apart from the planes, whether there are any or not: a few of thousands of candidates
# wait, and the cost must not depend on it (MA-10). Of many, random positions are looked up: equally likely for each.
WAITING: Final = f"""
    few AS MATERIALIZED (
        SELECT sender_id FROM discovery.waiting_interests
        WHERE receiver_id = $1 AND server_type = $2 AND waits AND waits_until > $5
        ORDER BY position LIMIT {MAX_WAITING + 1}),
    many AS MATERIALIZED (SELECT count(*) > {MAX_WAITING} AS many FROM few),
    ends AS MATERIALIZED (
        SELECT min(position) AS first, max(position) AS last FROM discovery.waiting_interests
        WHERE receiver_id = $1 AND server_type = $2 AND waits AND (SELECT many FROM many)),
    admirers AS MATERIALIZED (
        SELECT sender_id AS user_id FROM few WHERE NOT (SELECT many FROM many)
        UNION
        SELECT w.sender_id FROM (
            SELECT DISTINCT first + floor((last - first + 1) * place)::int AS position
            FROM ends CROSS JOIN unnest($12::float8[]) AS place) AS places
        CROSS JOIN LATERAL (
            SELECT sender_id FROM discovery.waiting_interests
            WHERE receiver_id = $1 AND server_type = $2 AND waits AND position = places.position
                AND waits_until > $5) AS w)"""

SEARCH: Final = f"""
    WITH seen AS MATERIALIZED ({SEEN.format(since="$4")}),
    viewer AS MATERIALIZED ({VIEWER}),
    {WAITING},
    finalists AS MATERIALIZED (
        SELECT p.user_id, p.slot FROM unnest($10::int[] || $11::int[] || $13::int[]) AS asked
        CROSS JOIN LATERAL (SELECT user_id, slot FROM discovery.pool WHERE slot = asked OFFSET 0) AS p
        UNION
        SELECT p.user_id, p.slot FROM admirers
        CROSS JOIN LATERAL (SELECT user_id, slot FROM discovery.pool WHERE user_id = admirers.user_id OFFSET 0) AS p),
    eligible AS MATERIALIZED ({ELIGIBLE}),
    ranked AS MATERIALIZED (
        SELECT * FROM eligible WHERE slot = ANY ($10) ORDER BY shared DESC, tie LIMIT $9),
    anyone AS MATERIALIZED (
        SELECT * FROM eligible WHERE slot = ANY ($11) ORDER BY tie LIMIT {BATCH_SIZE + DRAWN_AT_MOST}),
    waiting AS MATERIALIZED (
        SELECT * FROM eligible WHERE slot = ANY ($13) OR user_id IN (SELECT user_id FROM admirers)
        ORDER BY tie LIMIT {BATCH_SIZE + DRAWN_AT_MOST})
    SELECT part, user_id, profile_version, age_band, city, place_id, trust_level, hobbies,
        (SELECT many FROM many) AS many
    FROM (SELECT *, shared AS first, 'ranked' AS part FROM ranked
          UNION ALL SELECT *, 0, 'anyone' FROM anyone
          UNION ALL SELECT *, 0, 'waiting' FROM waiting) AS found
    ORDER BY part, first DESC, tie"""

# All of the viewer's history in one read, for those whose history holds most of the best.
LIST_APART: Final = f"""
    SELECT coalesce(string_agg(int4send(p.slot), ''), '') FROM (
        SELECT other_id AS user_id FROM discovery.exclusions
        WHERE user_id = $1 AND {EXCLUDED.format(now="$3")}
        UNION ALL
        SELECT blocked_id FROM discovery.member_blocks WHERE blocker_id = $1 AND in_force
        UNION ALL
        SELECT blocker_id FROM discovery.member_blocks WHERE blocked_id = $1 AND in_force
        UNION ALL {SEEN.format(since="$2")}
        LIMIT $4) AS apart JOIN discovery.pool p USING (user_id)"""

LIST_WAITING: Final = """
    SELECT coalesce(string_agg(int4send(p.slot), ''), '') FROM (
        SELECT DISTINCT sender_id FROM discovery.waiting_interests
        WHERE receiver_id = $1 AND server_type = $2 AND waits AND waits_until > $3) AS w
    JOIN discovery.pool p ON p.user_id = w.sender_id"""


@dataclass(frozen=True, slots=True)
class Finalists:
    """Who is asked about."""

    ranked: Slots
    anyone: Slots
    waiting: Slots
    """Some of those who wait, if they were chosen already."""
    places: Sequence[float]
    """Numbers from 0 to 1, one for each position that is looked up among many who wait."""


async def decide(
    session: Session, viewer: UUID, server: ServerType, criteria: SearchCriteria, finalists: Finalists
) -> tuple[SearchResult, bool]:
    """The finalists, and some of those who wait for the viewer, who may be shown to the viewer (DI-09), and where each
    passes the filters of the other (DI-05, DI-12). Also whether more wait than were looked up; this is False if nobody
    may be shown.
    """
    rows = await session.rows(SEARCH, *arguments(viewer, server, criteria, finalists))
    return to_result(rows), bool(rows) and rows[0]["many"]


def arguments(viewer: UUID, server: ServerType, criteria: SearchCriteria, finalists: Finalists) -> tuple[object, ...]:
    """The arguments of SEARCH."""
    return (
        viewer,
        server,
        list(criteria.hobbies),
        criteria.not_shown_since,
        criteria.now,
        criteria.tie_seed,
        criteria.visibility_seed,
        criteria.visibility_below,
        criteria.ranked_limit,
        finalists.ranked.tolist(),
        finalists.anyone.tolist(),
        finalists.places,
        finalists.waiting.tolist(),
    )


async def list_apart(session: Session, viewer: UUID, criteria: SearchCriteria, limit: int) -> Slots:
    """The members who are kept apart from the viewer or were on their cards lately, at most `limit`."""
    sent: Any = await session.value(LIST_APART, viewer, criteria.not_shown_since, criteria.now, limit)
    return to_slots(sent)


async def list_waiting(session: Session, viewer: UUID, server: ServerType, criteria: SearchCriteria) -> Slots:
    """All who wait for the viewer."""
    sent: Any = await session.value(LIST_WAITING, viewer, server, criteria.now)
    return to_slots(sent)


def to_result(rows: Sequence[Row]) -> SearchResult:
    """The candidates of each part, in the order of the rows."""
    parts = ([_candidate(row) for row in rows if row["part"] == part] for part in ("ranked", "anyone", "waiting"))
    return SearchResult(*map(tuple, parts))


def _candidate(row: Row) -> Candidate:
    return from_row(Candidate, row, hobbies=msgspec.json.decode(row["hobbies"]))
