"""Provisions a Postgres cluster for Unora: roles, schemas, and the one clock of the rules. Runs before migrations.

Each context has two roles: `unora_<context>_owner` migrates, `unora_<context>` runs with rights on its own schema only;
its tables say which. `python -m unora_common.provision` does it for all contexts, with the clock of production. It
may run again, and takes from a database that an earlier version made what that left open.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import asyncpg
from unora_sdk.environment import ConfigError, given

from unora_common import database_url
from unora_common.config import CONTEXTS

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

# What Postgres lets everybody do unless it is told otherwise. Large objects would be storage that no schema bounds.
CLOSED_DATABASE = """
REVOKE ALL ON DATABASE "{database}" FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC;
"""
CLOSED_ELSEWHERE = """
    SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', d.datname) FROM pg_database d
    WHERE d.datname IN ('postgres', 'template1') AND d.datname <> current_database()
    AND EXISTS (SELECT FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a WHERE a.grantee = 0)"""

# Each is a default of the session: a process sets its own, which may be longer, and so do migrations.
OWNER_LIMITS: Final = {"statement_timeout": "300s", "lock_timeout": "10s"}
ROLE_LIMITS: Final = {"statement_timeout": "15s", "lock_timeout": "10s"}
SETTINGS: Final = {
    "idle_in_transaction_session_timeout": "60s",
    # When Postgres refuses a statement, it would log the refused row, and with it a member's text.
    "log_error_verbosity": "terse",
    # Statements are short, so compiling them costs more than it saves. A process sets this too, but cannot through a
    # pooler.
    "jit": "off",
}
CONNECTIONS: Final = 160
"""The most of the role of a service, unless it is told: ten processes that serve and three that work, with ten
connections each, three relays, and one more of both while a new version is rolled out.
"""
OWNER_CONNECTIONS: Final = 10
EXTRA_RIGHTS = """
    SELECT FROM pg_roles WHERE rolname = $1
    AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)"""
MEMBERSHIPS = """
    SELECT format('REVOKE %I FROM %I', r.rolname, $1::text) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
    WHERE m.member = (SELECT oid FROM pg_roles WHERE rolname = $1)"""

SCHEMA = """
GRANT "unora_{context}_owner" TO CURRENT_USER;
CREATE SCHEMA IF NOT EXISTS "{context}" AUTHORIZATION "unora_{context}_owner";
REVOKE ALL ON SCHEMA "{context}" FROM PUBLIC, "unora_{context}";
GRANT USAGE ON SCHEMA "{context}" TO "unora_{context}";
GRANT CONNECT ON DATABASE "{database}" TO "unora_{context}", "unora_{context}_owner";
ALTER DEFAULT PRIVILEGES FOR ROLE "unora_{context}_owner" IN SCHEMA "{context}"
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "unora_{context}"; -- until the migration ends: grants.py
ALTER DEFAULT PRIVILEGES FOR ROLE "unora_{context}_owner" IN SCHEMA "{context}"
    REVOKE ALL ON SEQUENCES FROM "unora_{context}";
ALTER DEFAULT PRIVILEGES FOR ROLE "unora_{context}_owner" REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
"""


def role_names(contexts: Iterable[str] = CONTEXTS) -> list[str]:
    """Both roles of each context."""
    return [name for context in contexts for name in (f"unora_{context}", f"unora_{context}_owner")]


async def make_roles(dsn: str, passwords: Mapping[str, str], connections: int = CONNECTIONS) -> None:
    """Creates a login role for each name in `passwords`, or brings one that exists to the same password, limits and
    rights: none beyond its schema. `connections` limits the role of each service.
    """
    connection = await asyncpg.connect(dsn)
    try:
        for name, password in passwords.items():
            found = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
            verb = "ALTER" if found else "CREATE"
            quoted = await connection.fetchval("SELECT quote_literal($1::text)", password)
            is_owner = name.endswith("_owner")
            limit = OWNER_CONNECTIONS if is_owner else connections
            await connection.execute(f'{verb} ROLE "{name}" LOGIN CONNECTION LIMIT {limit} PASSWORD {quoted}')
            for setting, value in (SETTINGS | (OWNER_LIMITS if is_owner else ROLE_LIMITS)).items():
                await connection.execute(f"ALTER ROLE \"{name}\" SET {setting} = '{value}'")
            # Only where there is something to take away: not every superuser of a hosted Postgres may do it.
            if await connection.fetch(EXTRA_RIGHTS, name):
                await connection.execute(
                    f'ALTER ROLE "{name}" NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS'
                )
            for (statement,) in await connection.fetch(MEMBERSHIPS, name):
                await connection.execute(statement)
    finally:
        await connection.close()


async def make_schemas(dsn: str, contexts: Iterable[str], *, movable_clock: bool) -> None:
    """Creates the clock and the contexts' schemas, whose roles exist, in the database of `dsn`. Only they may enter it,
    and only superusers may enter `postgres` and `template1`.
    """
    connection = await asyncpg.connect(dsn)
    try:
        database = await connection.fetchval("SELECT replace(current_database(), '\"', '\"\"')")
        await connection.execute(CLOCK.format(clock=MOVABLE_CLOCK if movable_clock else FIXED_CLOCK))
        await connection.execute(CLOSED_DATABASE.format(database=database))
        for context in contexts:
            await connection.execute(SCHEMA.format(context=context, database=database))
        for (statement,) in await connection.fetch(CLOSED_ELSEWHERE):
            await connection.execute(statement)
    finally:
        await connection.close()


async def prepare(dsn: str, roles: Mapping[str, str], *, movable_clock: bool, connections: int = CONNECTIONS) -> None:
    """Creates roles (name → password), and the schema of each context that they name, in the database of `dsn`.

    `dsn` is a superuser's. `movable_clock` gives the rule clock an offset, for local and test runs only.
    """
    await make_roles(dsn, roles, connections)
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
    parser.add_argument(
        "--connections",
        type=int,
        default=CONNECTIONS,
        metavar="N",
        help="the most connections of each service, over all its processes (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    try:
        dsn = given("UNORA_DATABASE_URL", os.environ)
        if not dsn:
            raise ConfigError("UNORA_DATABASE_URL is not set; it names a superuser")
        passwords = read_passwords(options.passwords)
        asyncio.run(prepare(database_url.checked(dsn), passwords, movable_clock=False, connections=options.connections))
    except (ConfigError, OSError, asyncpg.PostgresError) as error:
        print(f"provision: {error}", file=sys.stderr)
        return 1
    print(f"provision: roles and schemas of {', '.join(CONTEXTS)} are there")
    return 0


if __name__ == "__main__":
    sys.exit(main())
