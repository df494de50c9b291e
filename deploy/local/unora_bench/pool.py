"""A pool of discovery to measure on, put straight into its schema: the services would need hours to make as many.

Every member is in one server. The first EQUALS live in one place and have the same hobbies, to measure chance on.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import asyncpg

from unora_bench.population import Kind

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
MEMBER: Final = Kind("00000000-0000-7000-c000-")
SERVER: Final = "partner"
EQUALS: Final = 500
"""The members from 1 on who are equals, besides the viewer 0 who sees only them."""
HISTORY: Final = 2_000
"""How many are kept apart from a viewer with a long history; they share the most hobbies. A quarter more is blocked."""
ADMIRERS: Final = 5_000

ID: Final = MEMBER.sql("n::int")
CHANCE: Final = "((hashtext(n || '{}') & 65535) / 65536.0)"
CANDIDATES: Final = f"""
    INSERT INTO discovery.candidates (
        user_id, profile_version, discovery_ready, gender, age_band, city, trust_level, hobby_option_ids, hobbies,
        place_id)
    SELECT {ID}, 1, true,
        CASE WHEN n <= {EQUALS} THEN 'woman' WHEN {CHANCE.format("gender")} < 0.02 THEN 'non_binary'
            WHEN {CHANCE.format("gender")} < 0.5 THEN 'woman' ELSE 'man' END,
        (ARRAY['18_24', '25_29', '30_34', '35_39', '40_49', '50_59', '60_plus'])[
            1 + floor({CHANCE.format("age")} * 7)::int],
        'a city', 2, hobbies, (SELECT jsonb_agg(jsonb_build_object('hobby_option_id', each, 'name', each,
            'micro_description', 'what this member says about it')) FROM unnest(hobbies) AS each),
        CASE WHEN n <= {EQUALS} THEN 'equals' ELSE 'place ' || floor({CHANCE.format("place")} ^ 2 * 500) END
    FROM generate_series($1::int, $2::int - 1) AS n CROSS JOIN LATERAL (
        SELECT CASE WHEN n <= {EQUALS} THEN ARRAY['hobby 1', 'hobby 2'] ELSE array_agg(DISTINCT 'hobby ' || floor(
            (hashtext(n || ' hobby ' || k) & 65535) / 65536.0 * 120)) || ARRAY['hobby 120', 'hobby 121'] END AS hobbies
        FROM generate_series(1, 2 + (hashtext('h' || n) & 7)) AS k) AS chosen"""
FILTERS: Final = f"""
    INSERT INTO discovery.filters (user_id, server_type, genders, age_bands, same_city_only, updated_at)
    SELECT {ID}, '{SERVER}',
        (ARRAY['{{}}', '{{woman}}', '{{man}}', '{{man,non_binary}}'])[1 + floor({CHANCE.format("w")} * 4)::int]::text[],
        CASE WHEN {CHANCE.format("a")} < 0.5 THEN '{{}}' ELSE '{{25_29,30_34,35_39,40_49}}' END::text[],
        n > 5000 AND {CHANCE.format("near")} < 0.1, clock.now()
    FROM generate_series($1::int, $2::int - 1) AS n WHERE n > {EQUALS} AND n % 2 = 0
    UNION ALL SELECT {MEMBER.sql("0")}, '{SERVER}', '{{}}', '{{}}', true, clock.now() WHERE $1::int = 0"""
OTHERS: Final = (
    f"""INSERT INTO discovery.server_memberships (user_id, server_type, joined_at)
    SELECT {ID}, '{SERVER}', '2026-01-01' FROM generate_series($1::int, $2::int - 1) AS n""",
    f"INSERT INTO discovery.refresh_timers (user_id) SELECT {ID} FROM generate_series($1::int, $2::int - 1) AS n",
    FILTERS,
    f"""INSERT INTO discovery.pool (user_id, changed)
    SELECT {ID}, pg_current_xact_id()::text::bigint FROM generate_series($1::int, $2::int - 1) AS n""",
)
APART: Final = """
    INSERT INTO discovery.exclusions (source_id, user_id, other_id, reason, version)
    SELECT gen_random_uuid(), viewer.user_id, best.user_id, 'ended', 1
    FROM discovery.candidates viewer CROSS JOIN LATERAL (
        SELECT c.user_id FROM discovery.candidates c WHERE c.user_id <> viewer.user_id ORDER BY (
            SELECT count(*) FROM unnest(c.hobby_option_ids) AS h WHERE h = ANY (viewer.hobby_option_ids)) DESC
        LIMIT $2) AS best
    WHERE viewer.user_id = ANY ($1::uuid[])"""
BLOCKS: Final = f"""
    INSERT INTO discovery.member_blocks (blocker_id, blocked_id, in_force, changed_at)
    SELECT viewer, {ID}, true, '2026-02-01'
    FROM unnest($1::uuid[]) AS viewer, generate_series({EQUALS} + 1, {EQUALS} + $2::int / 4) AS n
    WHERE viewer <> {ID} ON CONFLICT DO NOTHING"""
WAITS: Final = f"""
    INSERT INTO discovery.waiting_interests (
        interest_id, version, sender_id, receiver_id, server_type, waits, waits_until, position)
    SELECT gen_random_uuid(), 1, {ID}, viewer, '{SERVER}', true, clock.now() + interval '14 days', n - {EQUALS}
    FROM unnest($1::uuid[]) AS viewer, generate_series({EQUALS} + 1, {EQUALS} + $2::int) AS n WHERE viewer <> {ID}"""
RESET: Final = """
    UPDATE discovery.refresh_timers SET last_global_refresh_at = NULL, refresh_available_at = NULL
    WHERE last_global_refresh_at IS NOT NULL"""

# What a plain search is: read all, filter, sort, limit. It leaves out history, waits and chance, so it is cheaper than
# a whole one could be.
PLAIN: Final = f"""
    SELECT (SELECT count(*) FROM unnest(c.hobby_option_ids) AS hobby WHERE hobby = ANY (v.hobby_option_ids)) AS shared
    FROM discovery.server_memberships m JOIN discovery.candidates c USING (user_id)
    LEFT JOIN discovery.filters f ON f.user_id = m.user_id AND f.server_type = m.server_type
    CROSS JOIN (
        SELECT v.*, coalesce(genders, '{{}}') AS genders, coalesce(age_bands, '{{}}') AS age_bands,
            coalesce(same_city_only, false) AS same_city_only
        FROM discovery.candidates v
        LEFT JOIN discovery.filters w ON w.user_id = v.user_id AND w.server_type = '{SERVER}'
        WHERE v.user_id = $1) AS v
    WHERE m.server_type = '{SERVER}' AND m.left_at IS NULL AND m.user_id <> $1
        AND c.discovery_ready AND c.active_connection_count < c.connection_limit
        AND NOT c.restricted AND NOT c.suspended
        AND (v.genders = '{{}}' OR c.gender = ANY (v.genders))
        AND (v.age_bands = '{{}}' OR c.age_band = ANY (v.age_bands))
        AND (coalesce(f.genders, '{{}}') = '{{}}' OR v.gender = ANY (f.genders))
        AND (coalesce(f.age_bands, '{{}}') = '{{}}' OR v.age_band = ANY (f.age_bands))
        AND (NOT (v.same_city_only OR coalesce(f.same_city_only, false)) OR c.place_id = v.place_id)
    ORDER BY shared DESC LIMIT 5"""


async def grow(connection: Connection, before: int, members: int) -> None:
    """Adds the members from the number `before` up to `members`, excluded."""
    await connection.execute("SET session_replication_role = replica")  # the triggers would look at each row
    for statement in (CANDIDATES, *OTHERS):
        await connection.execute(statement, before, members)
    await connection.execute("SET session_replication_role = DEFAULT")
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")  # what was filled in is not written beside what is measured
