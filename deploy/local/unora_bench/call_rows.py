"""Members, cards, reveals and credits to measure calls on, put straight into the schemas by Postgres itself."""

from __future__ import annotations

from typing import Final

import asyncpg

from unora_bench.population import MEMBERS, Kind

POOL: Final = 10_000
"""Members in discovery's pool, of whom cards are dealt."""
SERVERS: Final = ("partner", "friend", "growth")
CARDS: Final = 5 * len(SERVERS)
"""Cards that a member holds: a batch in each server."""

HOLDER: Final = Kind("00000000-0000-7000-a100-")
"""Has an account, and a batch of cards in each server."""
SHOWN: Final = Kind("00000000-0000-7000-a200-")
"""Is in the pool, and on cards."""
REFRESHER: Final = Kind("00000000-0000-7000-a300-")
"""Has joined a server, and had no batch yet."""
BUYER: Final = Kind("00000000-0000-7000-a400-")
"""Has streaks whose reveals are earned, and credits."""
PARTNER: Final = Kind("ffffffff-ffff-7fff-a500-")
CARD: Final = Kind("00000000-0000-7000-a600-")
BATCH: Final = Kind("00000000-0000-7000-a700-")
PAIR: Final = Kind("00000000-0000-7000-a800-")
"""A connection; its streak has the number in the kind PAIR_STREAK."""
PAIR_STREAK: Final = Kind("00000000-0000-7000-a900-")

HOBBIES: Final = """jsonb_build_array(
    jsonb_build_object('hobby_option_id', 'hiking', 'name', 'Hiking', 'micro_description', 'Long walks', {shared}),
    jsonb_build_object('hobby_option_id', 'coffee', 'name', 'Coffee', 'micro_description', 'Slow mornings', {shared}),
    jsonb_build_object('hobby_option_id', 'cycling', 'name', 'Cycling', 'micro_description', 'By the river', {shared})
    )"""
ON_CARD: Final = HOBBIES.format(shared="'shared', true")
IN_POOL: Final = HOBBIES.replace(", {shared}", "")
TEXT: Final = (
    """'{"title": "A way of being", "text": "Someone who likes mornings, and walks that have no aim."}'::jsonb"""
)

# $1 is the number of members of the kind.
ACCOUNTS: Final = f"""
    WITH made AS (SELECT n, {HOLDER.sql("n")} AS id FROM generate_series(0, $1::int - 1) AS n),
    users AS (
        INSERT INTO identity.users (id, phone_hash, phone_sealed, data_key, connection_limit, created_at, version)
        SELECT id, sha256(uuid_send(id)), sha256(uuid_send(id)), sha256(uuid_send(id)), 1, clock.now(), 1 FROM made),
    profiles AS (
        INSERT INTO identity.profiles (user_id, name, date_of_birth, gender, bio, occupation, time_zone)
        SELECT id, 'Robin', '1990-01-01', 'woman', 'Likes long walks', 'Gardener', 'UTC' FROM made),
    hobbies AS (
        INSERT INTO identity.hobbies (user_id, hobby_option_id, position, micro_description)
        SELECT id, hobby, position, 'Long walks' FROM made,
            unnest(ARRAY['hiking', 'coffee', 'cycling']) WITH ORDINALITY AS h (hobby, position))
    INSERT INTO identity.photos (id, user_id, position, object_key, has_face, quality_passed, sharpness, brightness,
        width, height, created_at)
    SELECT gen_random_uuid(), id, position, id || '/' || position, true, true, 100, 100, 800, 1000, clock.now()
    FROM made, generate_series(1, 3) AS position"""

CANDIDATES: Final = f"""
    INSERT INTO discovery.candidates (user_id, profile_version, discovery_ready, gender, age_band, city, place_id,
        trust_level, hobby_option_ids, hobbies, connection_limit, tier)
    SELECT {{kind}}, 1, true, (ARRAY['woman', 'man'])[1 + n % 2],
        (ARRAY['25_29', '30_34', '35_39'])[1 + n % 3], 'Berlin', '2950159', 3, ARRAY['hiking', 'coffee', 'cycling'],
        {IN_POOL}, 3, 'pro'
    FROM generate_series(0, $1::int - 1) AS n"""
MEMBERSHIPS: Final = """
    INSERT INTO discovery.server_memberships (user_id, server_type, joined_at, first_batch_at)
    SELECT {kind}, server, clock.now() - interval '1 day', {first}
    FROM generate_series(0, $1::int - 1) AS n, unnest(ARRAY['partner', 'friend', 'growth']) AS server"""
TIMERS: Final = """
    INSERT INTO discovery.refresh_timers (user_id, version)
    SELECT {kind}, 1 FROM generate_series(0, $1::int - 1) AS n"""
SLOTS: Final = """
    INSERT INTO discovery.pool (user_id, changed)
    SELECT {kind}, pg_current_xact_id()::text::bigint FROM generate_series(0, $1::int - 1) AS n"""
BATCHES: Final = f"""
    INSERT INTO discovery.discovery_batches (id, user_id, server_type, created_at)
    SELECT {BATCH.sql("n * 3 + s - 1")}, {HOLDER.sql("n")}, server, clock.now()
    FROM generate_series(0, $1::int - 1) AS n,
        unnest(ARRAY['partner', 'friend', 'growth']) WITH ORDINALITY AS s (server, s)"""
DEALT: Final = f"""
    INSERT INTO discovery.discovery_cards (id, batch_id, position, shown_user_id, profile_version, age_band, city,
        place_id, trust_level, hobbies)
    SELECT {CARD.sql("slot * $1 + n")}, {BATCH.sql("n * 3 + slot / 5")}, 1 + slot % 5,
        {SHOWN.sql(f"(n * 7 + slot) % {POOL}")}, 1, '30_34', 'Berlin', '2950159', 3, {ON_CARD}
    FROM generate_series(0, $1::int - 1) AS n, generate_series(0, {CARDS - 1}) AS slot"""
"""The card with the number k is held by the member k modulo their number."""

CONNECTIONS: Final = f"""
    INSERT INTO matching.connections (id, user_a_id, user_b_id, server_type, connection_status, formed_at, version)
    SELECT {PAIR.sql("n")}, {BUYER.sql(f"n % {MEMBERS}")}, {PARTNER.sql("n")}, 'partner', 'active', clock.now(), 1
    FROM generate_series(0, $1::int - 1) AS n"""
REVEAL_PAIRS: Final = f"""
    INSERT INTO reveal.pairs (connection_id, streak_id, user_a_id, user_b_id, completed_days)
    SELECT {PAIR.sql("n")}, {PAIR_STREAK.sql("n")}, {BUYER.sql(f"n % {MEMBERS}")}, {PARTNER.sql("n")}, 10
    FROM generate_series(0, $1::int - 1) AS n"""
PROGRESSIONS: Final = f"""
    INSERT INTO reveal.progressions (streak_id, user_id)
    SELECT {PAIR_STREAK.sql("n")}, {BUYER.sql(f"n % {MEMBERS}")} FROM generate_series(0, $1::int - 1) AS n"""
REVEALS: Final = f"""
    WITH made AS (
        INSERT INTO reveal.reveals (id, streak_id, connection_id, user_id, partner_id, reveal_number, reveal_status,
            unlocked_at, completed_days, version)
        SELECT gen_random_uuid(), {PAIR_STREAK.sql("n")}, {PAIR.sql("n")}, {BUYER.sql(f"n % {MEMBERS}")},
            {PARTNER.sql("n")}, number, CASE WHEN number < 3 THEN 'unlocked' ELSE 'locked' END,
            CASE WHEN number < 3 THEN clock.now() END, 10, 1
        FROM generate_series(0, $1::int - 1) AS n, generate_series(1, 5) AS number
        RETURNING id, reveal_number)
    INSERT INTO reveal.reveal_contents (reveal_id, reveal_number, content_json, created_at)
    SELECT id, reveal_number, {TEXT}, clock.now() FROM made WHERE reveal_number < 3"""
CREDITS: Final = f"""
    INSERT INTO billing.accounts (user_id, tier, balance, suspended, standing_version, version)
    SELECT {BUYER.sql("n")}, 'free', 1000000000, false, 0, 1 FROM generate_series(0, $1::int - 1) AS n"""


def holders_for(cards: int) -> int:
    """How many holders have at least so many cards together."""
    return max(MEMBERS, -(-cards // CARDS))


async def make(dsn: str, *, holders: int, refreshers: int, pairs: int) -> None:
    """Makes the rows: so many members with cards, so many who refresh, and so many streaks with reveals."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SET session_replication_role = replica")  # they begin in the middle of a life
        await connection.execute(ACCOUNTS, holders)
        kinds = ((SHOWN, POOL, "NULL"), (HOLDER, holders, "clock.now()"), (REFRESHER, refreshers, "NULL"))
        for kind, count, first in kinds:
            for sql in (CANDIDATES, MEMBERSHIPS, TIMERS, SLOTS):
                await connection.execute(sql.format(kind=kind.sql("n"), first=first), count)
        for sql in (BATCHES, DEALT):
            await connection.execute(sql, holders)
        for sql in (CONNECTIONS, REVEAL_PAIRS, PROGRESSIONS, REVEALS):
            await connection.execute(sql, pairs)
        await connection.execute(CREDITS, MEMBERS)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
