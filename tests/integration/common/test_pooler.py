"""A service works through a pooler that gives each transaction another session of Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from unora_common import provision
from unora_common.app import App
from unora_common.common_metrics import COMMON_METRICS
from unora_common.config import CONTEXTS
from unora_common.database import Database
from unora_common.metrics import Metrics
from unora_sdk.environment import ConfigError
from unora_testing import pgbouncer
from unora_testing.deadlines import TIMEOUTS, eventually
from unora_testing.pgbouncer import Pgbouncer
from unora_testing.testbed import Testbed
from unora_testing.world import World

ROLE = "unora_streak"
TERMINATE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1 AND datname = current_database()"""


@pytest.fixture(scope="module")
async def pooler(world: World, testbed: Testbed) -> AsyncIterator[str]:
    """The address of the world's database through a pooler, for streak's role."""
    if pgbouncer.binary() is None:
        pytest.skip(pgbouncer.ABSENT)
    passwords = dict.fromkeys(provision.role_names(CONTEXTS), testbed.secret)
    made = Pgbouncer(Path(testbed.folder) / "test_pooler", to=testbed.postgres.rpartition("@")[2], passwords=passwords)
    try:
        await made.start()
        yield f"postgresql://{ROLE}:{testbed.secret}@{made.address}/{world.database}"
    finally:
        await made.stop()
        made.erase()


async def opened(address: str, *, is_pooler: bool) -> Database:
    return await Database.open(
        address,
        "streak",
        connections=10,
        kept=0,
        timeouts=TIMEOUTS,
        wake=lambda: None,
        metrics=Metrics(COMMON_METRICS),
        is_pooler=is_pooler,
    )


async def session_of(database: Database, number: int) -> tuple[int, int]:
    """The server's process that ran a transaction, and what the transaction read of its own argument."""
    async with database.transaction() as tx:
        await tx.value("SELECT pg_sleep(0.01)")
        backend = await tx.value("SELECT pg_backend_pid()")
        return backend, await tx.value("SELECT $1::int", number)


async def test_many_connections_share_few_sessions(pooler: str) -> None:
    database = await opened(pooler, is_pooler=True)
    try:
        found = await asyncio.gather(*(session_of(database, number) for number in range(60)))
        assert [number for _, number in found] == list(range(60))
        assert len({backend for backend, _ in found}) <= pgbouncer.SESSIONS
    finally:
        await database.close()


async def test_single_reads_and_many_rows_work_too(pooler: str) -> None:
    database = await opened(pooler, is_pooler=True)
    try:

        async def read(number: int) -> int:
            async with database.session() as session:
                value: int = await session.value("SELECT $1::int", number)
                return value

        assert await asyncio.gather(*(read(number) for number in range(60))) == list(range(60))
        rows = [(f"test {number}",) for number in range(5)]
        async with database.transaction() as tx:
            sql = "INSERT INTO streak.inbox (consumer, event_id) VALUES ($1, gen_random_uuid())"
            await tx.run_many(sql, rows)
            tx.defer(sql, "test 5")
        async with database.session() as session:
            assert await session.value("SELECT count(*) FROM streak.inbox WHERE consumer LIKE 'test %'") == 6
    finally:
        await database.close()


async def test_the_limits_are_those_of_the_role(pooler: str) -> None:
    """A pooler refuses or ignores what a connection asks for itself."""
    database = await opened(pooler, is_pooler=True)
    try:
        async with database.session() as session:
            limits = provision.SETTINGS | provision.ROLE_LIMITS
            names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "jit")
            found = {name: await session.value("SELECT current_setting($1)", name) for name in names}
        assert {name: _seconds(value) for name, value in found.items()} == {
            name: _seconds(limits[name]) for name in names
        }
    finally:
        await database.close()


def _seconds(setting: str) -> str:
    return "60s" if setting == "1min" else setting


async def test_a_session_of_a_server_that_is_no_longer_the_primary_is_given_to_nobody_else(
    world: World, pooler: str
) -> None:
    database = await opened(pooler, is_pooler=True)
    read_only = f'ALTER ROLE {ROLE} IN DATABASE "{world.database}"'
    insert = "INSERT INTO streak.inbox (consumer, event_id) VALUES ('a server', gen_random_uuid())"
    try:
        await world.superuser.execute(f"{read_only} SET default_transaction_read_only = on")
        await world.superuser.execute(TERMINATE, ROLE)

        async def is_refused() -> bool:
            try:
                async with database.transaction() as tx:
                    await tx.run(insert)
            except asyncpg.ReadOnlySQLTransactionError:
                return True
            except asyncpg.PostgresError:  # the pooler does not know yet that the session has ended
                return False
            raise AssertionError("a server that only reads took a write")

        await eventually(is_refused, "a new session, which only reads")
        await world.superuser.execute(f"{read_only} RESET default_transaction_read_only")
        async with database.transaction() as tx:
            await tx.run(insert)
    finally:
        await world.superuser.execute(f"{read_only} RESET default_transaction_read_only")
        await database.close()


async def test_without_the_setting_the_pooler_refuses_the_connection(pooler: str) -> None:
    database = await opened(pooler, is_pooler=False)
    try:
        with pytest.raises(asyncpg.PostgresError, match="unsupported startup parameter"):
            await database.check()
    finally:
        await database.close()


async def test_an_address_past_the_pooler_is_held_to_the_same_rules(world: World) -> None:
    app = world.apps["streak"]
    config = world.config(
        app.service, app.config.peers, direct_database_url="postgresql://unora_streak:secret@elsewhere/unora"
    )
    other = App(app.service, config, TIMEOUTS)
    try:
        with pytest.raises(ConfigError, match="UNORA_DIRECT_DATABASE_URL leads to elsewhere without TLS"):
            await other.open()
    finally:
        await other.close()


async def test_a_relay_leads_past_the_pooler(world: World, pooler: str) -> None:
    """Its lock belongs to a session, which it keeps: a pooler would give that session to others."""
    app = world.apps["streak"]
    assert await app.relay.step() == 0
    await app.relay.close()
    config = world.config(
        app.service,
        app.config.peers,
        database_url=pooler,
        direct_database_url=world.testbed.dsn(world.database, ROLE),
    )
    other = App(app.service, config, TIMEOUTS)
    try:
        await other.open()
        async with asyncio.timeout(TIMEOUTS.command):
            while not other.relay.wake():
                await other.relay.step()
        held = await world.superuser.fetchval(
            """SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE l.locktype = 'advisory' AND a.datname = current_database() AND a.usename = $1""",
            ROLE,
        )
        assert held == "unora_streak_relay"
    finally:
        await other.close()
