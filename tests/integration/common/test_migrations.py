"""Migrations equal the tables, can run from several places at once, and are safe while a service runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from unora_common import migrations, provision
from unora_common.config import CONTEXTS
from unora_common.migrations import Outcome, Result
from unora_testing.deadlines import eventually, within
from unora_testing.testbed import Testbed

ROOT = Path(__file__).parents[3]
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")

# A number as a default is the same with and without quotes. NOT NULL is compared with the columns, not as a constraint.
# Triggers are not declared in the tables. A check in the place of a narrower one is not validated: no row has to be
# scanned.
CATALOG = {
    "columns": r"""
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
               regexp_replace(pg_get_expr(d.adbin, d.adrelid), '^''(\d+)''::\w+$', '\1'),
               a.attcollation::regcollation::text
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE {here} AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped""",
    "constraints": """
        SELECT c.relname, k.conname, k.contype, replace(pg_get_constraintdef(k.oid), ' NOT VALID', ''), k.condeferrable,
            k.condeferred
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE {here} AND k.contype NOT IN ('n', 't')""",
    "indexes": """
        SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        WHERE {here}""",
    "tables": """
        SELECT c.relname, c.relkind, pg_get_partkeydef(c.oid), obj_description(c.oid, 'pg_class')
        FROM pg_class c WHERE {here} AND c.relkind IN ('r', 'p')""",
}
HERE = "c.relnamespace = $1::text::regnamespace AND NOT c.relispartition AND c.relname <> 'alembic_version'"


@pytest.fixture(scope="module")
async def database(testbed: Testbed) -> AsyncIterator[str]:
    """A database with schemas, roles and the clock, but without tables."""
    name = f"unora_tables_{WORKER}"
    admin = await asyncpg.connect(testbed.dsn("postgres"))
    await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await admin.execute(f"CREATE DATABASE {name}")
    await provision.make_schemas(testbed.dsn(name), CONTEXTS, movable_clock=False)
    yield name
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture(scope="module")
async def migrated(testbed: Testbed) -> AsyncIterator[str]:
    """A copy of the database that the migrations of this run created."""
    name = f"unora_migrated_{WORKER}"
    await testbed.clone(name)
    yield name
    admin = await asyncpg.connect(testbed.dsn("postgres"))
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def catalog(dsn: str, schema: str) -> dict[str, list[str]]:
    """What the catalog of Postgres holds of a schema, by kind, sorted."""
    connection = await asyncpg.connect(dsn)
    try:
        found = {}
        for kind, sql in CATALOG.items():
            rows = await connection.fetch(sql.format(here=HERE), schema)
            found[kind] = sorted(" | ".join(str(value) for value in row) for row in rows)
        return found
    finally:
        await connection.close()


@pytest.mark.parametrize("context", CONTEXTS)
async def test_the_migrations_create_what_the_tables_declare(
    testbed: Testbed, database: str, migrated: str, context: str
) -> None:
    owner = testbed.dsn(database, f"unora_{context}_owner").replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(owner, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(migrations.tables_of(context).create_all)
    await engine.dispose()
    by_tables = await catalog(testbed.dsn(database), context)
    by_migrations = await catalog(testbed.dsn(migrated), context)
    assert by_tables["columns"]
    for kind in CATALOG:
        assert by_migrations[kind] == by_tables[kind], kind


async def test_the_comparison_sees_a_difference(testbed: Testbed, migrated: str) -> None:
    """The control of the test above: a default, a check and an index that only one side has."""
    before = await catalog(testbed.dsn(migrated), "streak")
    connection = await asyncpg.connect(testbed.dsn(migrated))
    await connection.execute("ALTER TABLE streak.streaks ALTER cycle SET DEFAULT 1, ADD CHECK (cycle > 0)")
    await connection.execute("CREATE INDEX ON streak.streaks (zone); COMMENT ON TABLE streak.inbox IS 'x'")
    after = await catalog(testbed.dsn(migrated), "streak")
    await connection.execute("ALTER TABLE streak.streaks ALTER cycle DROP DEFAULT, DROP CONSTRAINT streaks_cycle_check")
    await connection.execute("DROP INDEX streak.streaks_zone_idx")
    await connection.close()
    assert all(after[kind] != before[kind] for kind in CATALOG)


@pytest.mark.parametrize("context", CONTEXTS)
async def test_migrating_again_does_nothing(testbed: Testbed, migrated: str, context: str) -> None:
    owner = testbed.dsn(migrated, f"unora_{context}_owner")
    assert await asyncio.to_thread(migrations.upgrade, context, owner) == Result(Outcome.UP_TO_DATE)


async def test_the_schema_of_a_later_release_stays_as_it_is(testbed: Testbed, migrated: str) -> None:
    """A release that is rolled back to runs its `migrate` too. Rights that the later one has given must stay."""
    admin = await asyncpg.connect(testbed.dsn(migrated))
    owner = testbed.dsn(migrated, "unora_reveal_owner")
    try:
        await admin.execute("CREATE TABLE reveal.later (); GRANT SELECT ON reveal.later TO unora_reveal")
        version = await admin.fetchval("UPDATE reveal.alembic_version SET version_num = '9999' RETURNING version_num")
        result = await asyncio.to_thread(migrations.upgrade, "reveal", owner)
        assert result == Result(Outcome.NEWER, ("9999",))
        assert str(result).startswith("has the revision 9999, which this release does not have")
        assert await admin.fetchval("SELECT version_num FROM reveal.alembic_version") == version
        assert await admin.fetchval("SELECT has_table_privilege('unora_reveal', 'reveal.later', 'SELECT')")
    finally:
        await admin.execute("DROP TABLE reveal.later")
        heads = ScriptDirectory.from_config(migrations.configured("reveal")).get_heads()
        await admin.execute("UPDATE reveal.alembic_version SET version_num = $1", *heads)
        await admin.close()


async def test_a_large_table_is_written_to_while_its_new_index_is_made(testbed: Testbed, migrated: str) -> None:
    """The index waits for transactions in progress; those that come after do not wait for the index."""
    admin, writer = [await asyncpg.connect(testbed.dsn(migrated)) for _ in range(2)]
    owner = testbed.dsn(migrated, "unora_billing_owner")
    write = "LOCK TABLE billing.payments IN ROW EXCLUSIVE MODE"
    try:
        await admin.execute("DROP INDEX billing.ix_payments_unsettled; SET lock_timeout = '10s'")
        async with writer.transaction():
            await writer.execute(write)
            making = asyncio.ensure_future(asyncio.to_thread(migrations.upgrade, "billing", owner))
            waits = """SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND query LIKE 'CREATE INDEX%' AND wait_event_type = 'Lock'"""
            await eventually(lambda: admin.fetchval(waits), "the index waits for the writer")
            async with admin.transaction():
                await admin.execute(write)
        assert (await within(making)).outcome is Outcome.MIGRATED
        valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'billing.ix_payments_unsettled'::regclass"
        assert await admin.fetchval(valid)
        await admin.execute(f"UPDATE pg_index SET indisvalid = false {valid[valid.index('WHERE') :]}")
        assert (await asyncio.to_thread(migrations.upgrade, "billing", owner)).outcome is Outcome.MIGRATED
        assert await admin.fetchval(valid), "one whose making was interrupted is made anew"
        assert (await asyncio.to_thread(migrations.upgrade, "billing", owner)).outcome is Outcome.UP_TO_DATE
    finally:
        await admin.close()
        await writer.close()


async def test_of_several_migrations_at_once_one_does_the_work(testbed: Testbed) -> None:
    name = f"unora_race_{WORKER}"
    admin = await asyncpg.connect(testbed.dsn("postgres"))
    await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        await provision.make_schemas(testbed.dsn(name), ["streak"], movable_clock=False)
        owner = testbed.dsn(name, "unora_streak_owner")
        done = await asyncio.gather(*(asyncio.to_thread(migrations.upgrade, "streak", owner) for _ in range(4)))
        assert sorted(each.outcome for each in done) == [Outcome.UP_TO_DATE] * 3 + [Outcome.MIGRATED]
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


def test_every_context_that_has_a_package_is_tested_here() -> None:
    packages = {path.name for path in (ROOT / "services").iterdir() if (path / f"unora_{path.name}").is_dir()}
    assert packages == set(CONTEXTS)
    assert all(find_spec(f"unora_{context}.tables") for context in CONTEXTS)


# Roles


async def _refused(connection: Any, statement: str) -> bool:
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return True
    return False


@pytest.mark.rule("XX-03")
@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("suffix", ["", "_owner"])
async def test_a_role_can_touch_only_the_schema_of_its_context(
    testbed: Testbed, migrated: str, context: str, suffix: str
) -> None:
    connection = await asyncpg.connect(testbed.dsn(migrated, f"unora_{context}{suffix}"))
    try:
        await connection.execute(f"SELECT FROM {context}.outbox; SELECT clock.now()")
        others = [other for other in CONTEXTS if other != context]
        for other in others:
            for statement in (
                f"SELECT FROM {other}.outbox",
                f"INSERT INTO {other}.inbox (consumer, event_id) VALUES ('x', gen_random_uuid())",
                f"CREATE TABLE {other}.mine ()",
                f"SET ROLE unora_{other}",
                f"SET ROLE unora_{other}_owner",
            ):
                assert await _refused(connection, statement), statement
        for statement in (
            "CREATE TABLE public.mine ()",
            "CREATE SCHEMA mine",
            "CREATE TABLE clock.mine ()",
            "UPDATE clock.shift SET ahead = '1 day'",
            "CREATE OR REPLACE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'",
            "CREATE ROLE mine",
            "CREATE DATABASE mine",
            "SELECT pg_read_file('PG_VERSION')",
        ):
            assert await _refused(connection, statement), statement
    finally:
        await connection.close()


@pytest.mark.parametrize("context", CONTEXTS)
async def test_a_service_cannot_change_its_tables(testbed: Testbed, migrated: str, context: str) -> None:
    connection = await asyncpg.connect(testbed.dsn(migrated, f"unora_{context}"))
    try:
        for statement in (
            f"CREATE TABLE {context}.mine ()",
            f"ALTER TABLE {context}.outbox ADD COLUMN mine int",
            f"DROP TABLE {context}.inbox",
            f"TRUNCATE {context}.outbox",
            f"CREATE INDEX ON {context}.outbox (trace)",
            f"UPDATE {context}.alembic_version SET version_num = '0'",
            f"DELETE FROM {context}.alembic_version",
            f"SET ROLE unora_{context}_owner",
        ):
            assert await _refused(connection, statement), statement
    finally:
        await connection.close()


async def test_production_has_no_clock_to_move(testbed: Testbed, database: str) -> None:
    connection = await asyncpg.connect(testbed.dsn(database))
    assert await connection.fetchval("SELECT to_regclass('clock.shift')") is None
    assert await connection.fetchval("SELECT abs(extract(epoch FROM clock.now() - clock_timestamp())) < 1")
    await connection.close()
