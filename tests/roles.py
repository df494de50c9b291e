"""Direct SQL in the role of a context, to test what the database itself refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

import asyncpg
from unora_testing.world import World

Role: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
LOST: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""Errors of a statement whose connection Postgres has ended; InternalClientError if only the notice has come so far."""


@asynccontextmanager
async def role_of(world: World, name: str) -> AsyncIterator[Role]:
    """A connection in the role of a context, or in its owner's (`streak_owner`); what it does is committed."""
    connection = await asyncpg.connect(world.testbed.dsn(world.database, f"unora_{name}"))
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def undone(world: World, context: str) -> AsyncIterator[Role]:
    """The role of a context, in a transaction that is rolled back."""
    async with role_of(world, context) as role:
        transaction = role.transaction()
        await transaction.start()
        yield role
        await transaction.rollback()


@asynccontextmanager
async def without_triggers(superuser: Role) -> AsyncIterator[Role]:
    """A superuser's transaction in which no trigger runs and no foreign key is looked at: for rows as nothing makes
    them any more. Also if it fails, they are looked at again afterwards.
    """
    async with superuser.transaction():
        await superuser.execute("SET LOCAL session_replication_role = replica")
        yield superuser


async def refused(role: Role, sql: str, *arguments: object) -> str:
    """Runs a statement that the schema must refuse, at once or at the commit; returns the constraint that did."""
    try:
        async with role.transaction():
            status = await role.execute(sql, *arguments)
            await role.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except asyncpg.IntegrityConstraintViolationError as error:
        return str(error.constraint_name)
    raise AssertionError(f"the database allowed it: {status}")


WAITS_HERE: Final = "NOT granted AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
"""Of pg_locks, which shows those of all databases: other workers of the run have theirs, with the same oids."""


async def waits_for_a_lock(world: World, context: str, work: asyncio.Future[Any]) -> None:
    """Return when a statement of the context waits for a lock; `work`, which sends it, must not finish before."""
    while not await world.superuser_of(context).fetchval(
        """SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE NOT l.granted AND a.application_name = $1 AND a.datname = current_database()""",
        f"unora_{context}",
    ):
        assert not work.done()
