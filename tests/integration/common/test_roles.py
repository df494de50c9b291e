"""What the roles of Postgres may do: what their context declares and needs, and nothing else."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import TypeAlias

import asyncpg
import pytest
from unora_common import migrations, provision
from unora_common.config import CONTEXTS
from unora_common.grants import TABLES_WITHOUT_RIGHTS, GrantsError, declared_in, parse
from unora_common.migrations import Outcome, Result
from unora_common.tables import RIGHTS
from unora_testing.testbed import Testbed

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
Sql: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

# Of each table of a schema: what the role may do with it, and with which columns only.
ACTUAL = """
    SELECT c.relname, c.relispartition, p.privilege,
        CASE WHEN has_table_privilege($2::text, c.oid, p.privilege) THEN ''
             ELSE a.attname END AS column_name
    FROM pg_class c
    CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) AS p (privilege)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND has_column_privilege($2::text, c.oid, a.attnum, p.privilege)
    UNION
    SELECT c.relname, c.relispartition, p.privilege, ''
    FROM pg_class c CROSS JOIN unnest(ARRAY['DELETE', 'TRUNCATE', 'TRIGGER']) AS p (privilege)
    WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND has_table_privilege($2::text, c.oid, p.privilege)"""
TABLES = """
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"""

APPEND_ONLY = {
    "safety": ("audit_logs", "audit_index", "reports", "appeals"),
    "billing": ("credits",),
    "matching": ("interest_wipes",),
    "streak": ("check_ins", "nudges", "recovery_payments"),
    "reveal": ("purchases",),
}
"""Tables that record what happened."""
NEVER_DELETED = {
    "safety": ("blocks", "blocked_pairs", "cases", "safety_flags", "restrictions", "audit_chain_heads"),
    "billing": ("accounts", "payments", "subscriptions", "credit_protections"),
    "identity": ("users", "profiles", "disclosures", "verification_signals", "gov_id_checks"),
    "matching": ("connections", "inventory", "blocked_pairs"),
    "streak": ("streaks", "breaks"),
    "reveal": ("reveals", "reveal_contents", "pairs"),
}


@pytest.fixture(scope="module")
async def database(testbed: Testbed) -> AsyncIterator[str]:
    """A copy of the database that this run provisioned and migrated, closed as `provision` closes it."""
    name = f"unora_roles_{WORKER}"
    await testbed.clone(name)
    await provision.make_schemas(testbed.dsn(name), CONTEXTS, movable_clock=True)
    yield name
    admin = await asyncpg.connect(testbed.dsn("postgres"))
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def superuser(testbed: Testbed, database: str) -> AsyncIterator[Sql]:
    connection = await asyncpg.connect(testbed.dsn(database))
    yield connection
    await connection.close()


async def held(superuser: Sql, context: str) -> dict[str, set[tuple[str, str]]]:
    """By table, what the role of the service may really do."""
    found: dict[str, set[tuple[str, str]]] = {row[0]: set() for row in await superuser.fetch(TABLES, context)}
    for table, _, privilege, column in await superuser.fetch(ACTUAL, context, f"unora_{context}"):
        found[table].add((privilege, column))
    return found


@pytest.mark.rule("XX-03")
@pytest.mark.parametrize("context", CONTEXTS)
async def test_a_service_may_do_with_each_table_what_is_declared_and_nothing_else(superuser: Sql, context: str) -> None:
    grants = declared_in(migrations.tables_of(context))
    partitions = {
        row[0]
        for row in await superuser.fetch(
            "SELECT relname FROM pg_class WHERE relispartition AND relnamespace = $1::text::regnamespace", context
        )
    }
    actual = await held(superuser, context)
    assert {table for table, rights in actual.items() if rights} == set(grants.tables), (
        "each table says by service_may what the service may do with it"
    )
    for table, rights in actual.items():
        declared = set() if table in partitions or table in TABLES_WITHOUT_RIGHTS else parse(grants.tables[table])
        assert rights == declared, table


@pytest.mark.rule("XX-03")
@pytest.mark.parametrize("context", CONTEXTS)
async def test_what_happened_can_neither_be_changed_nor_removed(superuser: Sql, context: str) -> None:
    actual = await held(superuser, context)
    for table in APPEND_ONLY.get(context, ()):
        assert {privilege for privilege, _ in actual[table]} <= {"SELECT", "INSERT"}, table
    for table in NEVER_DELETED.get(context, ()):
        assert "DELETE" not in {privilege for privilege, _ in actual[table]}, table
    assert {column for privilege, column in actual["outbox"] if privilege == "UPDATE"} == {"published_at"}


PURGED = {
    "INSERT INTO billing.provider_events (event_id, kind, outcome, received_at)"
    " VALUES ('young', 'kind', 'applied', clock_timestamp() - interval '29 days'),"
    " ('old', 'kind', 'applied', clock_timestamp() - interval '31 days')": "billing.provider_events",
    "INSERT INTO matching.interests"
    " (id, sender_id, receiver_id, server_type, card_id, interest_status, shown_as, sent_at, closed_at, version)"
    " SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'partner', gen_random_uuid(), status, status,"
    " at, at, 2"
    " FROM (VALUES ('expired', clock_timestamp() - interval '29 days'),"
    " ('expired', clock_timestamp() - interval '31 days')) AS made (status, at)": "matching.interests",
}


@pytest.mark.rule("XX-03")
@pytest.mark.parametrize("insert", PURGED, ids=PURGED.values())
async def test_what_is_purged_one_day_cannot_be_removed_before(superuser: Sql, insert: str) -> None:
    table = PURGED[insert]
    time = "received_at" if table == "billing.provider_events" else "closed_at"
    transaction = superuser.transaction()
    await transaction.start()
    try:
        await superuser.execute("SET LOCAL session_replication_role = replica")
        await superuser.execute(insert)
        await superuser.execute("SET LOCAL session_replication_role = origin")
        old = f"DELETE FROM {table} WHERE {time} < clock_timestamp() - interval '30 days'"
        assert await superuser.execute(old) == "DELETE 1"
        with pytest.raises(asyncpg.CheckViolationError):
            await superuser.execute(f"DELETE FROM {table}")
    finally:
        await transaction.rollback()


@pytest.mark.parametrize("context", CONTEXTS)
async def test_a_service_may_call_only_the_functions_that_are_declared(superuser: Sql, context: str) -> None:
    callable_by = await superuser.fetch(
        """SELECT p.proname FROM pg_proc p
           WHERE p.pronamespace = $1::text::regnamespace AND has_function_privilege($2::text, p.oid, 'EXECUTE')""",
        context,
        f"unora_{context}",
    )
    assert {row[0] for row in callable_by} == set(declared_in(migrations.tables_of(context)).functions)
    sequences = "SELECT c.oid FROM pg_class c WHERE c.relkind = 'S' AND c.relnamespace = $1::text::regnamespace"
    for (sequence,) in await superuser.fetch(sequences, context):
        right = "SELECT has_sequence_privilege($1::text, $2::oid, 'USAGE, SELECT, UPDATE')"
        assert not await superuser.fetchval(right, f"unora_{context}", sequence)


@pytest.mark.rule("XX-02")
@pytest.mark.parametrize("context", CONTEXTS)
async def test_an_event_that_was_not_published_cannot_be_deleted_or_rewritten(
    testbed: Testbed, database: str, context: str
) -> None:
    async with asyncpg.create_pool(testbed.dsn(database, f"unora_{context}"), min_size=1, max_size=1) as pool:
        insert = f"""
            INSERT INTO {context}.outbox (id, aggregate_id, aggregate_version, subject, payload, occurred_at, trace)
            VALUES (gen_random_uuid(), gen_random_uuid(), 1, 'unora.x.v1.y', '', now(), '') RETURNING id"""
        event = await pool.fetchval(insert)
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await pool.execute(f"DELETE FROM {context}.outbox WHERE id = $1", event)
        assert refused.value.constraint_name == "outbox_published"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(f"UPDATE {context}.outbox SET payload = 'x' WHERE id = $1", event)
        await pool.execute(f"UPDATE {context}.outbox SET published_at = now() WHERE id = $1", event)
        assert await pool.execute(f"DELETE FROM {context}.outbox WHERE id = $1", event) == "DELETE 1"


@pytest.mark.rule("XX-03")
@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("suffix", ["", "_owner"])
async def test_a_role_has_no_storage_besides_its_schema(
    testbed: Testbed, database: str, context: str, suffix: str
) -> None:
    connection = await asyncpg.connect(testbed.dsn(database, f"unora_{context}{suffix}"))
    try:
        for statement in (
            "CREATE TEMP TABLE mine ()",
            "CREATE TABLE public.mine ()",
            "SELECT lo_create(0)",
            "SELECT lo_creat(-1)",
            "SELECT lo_from_bytea(0, 'x')",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.rule("XX-03")
@pytest.mark.parametrize("other", ["postgres", "template1"])
async def test_a_role_enters_no_other_database(testbed: Testbed, database: str, other: str) -> None:
    for role in provision.role_names():
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
            await asyncpg.connect(testbed.dsn(other, role))


async def test_each_role_has_limits_and_no_rights_beyond_its_schema(superuser: Sql) -> None:
    rows = await superuser.fetch(
        """SELECT r.*, s.setconfig FROM pg_roles r JOIN pg_db_role_setting s ON s.setrole = r.oid AND s.setdatabase = 0
           WHERE rolname = ANY($1::text[])""",
        provision.role_names(),
    )
    assert {row["rolname"] for row in rows} == set(provision.role_names())
    for row in rows:
        attributes = ("rolsuper", "rolcreatedb", "rolcreaterole", "rolreplication", "rolbypassrls")
        assert not any(row[each] for each in attributes), row["rolname"]
        is_owner = row["rolname"].endswith("_owner")
        assert row["rolconnlimit"] == (provision.OWNER_CONNECTIONS if is_owner else provision.CONNECTIONS)
        settings = dict(each.split("=", 1) for each in row["setconfig"])
        assert settings["statement_timeout"] == ("300s" if is_owner else "15s")
        assert settings["lock_timeout"] == "10s"
        assert settings["idle_in_transaction_session_timeout"] == "60s"
        assert settings["jit"] == "off"


async def test_a_database_of_an_earlier_version_gets_there_when_it_is_provisioned_and_migrated_again(
    testbed: Testbed, database: str, superuser: Sql
) -> None:
    await superuser.execute(f"""
        GRANT ALL ON DATABASE {database} TO PUBLIC;
        GRANT ALL ON ALL TABLES IN SCHEMA safety TO unora_safety;
        GRANT ALL ON ALL SEQUENCES IN SCHEMA safety TO unora_safety;
        GRANT UPDATE (payload) ON safety.audit_logs TO PUBLIC;
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA safety TO PUBLIC;
        GRANT CREATE ON SCHEMA safety TO unora_safety""")
    await provision.make_schemas(testbed.dsn(database), ["safety"], movable_clock=True)
    owner = testbed.dsn(database, "unora_safety_owner")
    assert await asyncio.to_thread(migrations.upgrade, "safety", owner) == Result(Outcome.MIGRATED)
    assert await asyncio.to_thread(migrations.upgrade, "safety", owner) == Result(Outcome.UP_TO_DATE)
    await test_a_service_may_do_with_each_table_what_is_declared_and_nothing_else(superuser, "safety")
    await test_a_service_may_call_only_the_functions_that_are_declared(superuser, "safety")
    await test_a_role_has_no_storage_besides_its_schema(testbed, database, "safety", "")
    assert not await superuser.fetchval("SELECT has_schema_privilege('unora_safety', 'safety', 'CREATE')")


async def test_a_role_that_was_given_too_much_loses_it(testbed: Testbed, superuser: Sql) -> None:
    name = f"unora_given_{WORKER}"
    await superuser.execute(f"DROP ROLE IF EXISTS {name}; CREATE ROLE {name} CREATEDB CREATEROLE IN ROLE pg_monitor")
    try:
        await provision.make_roles(testbed.dsn("postgres"), {name: "secret"}, connections=7)
        row = await superuser.fetchrow("SELECT * FROM pg_roles WHERE rolname = $1", name)
        assert row is not None
        assert (row["rolcreatedb"], row["rolcreaterole"], row["rolconnlimit"]) == (False, False, 7)
        assert not await superuser.fetchval("SELECT pg_has_role($1::text, 'pg_monitor', 'MEMBER')", name)
    finally:
        await superuser.execute(f"DROP ROLE {name}")


async def test_a_table_without_a_declaration_ends_the_migration_with_its_name(
    testbed: Testbed, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(migrations.tables_of("streak").tables["streak.check_ins"].info, RIGHTS)
    with pytest.raises(GrantsError, match="with check_ins"):
        await asyncio.to_thread(migrations.upgrade, "streak", testbed.dsn(database, "unora_streak_owner"))


@pytest.mark.parametrize("declared", ["select, truncate", "references", "trigger", "all"])
def test_nobody_declares_what_only_an_owner_needs(declared: str) -> None:
    with pytest.raises(GrantsError, match="has no use for"):
        parse(declared)
