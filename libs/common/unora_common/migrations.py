"""Migrations: each context's alembic versions, run by its owner role, under an advisory lock and with time limits."""

from __future__ import annotations

import asyncio
import importlib
from enum import StrEnum
from functools import partial
from io import StringIO
from pathlib import Path
from typing import NamedTuple, TextIO

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from unora_common.concurrent_indexes import make_missing
from unora_common.erase_function import make_function
from unora_common.grants import apply_grants, declared_in

LOCK = 0x756E6F7261  # "unora" in ASCII: one migration at a time in the database
LIMITS = ("SET LOCAL lock_timeout = '10s'", "SET LOCAL statement_timeout = '300s'")
"""A migration that waits for a lock blocks all statements behind it, so it gives up soon."""


def tables_of(context: str) -> MetaData:
    """The SQLAlchemy tables of one context, from its `tables` module."""
    tables: MetaData = importlib.import_module(f"unora_{context}.tables").metadata
    return tables


def configured(context: str, output: TextIO | None = None) -> Config:
    """Alembic's configuration for one context."""
    package = Path(str(importlib.import_module(f"unora_{context}").__path__[0]))
    config = Config(output_buffer=output or StringIO(), stdout=StringIO())
    config.set_main_option("script_location", str(Path(__file__).parent / "alembic"))
    config.set_main_option("version_locations", str(package / "migrations"))
    config.set_main_option("path_separator", "newline")
    config.attributes["tables"] = tables_of(context)
    return config


class Outcome(StrEnum):
    """What a migration found and did."""

    MIGRATED = "migrated"
    UP_TO_DATE = "is up to date"
    NEWER = "the schema is taken for that of a later release, and stays as it is"


class Result(NamedTuple):
    """An outcome, and the revisions of the schema that this release does not know."""

    outcome: Outcome
    unknown: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.unknown:
            return self.outcome
        return f"has the revision {', '.join(self.unknown)}, which this release does not have: {self.outcome}"


def upgrade(context: str, dsn: str) -> Result:
    """Brings the schema of one context to its newest version, and what erases a member and the rights of its service to
    what is declared. A schema with a revision that this release does not have stays as it is, with the rights that a
    later release has given: so a roll-back may run its `migrate` as every rollout does.

    `dsn` is the owner role's, as postgresql://…. Safe to run from several places at once.
    """
    return asyncio.run(_upgrade(context, dsn))


async def _upgrade(context: str, dsn: str) -> Result:
    config = configured(context)
    # Connected by asyncpg itself: SQLAlchemy would not understand the settings of TLS in the address.
    connect = partial(asyncpg.connect, dsn)
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)

    def run(connection: Connection) -> Result:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        for limit in LIMITS:
            connection.execute(text(limit))
        current = MigrationContext.configure(connection, opts={"version_table_schema": context}).get_current_heads()
        versions = ScriptDirectory.from_config(config)
        if unknown := set(current) - {version.revision for version in versions.walk_revisions()}:
            return Result(Outcome.NEWER, tuple(sorted(unknown)))
        is_behind = set(current) != set(versions.get_heads())
        if is_behind:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        tables = tables_of(context)
        is_changed = make_function(connection, tables)
        is_changed = apply_grants(connection, context, declared_in(tables)) or is_changed or is_behind
        return Result(Outcome.MIGRATED if is_changed else Outcome.UP_TO_DATE)

    try:
        async with engine.begin() as connection:
            result = await connection.run_sync(run)
    finally:
        await engine.dispose()
    if result.outcome is Outcome.NEWER:
        return result
    beside = await connect()
    try:
        return Result(Outcome.MIGRATED) if await make_missing(beside, tables_of(context)) else result
    finally:
        await beside.close()


def sql(context: str) -> str:
    """The SQL that all versions of one context run, for the linter of migrations."""
    output = StringIO()
    command.upgrade(configured(context, output), "head", sql=True)
    return output.getvalue().replace("BEGIN;", "\n".join(["BEGIN;", *(f"{limit};" for limit in LIMITS)]), 1)
