"""Provisions a Postgres cluster for Unora: roles, schemas, and the one clock of the rules. Runs before migrations.

Each context has two roles: `unora_<context>_owner` migrates, `unora_<context>` runs with rights on its own schema only.
`python -m unora_common.provision` does it for all contexts, with the clock of production. It may run again.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import asyncpg

from unora_common.config import CONTEXTS, ConfigError, given

FIXED_CLOCK = """
CREATE OR REPLACE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL RESTRICTED
AS 'SELECT clock_timestamp()';
"""

# Only local and test runs can move the clock: production has no offset to set.
MOVABLE_CLOCK = """
CREATE TABLE IF NOT EXISTS clock.shift (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    ahead interval NOT NULL DEFAULT '0'
);
INSERT INTO clock.shift DEFAULT VALUES ON CONFLICT DO NOTHING;
GRANT SELECT ON clock.shift TO PUBLIC;
CREATE OR REPLACE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL RESTRICTED
AS 'SELECT clock_timestamp() + (SELECT ahead FROM clock.shift)';
"""

CLOCK = """
CREATE SCHEMA IF NOT EXISTS clock;
GRANT USAGE ON SCHEMA clock TO PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
{clock}
"""

# When Postgres refuses a statement, it would log the refused row, and with it a member's text.
QUIET = "ALTER ROLE \"{name}\" SET log_error_verbosity = 'terse'"

SCHEMA = """
GRANT "unora_{context}_owner" TO CURRENT_USER;
CREATE SCHEMA IF NOT EXISTS "{context}" AUTHORIZATION "unora_{context}_owner";
GRANT USAGE ON SCHEMA "{context}" TO "unora_{context}";
ALTER DEFAULT PRIVILEGES FOR ROLE "unora_{context}_owner" IN SCHEMA "{context}"
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "unora_{context}";
ALTER DEFAULT PRIVILEGES FOR ROLE "unora_{context}_owner" IN SCHEMA "{context}"
    GRANT USAGE ON SEQUENCES TO "unora_{context}";
"""


def role_names(contexts: Iterable[str] = CONTEXTS) -> list[str]:
    """Both roles of each context."""
    return [name for context in contexts for name in (f"unora_{context}", f"unora_{context}_owner")]


async def make_roles(dsn: str, passwords: Mapping[str, str]) -> None:
    """Creates a login role for each name in `passwords`, or sets the password of a role that exists."""
    connection = await asyncpg.connect(dsn)
    try:
        for name, password in passwords.items():
            found = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
            verb = "ALTER" if found else "CREATE"
            quoted = await connection.fetchval("SELECT quote_literal($1::text)", password)
            await connection.execute(f'{verb} ROLE "{name}" LOGIN PASSWORD {quoted}')
            await connection.execute(QUIET.format(name=name))
    finally:
        await connection.close()


async def make_schemas(dsn: str, contexts: Iterable[str], *, movable_clock: bool) -> None:
    """Creates the clock and the contexts' schemas, whose roles exist, in the database of `dsn`."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(CLOCK.format(clock=MOVABLE_CLOCK if movable_clock else FIXED_CLOCK))
        for context in contexts:
            await connection.execute(SCHEMA.format(context=context))
    finally:
        await connection.close()


async def prepare(dsn: str, roles: Mapping[str, str], *, movable_clock: bool) -> None:
    """Creates roles (name → password), and the schema of each context that they name, in the database of `dsn`.

    `dsn` is a superuser's. `movable_clock` gives the rule clock an offset, for local and test runs only.
    """
    await make_roles(dsn, roles)
    contexts = [context for context in CONTEXTS if f"unora_{context}" in roles]
    await make_schemas(dsn, contexts, movable_clock=movable_clock)


def read_passwords(folder: Path) -> dict[str, str]:
    """The passwords of all roles, each from the file of its name. Raises ConfigError if one is missing or empty."""
    found = {}
    for name in role_names():
        password = given("UNORA_PASSWORD", {"UNORA_PASSWORD_FILE": str(folder / name)})
        if not password:
            raise ConfigError(f"{folder / name} is empty")
        found[name] = password
    return found


def main(arguments: list[str] | None = None) -> int:
    """Provisions the database that UNORA_DATABASE_URL names; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m unora_common.provision",
        description="Creates the roles, schemas and the clock. UNORA_DATABASE_URL (or UNORA_DATABASE_URL_FILE) is a "
        "superuser's.",
    )
    parser.add_argument("passwords", type=Path, help="a folder with a file per role, unora_<context>[_owner]")
    options = parser.parse_args(arguments)
    try:
        dsn = given("UNORA_DATABASE_URL", os.environ)
        if not dsn:
            raise ConfigError("UNORA_DATABASE_URL is not set; it names a superuser")
        asyncio.run(prepare(dsn, read_passwords(options.passwords), movable_clock=False))
    except (ConfigError, OSError, asyncpg.PostgresError) as error:
        print(f"provision: {error}", file=sys.stderr)
        return 1
    print(f"provision: roles and schemas of {', '.join(CONTEXTS)} are there")
    return 0


if __name__ == "__main__":
    sys.exit(main())
