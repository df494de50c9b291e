"""Indexes of tables that may be large. A migration would hold up all writes to the table while it reads it, so these
are made after it, beside the running service (CREATE INDEX CONCURRENTLY), which no transaction can do.

A table declares one with `info=MADE_CONCURRENTLY`; no version of the context makes it.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import asyncpg
from sqlalchemy import Index, MetaData
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

MADE_CONCURRENTLY: Final = {"made": "concurrently"}
TRY_LOCK: Final = "SELECT pg_try_advisory_lock(hashtext('unora indexes'))"
"""One process makes them. The others ask again and again: to wait inside of Postgres would hold up the one that makes
them, since that waits for all older transactions.
"""
POLL: Final = 0.2
"""Seconds until it is asked again."""
IS_VALID: Final = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)"


async def make_missing(connection: asyncpg.Connection[Any], tables: MetaData) -> bool:
    """Makes the declared indexes that are missing, and those anew whose making was interrupted. Returns whether there
    were any. The connection is the owner's, without a transaction. It may take minutes; it raises what asyncpg does,
    and goes on from there when it is called again.
    """
    declared = [each for table in tables.tables.values() for each in table.indexes if each.info == MADE_CONCURRENTLY]
    if not declared:
        return False
    await connection.execute("SET statement_timeout = 0; SET lock_timeout = 0")  # while it waits, nobody waits for it
    while not await connection.fetchval(TRY_LOCK):  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(POLL)
    made = [await _make(connection, index) for index in sorted(declared, key=lambda each: str(each.name))]
    return any(made)


async def _make(connection: asyncpg.Connection[Any], index: Index) -> bool:
    assert index.table is not None
    name = f"{index.table.schema}.{index.name}"
    valid = await connection.fetchval(IS_VALID, name)
    if valid:
        return False
    if valid is False:
        await connection.execute(f"DROP INDEX CONCURRENTLY {name}")
    await connection.execute(_sql(index))
    return True


def _sql(index: Index) -> str:
    sql = str(CreateIndex(index).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    return sql.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)
