"""A database with a pool of its own, of any size and always the same, for searches without calls."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import md5
from random import Random
from typing import Final, TypeAlias
from uuid import UUID

import asyncpg
from unora_common.common_metrics import COMMON_METRICS
from unora_common.database import Database
from unora_common.metrics import Metrics
from unora_discovery.domain.randomness import tie_seed
from unora_discovery.domain.refresh import Viewer
from unora_discovery.domain.search import SearchCriteria, SearchResult
from unora_discovery.domain.servers import ServerType
from unora_discovery.resources import Pool
from unora_discovery.store.seekers import get_seeker
from unora_discovery.use_cases.candidates import find_candidates
from unora_discovery.use_cases.following import follow
from unora_testing.deadlines import TIMEOUTS
from unora_testing.testbed import Testbed

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE: Final = ServerType.PARTNER

# A number between 0 and 1 that is always the same for a member and a purpose.
CHANCE: Final = "((hashtext(n || '{}') & 65535) / 65536.0)"
POPULATION: Final = f"""
    INSERT INTO discovery.candidates (
        user_id, profile_version, discovery_ready, gender, age_band, city, trust_level, hobby_option_ids, hobbies,
        place_id)
    SELECT md5('member ' || n)::uuid, 1, {CHANCE.format("ready")} < 0.95,
        CASE WHEN {CHANCE.format("gender")} < 0.03 THEN 'non_binary'
            WHEN {CHANCE.format("gender")} < 0.5 THEN 'woman' ELSE 'man' END,
        (ARRAY['18_24', '25_29', '30_34', '35_39', '40_49', '50_59', '60_plus'])[
            1 + floor({CHANCE.format("age")} * 7)::int],
        'a city', 2, chosen.hobbies, (SELECT jsonb_agg(jsonb_build_object(
            'hobby_option_id', each, 'name', each, 'micro_description', '')) FROM unnest(chosen.hobbies) AS each),
        'place ' || floor({CHANCE.format("place")} * 20)
    FROM generate_series(1, $1::int) AS n CROSS JOIN LATERAL (
        SELECT array_agg(hobby) AS hobbies FROM (
            SELECT 'hobby ' || k AS hobby FROM generate_series(1, 40) AS k
            ORDER BY hashtext(n || ' hobby ' || k) LIMIT 3 + (hashtext('h' || n) & 7)) AS few) AS chosen
    ORDER BY n"""
MEMBERSHIPS: Final = """
    INSERT INTO discovery.server_memberships (user_id, server_type, joined_at)
    SELECT md5('member ' || n)::uuid, 'partner', '2026-01-01' FROM generate_series(1, $1::int) AS n ORDER BY n"""
FILTERS: Final = f"""
    INSERT INTO discovery.filters (user_id, server_type, genders, age_bands, same_city_only, updated_at)
    SELECT md5('member ' || n)::uuid, 'partner',
        (ARRAY['{{}}', '{{woman}}', '{{man}}', '{{man,non_binary}}'])[
            1 + floor({CHANCE.format("wants")} * 4)::int]::text[],
        CASE WHEN {CHANCE.format("ages")} < 0.5 THEN '{{}}'::text[]
            ELSE '{{25_29,30_34,35_39,40_49}}'::text[] END, {CHANCE.format("near")} < 0.1, '2026-01-01'
    FROM generate_series(1, $1::int) AS n WHERE n % 2 = 0 ORDER BY n"""


@dataclass
class OwnPool:
    """A pool with the numbers 1, 2, 3, … as members."""

    superuser: Connection
    database: Database
    pool: Pool
    superuser_dsn: str

    async def search(self, number: int, random: Random, *, ranked: int = 5) -> tuple[Viewer, SearchResult]:
        """What a refresh of a member would find."""
        await follow(self.database, self.pool)
        viewer_id = member(number)
        async with self.database.session() as session:
            viewer, seeker, _ = await get_seeker(session, viewer_id, HERE, self.pool.cursor, 1)
            found = await find_candidates(
                session, self.pool.planes, viewer_id, seeker, HERE, criteria(viewer, random, ranked)
            )
        return viewer, found


def member(number: int) -> UUID:
    """The id of a member."""
    return UUID(md5(f"member {number}".encode()).hexdigest())


def criteria(viewer: Viewer, random: Random, ranked: int = 5) -> SearchCriteria:
    """What a search of this viewer is given."""
    return SearchCriteria(
        hobbies=viewer.hobby_option_ids,
        not_shown_since=NOW - timedelta(days=7),
        now=NOW,
        tie_seed=tie_seed(random),
        visibility_seed=1,
        visibility_below=429496730,
        ranked_limit=ranked,
    )


@asynccontextmanager
async def own_pool(testbed: Testbed, name: str, members: int) -> AsyncIterator[OwnPool]:
    """The pool; its database is dropped at the end."""
    name = f"unora_{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    await testbed.clone(name)
    superuser = await asyncpg.connect(testbed.dsn(name))
    database = await Database.open(
        testbed.dsn(name, "unora_discovery"),
        "discovery",
        connections=3,
        kept=1,
        timeouts=TIMEOUTS,
        wake=lambda: None,
        metrics=Metrics(COMMON_METRICS),
    )
    try:
        for statement in (POPULATION, MEMBERSHIPS, FILTERS):
            await superuser.execute(statement, members)
        await superuser.execute("ANALYZE")
        yield OwnPool(superuser, database, Pool(), testbed.dsn(name))
    finally:
        await database.close()
        await superuser.close()
        admin = await asyncpg.connect(testbed.dsn("postgres"))
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()
