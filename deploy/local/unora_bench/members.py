"""Members to measure on, put straight into the schemas of the contexts that own what discovery's pool says of them.

All are discovery-ready, with five hobbies and three photos whose objects do not exist. One in twenty has a tier, one in
fifty a standing. The sealed columns hold bytes that no key opens; nothing here opens them.
"""

from __future__ import annotations

from typing import Final

import asyncpg

from unora_bench.population import Kind

MEMBER: Final = Kind("00000000-0000-7000-c000-")
HOBBIES: Final = 5
PHOTOS: Final = 3

NUMBERS: Final = "generate_series($1::bigint, $1::bigint + $2::bigint - 1) AS n"
ID: Final = MEMBER.sql("n")
STATEMENTS: Final = (
    f"""
    INSERT INTO identity.users (id, phone_hash, phone_sealed, data_key, created_at, version, texts_version)
    SELECT {ID}, sha256({ID}::text::bytea), 'sealed', 'key', clock.now(), 3, 0 FROM {NUMBERS}""",
    f"""
    INSERT INTO identity.profiles (user_id, name, date_of_birth, gender, city, place_id, country, time_zone)
    SELECT {ID}, 'Member', date '1960-01-01' + (n * 37 % 16000)::int,
        (ARRAY['woman', 'man', 'non_binary'])[1 + n % 3], place.name, place.id, place.country, place.zone
    FROM {NUMBERS} JOIN (VALUES (0, 'London', '2643743', 'GB', 'Europe/London'),
        (1, 'Lisbon', '2267057', 'PT', 'Europe/Lisbon'), (2, 'Berlin', '2950159', 'DE', 'Europe/Berlin'))
        AS place (number, name, id, country, zone) ON place.number = n / 3 % 3""",
    f"""
    INSERT INTO identity.hobbies (user_id, hobby_option_id, position, micro_description)
    SELECT {ID}, options.ids[1 + (n * 3 + at) % cardinality(options.ids)], at, 'the slow kind, number ' || at
    FROM (SELECT array_agg(id ORDER BY id) AS ids FROM identity.hobby_options WHERE deleted_at IS NULL) AS options,
        {NUMBERS}, generate_series(1, {HOBBIES}) AS at""",
    f"""
    INSERT INTO identity.photos (id, user_id, position, object_key, card_key, thumbnail_key, has_face, quality_passed,
        sharpness, brightness, width, height, created_at)
    SELECT ('00000000-0000-7000-d00' || at || right({ID}::text, 13))::uuid, {ID}, at, 'bench/' || n || '/' || at,
        'none', 'none', true, true, 1, 1, 800, 800, clock.now()
    FROM {NUMBERS}, generate_series(1, {PHOTOS}) AS at""",
    f"""
    INSERT INTO matching.inventory (user_id, tier, active_connection_count, connection_limit, tier_limit, version)
    SELECT {ID}, 'free', n % 2, 1, 1, 2 FROM {NUMBERS}""",
    f"""
    INSERT INTO billing.accounts (user_id, tier, balance, suspended, standing_version, version)
    SELECT {ID}, 'plus', 0, false, 0, 2 FROM {NUMBERS} WHERE n % 20 = 0""",
    f"""
    INSERT INTO safety.restrictions (user_id, reduced_visibility, restricted, suspended, version, changed_at)
    SELECT {ID}, n % 100 = 7, n % 100 = 57, false, 1, clock.now() FROM {NUMBERS} WHERE n % 50 = 7""",
)
TABLES: Final = (
    *("identity.users", "identity.profiles", "identity.hobbies", "identity.photos"),
    *("matching.inventory", "billing.accounts", "safety.restrictions"),
)


async def make_members(connection: asyncpg.Connection[asyncpg.Record], first: int, count: int) -> None:
    """Makes `count` members, from the number `first` on: a superuser's work, without triggers and foreign keys."""
    await connection.execute("SET session_replication_role = replica")
    try:
        for statement in STATEMENTS:
            await connection.execute(statement, first, count, timeout=1800)
    finally:
        await connection.execute("RESET session_replication_role")
    await connection.execute(f"ANALYZE {', '.join(TABLES)}", timeout=1800)
