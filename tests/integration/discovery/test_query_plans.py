"""The statements of every call read what they need by an index, for any number of members and any length of history.
Postgres itself says which rows it read, with a plan for these values and with a generic plan.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

import asyncpg
import pytest
from unora_discovery.store import batches, listed_cards, members, partners, screens, search, seekers
from unora_testing.places import LISBON
from unora_testing.testbed import Testbed

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
MEMBERS: Final = 3000
VIEWER: Final = "md5('member 1')::uuid"
EARLIER: Final = "md5('member 11')::uuid"
"""Their cards were dealt before there were places."""
LOCKS: Final = {"server_memberships": 1, "candidates": 1, "refresh_timers": 1}
HISTORY: Final = 360
"""Batches of the viewer: four a day for ninety days; the newest is active. Every tenth other member has twenty."""
ADMIRERS: Final = 4
BLOCKS: Final = 3
"""In force, in each direction."""
TODAY: Final = "timestamptz '2026-03-01 12:00+00'"

POPULATION: Final = f"""
    SET session_replication_role = replica;  -- the triggers would look at each card

    INSERT INTO discovery.candidates (
        user_id, profile_version, discovery_ready, gender, age_band, city, trust_level, hobby_option_ids, hobbies,
        place_id)
    SELECT md5('member ' || n)::uuid, 1, true, (ARRAY['woman', 'man', 'non_binary'])[n % 3 + 1], '30_34', 'Lisbon', 2,
        ARRAY['chess', 'hobby ' || n % 40], '[{{}}, {{}}]', '{LISBON}'
    FROM generate_series(1, {MEMBERS}) n;
    INSERT INTO discovery.server_memberships
    SELECT user_id, server_type, {TODAY} - interval '200 days'
    FROM discovery.candidates, discovery.servers WHERE server_type <> 'growth';
    INSERT INTO discovery.refresh_timers (user_id) SELECT user_id FROM discovery.candidates;
    INSERT INTO discovery.filters (user_id, server_type, genders, updated_at)
    SELECT user_id, server_type, '{{man,woman}}', {TODAY} FROM discovery.server_memberships;
    INSERT INTO discovery.exclusions
    SELECT gen_random_uuid(), md5('member ' || a)::uuid, md5('member ' || a + b)::uuid, 'ended', 1
    FROM generate_series(1, {MEMBERS}, 3) a, generate_series(1, 5) b;
    INSERT INTO discovery.pool (user_id, changed) SELECT user_id, 3 FROM discovery.candidates ORDER BY user_id;
    INSERT INTO discovery.waiting_interests
    SELECT gen_random_uuid(), 1, md5('member ' || a + b)::uuid, md5('member ' || a)::uuid, 'partner',
        b < 6 + {ADMIRERS}, {TODAY} + interval '1 day', b - 5
    FROM generate_series(1, {MEMBERS}, 3) a, generate_series(6, 26) b;
    INSERT INTO discovery.member_blocks
    SELECT md5('member ' || a)::uuid, md5('member ' || a + b)::uuid, b < 30 + {BLOCKS}, {TODAY}
    FROM generate_series(1, {MEMBERS}, 3) a, generate_series(30, 40) b;
    INSERT INTO discovery.member_blocks
    SELECT md5('member ' || a + b)::uuid, md5('member ' || a)::uuid, b < 50 + {BLOCKS}, {TODAY}
    FROM generate_series(1, {MEMBERS}, 3) a, generate_series(50, 60) b
    ON CONFLICT DO NOTHING;

    INSERT INTO discovery.discovery_batches
    SELECT md5('batch ' || m || ' ' || n)::uuid, md5('member ' || m)::uuid, 'partner',
        {TODAY} - interval '6 hours' * (n + 1), CASE WHEN n > 0 THEN {TODAY} - interval '6 hours' * n END
    FROM generate_series(1, {MEMBERS}, 10) m, generate_series(0, {HISTORY} - 1) n WHERE m = 1 OR n < 20;
    INSERT INTO discovery.discovery_cards (
        id, batch_id, position, shown_user_id, age_band, city, trust_level, hobbies, deleted_at, place_id)
    SELECT md5(b.id::text || position)::uuid, b.id, position,
        md5('member ' || 2 + (hashtext(b.id::text) & 65535) * position % ({MEMBERS} - 1))::uuid,
        '30_34', 'Lisbon', 2, '[]', b.deleted_at, CASE WHEN b.user_id = {EARLIER} THEN '' ELSE '{LISBON}' END
    FROM discovery.discovery_batches b, generate_series(1, 5) position
    ON CONFLICT DO NOTHING;
    INSERT INTO discovery.card_interests
    SELECT gen_random_uuid(), id, 1, true, NULL FROM discovery.discovery_cards WHERE position = 1;
    INSERT INTO discovery.kept_cards
    SELECT md5('kept ' || n)::uuid, md5('member ' || n)::uuid, md5('member ' || n + 1)::uuid, 1, '30_34', 'Lisbon',
        '{LISBON}', 2, '[]', {TODAY}
    FROM generate_series(1, {MEMBERS}) n;
    INSERT INTO discovery.partner_cards
    SELECT md5('connection ' || a || ' ' || b)::uuid, md5('member ' || a)::uuid, md5('member ' || a + b)::uuid, 1,
        b < 3, 1, '30_34', 'Lisbon', '{LISBON}', 2, '[]'
    FROM generate_series(1, {MEMBERS}, 3) a, generate_series(1, 20) b;
    ANALYZE;
"""


@dataclass
class Plan:
    """How Postgres ran a statement."""

    rows_read: dict[str, int]
    """How many rows of each table it looked at, with those that it then discarded."""
    read_whole: set[str]
    """Tables that it read completely."""
    indexes: set[str]


@pytest.fixture(scope="module")
async def populated(testbed: Testbed) -> AsyncIterator[str]:
    """A separate database with a history."""
    name = f"unora_plans_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    await testbed.clone(name)
    superuser = await asyncpg.connect(testbed.dsn(name))
    try:
        await superuser.execute(POPULATION)
    finally:
        await superuser.close()
    yield name
    admin = await asyncpg.connect(testbed.dsn("postgres"))
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture(params=["force_generic_plan", "force_custom_plan"])
async def db(testbed: Testbed, populated: str, request: pytest.FixtureRequest) -> AsyncIterator[Connection]:
    """A connection in the service's own role; its transaction is rolled back."""
    connection = await asyncpg.connect(testbed.dsn(populated, "unora_discovery"))
    await connection.execute(f"SET plan_cache_mode = {request.param}; SET jit = off")
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


@pytest.fixture
async def viewer(db: Connection) -> UUID:
    found: UUID = await db.fetchval(f"SELECT {VIEWER}")
    return found


@pytest.fixture
async def now(db: Connection) -> datetime:
    found: datetime = await db.fetchval(f"SELECT {TODAY}")
    return found


async def explain(db: Connection, sql: str, *arguments: object) -> Plan:
    """Runs a statement, and returns how Postgres ran it."""
    values = ", ".join([await db.fetchval("SELECT quote_nullable($1::text)", _text(each)) for each in arguments])
    await db.execute(f"PREPARE it AS {sql}")
    text: str = await db.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE it ({values})")
    await db.execute("DEALLOCATE it")
    plan = Plan({}, set(), set())
    for node in _nodes(json.loads(text)[0]["Plan"]):
        if "Index Name" in node:
            plan.indexes.add(node["Index Name"])
        if "Relation Name" in node and node["Actual Loops"] and "Scan" in node["Node Type"]:
            seen = sum(value for key, value in node.items() if key == "Actual Rows" or key.startswith("Rows Removed"))
            table = node["Relation Name"]
            plan.rows_read[table] = plan.rows_read.get(table, 0) + round(seen * node["Actual Loops"])
            if node["Node Type"] == "Seq Scan":
                plan.read_whole.add(table)
    return plan


def _text(argument: object) -> str | None:
    if isinstance(argument, list):
        return "{" + ",".join(f'"{each}"' for each in argument) + "}"
    return None if argument is None else str(argument)


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


async def test_the_history_is_long_enough_to_be_worth_an_index(db: Connection, now: datetime) -> None:
    """A control: a statement without an index reads everything."""
    batches_kept: int = await db.fetchval("SELECT count(*) FROM discovery.discovery_batches")
    assert batches_kept > 6000
    plan = await explain(db, "SELECT id FROM discovery.discovery_batches WHERE created_at = $1", now)
    assert plan.read_whole == {"discovery_batches"}
    assert plan.rows_read == {"discovery_batches": batches_kept}


@pytest.mark.parametrize("old", [False, True])
async def test_resolving_a_card_reads_one_card_and_one_batch(db: Connection, viewer: UUID, old: bool) -> None:
    card: UUID = await db.fetchval(
        """SELECT k.id FROM discovery.discovery_cards k JOIN discovery.discovery_batches b ON b.id = k.batch_id
        WHERE b.user_id = $1 AND b.deleted_at IS NULL LIMIT 1""",
        viewer,
    )
    plan = await explain(db, batches.GET_SHOWN_MEMBER, card, viewer, old, timedelta(days=90))
    assert not plan.read_whole
    assert plan.rows_read == {"discovery_cards": 1, "discovery_batches": 1}


async def test_the_screen_reads_one_batch_and_its_five_cards(db: Connection, viewer: UUID) -> None:
    """Locks, batch and cards are one statement."""
    plan = await explain(db, screens.SCREEN, viewer, "partner")
    assert plan.read_whole <= {"shift"}  # the movable clock's one row
    plan.rows_read.pop("shift", None)
    rows = {**LOCKS, "discovery_batches": 1, "discovery_cards": 5}
    rows["candidates"] += 5  # whether the texts of the members shown were judged anew (PR-10)
    rows["card_interests"] = 1  # one of the five has an interest (DI-16)
    assert plan.rows_read == rows


@pytest.mark.rule("DI-15")
async def test_the_cards_of_two_partners_read_them_and_no_ended_connection(db: Connection, viewer: UUID) -> None:
    plan = await explain(db, partners.LIST_CARDS, viewer)
    assert not plan.read_whole
    assert plan.rows_read["partner_cards"] == 2
    assert plan.rows_read["candidates"] <= 4


@pytest.mark.rule("DI-16")
async def test_what_was_dealt_is_read_by_the_ids_that_are_asked_for(db: Connection, viewer: UUID) -> None:
    cards: list[UUID] = await db.fetchval(
        """SELECT array_agg(k.id) FROM (
            SELECT k.id FROM discovery.discovery_cards k JOIN discovery.discovery_batches b ON b.id = k.batch_id
            WHERE b.user_id = $1 ORDER BY k.id LIMIT 50) AS k""",
        viewer,
    )
    kept: UUID = await db.fetchval("SELECT md5('kept 1')::uuid")
    connection: UUID = await db.fetchval("SELECT md5('connection 1 20')::uuid")
    plan = await explain(db, listed_cards.DEALT, viewer, [*cards, kept], [connection])
    assert not plan.read_whole
    read = {table: count for table, count in plan.rows_read.items() if table not in ("candidates", "discovery_batches")}
    assert read == {"discovery_cards": 50, "kept_cards": 1, "partner_cards": 1}
    assert plan.rows_read["discovery_batches"] <= HISTORY


async def test_for_cards_that_were_dealt_without_a_place_the_screen_reads_their_members_too(db: Connection) -> None:
    plan = await explain(db, screens.SCREEN, await db.fetchval(f"SELECT {EARLIER}"), "partner")
    assert plan.read_whole <= {"shift"}
    assert plan.rows_read["candidates"] == LOCKS["candidates"] + 5


@pytest.mark.parametrize(("server", "active"), [("partner", {"discovery_batches": 1}), ("friend", {})])
async def test_the_locks_read_three_rows_and_no_history(
    db: Connection, viewer: UUID, server: str, active: dict[str, int]
) -> None:
    plan = await explain(db, screens.VIEWER, viewer, server)
    assert plan.read_whole <= {"shift"}
    found = {table: count for table, count in plan.rows_read.items() if count and table != "shift"}
    assert found == {**LOCKS, **active}


async def test_the_lock_of_a_refresh_reads_one_timer(db: Connection, viewer: UUID) -> None:
    plan = await explain(db, members.LOCK, viewer)
    assert plan.rows_read["refresh_timers"] == 1
    assert plan.indexes == {"pk_refresh_timers"}


@pytest.mark.rule("DI-17")
async def test_the_search_reads_its_finalists_and_only_seven_days_of_history(
    db: Connection, viewer: UUID, now: datetime
) -> None:
    """Seven days at four batches a day, without the one that was replaced exactly then, and the active one."""
    week_ago, ranked, anyone = now - timedelta(days=7), list(range(100, 112)), list(range(200, 212))
    found: tuple[Any, ...] = (
        viewer,
        "partner",
        ["chess"],
        week_ago,
        now,
        1,
        2,
        3,
        5,
        ranked,
        anyone,
        [0.5] * search.MAX_WAITING,
        [],
    )
    plan = await explain(db, search.SEARCH, *found)
    cards: int = await db.fetchval(
        """SELECT count(*) FROM discovery.discovery_cards k JOIN discovery.discovery_batches b ON b.id = k.batch_id
        WHERE b.user_id = $1 AND (b.deleted_at IS NULL OR b.deleted_at > $2)""",
        *(viewer, now - timedelta(days=7)),
    )
    asked = len(ranked) + len(anyone) + ADMIRERS
    assert plan.rows_read["discovery_batches"] == 28
    assert plan.rows_read["discovery_cards"] == cards
    assert 100 < cards <= 140
    assert plan.rows_read.get("exclusions", 0) <= 5
    assert plan.rows_read["waiting_interests"] <= 2 * ADMIRERS
    assert plan.rows_read.get("member_blocks", 0) <= 11 + BLOCKS
    assert plan.rows_read["pool"] == asked
    assert plan.rows_read["candidates"] <= 1 + asked  # the viewer too
    assert plan.rows_read["filters"] <= 1 + asked  # each member must pass the other's (DI-12)
    assert plan.read_whole <= {"shift"}


@pytest.mark.rule("DI-17")
async def test_the_viewer_of_a_refresh_and_what_changed_since_are_read_by_indexes(db: Connection, viewer: UUID) -> None:
    snapshot: str = await db.fetchval("SELECT pg_current_snapshot()::text")
    plan = await explain(db, seekers.SEEKER, viewer, "partner", snapshot, 501)
    assert plan.read_whole <= {"shift"}
    found = {table: count for table, count in plan.rows_read.items() if count and table != "shift"}
    assert found == {**LOCKS, "discovery_batches": 1, "filters": 1, "pool": 1}


async def test_closing_a_batch_reads_it_and_none_of_its_cards(db: Connection, viewer: UUID, now: datetime) -> None:
    plan = await explain(db, batches.CLOSE, viewer, "partner", now)
    assert not plan.read_whole
    assert plan.rows_read == {"discovery_batches": 1}


async def test_a_purge_that_finds_nothing_reads_nothing(db: Connection) -> None:
    plan = await explain(db, batches.PURGE, timedelta(days=100_000), 500)
    assert not plan.read_whole
    assert set(plan.rows_read.values()) <= {0}


async def test_a_purge_reads_what_it_deletes(db: Connection) -> None:
    """Each batch is read once to find it and once to delete it, and its cards once."""
    oldest: datetime = await db.fetchval("SELECT min(deleted_at) FROM discovery.discovery_batches")
    age: timedelta = await db.fetchval("SELECT clock_timestamp() - $1::timestamptz", oldest)
    plan = await explain(db, batches.PURGE, age - timedelta(days=1), 3)
    assert not plan.read_whole
    looked = {table: plan.rows_read.pop(table, 0) for table in ("card_interests", "member_blocks")}
    assert plan.rows_read == {"discovery_batches": 3 + 3, "discovery_cards": 3 * 5}
    assert looked["card_interests"] == 3, "each card is asked for, and one of a batch has an interest"
