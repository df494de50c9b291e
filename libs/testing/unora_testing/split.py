"""Streak's schema on a server of its own, and what tests need to go on reading all schemas by one connection.

Services know nothing of it: each connects to the address of its own. Only the superuser of tests sees the tables of
streak on the first server too, as foreign tables; and moving the clock of the first server moves that of the second.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import asyncpg

PREPARE: Final = """
    CREATE EXTENSION postgres_fdw;
    CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw
        OPTIONS (host '{host}', port '{port}', dbname '{database}');
    CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (user '{user}', password '{password}');
    CREATE SCHEMA streak;
    IMPORT FOREIGN SCHEMA streak FROM SERVER elsewhere INTO streak;
    CREATE FOREIGN TABLE clock.shift_elsewhere (only_row boolean, ahead interval)
        SERVER elsewhere OPTIONS (schema_name 'clock', table_name 'shift');
    CREATE FUNCTION clock.move_elsewhere() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE clock.shift_elsewhere SET ahead = NEW.ahead;
        RETURN NULL;
    END $$;
    CREATE TRIGGER move_elsewhere AFTER UPDATE ON clock.shift
        FOR EACH ROW EXECUTE FUNCTION clock.move_elsewhere();
"""
LINK: Final = "ALTER SERVER elsewhere OPTIONS (SET dbname '{database}')"


async def prepare(dsn: str, elsewhere: str) -> None:
    """Shows the tables of the second server in the database of `dsn`, both of the same name and migrated."""
    address = urlsplit(elsewhere)
    values = {"host": address.hostname, "port": address.port, "user": address.username, "password": address.password}
    await _run(dsn, PREPARE.format(**values, database=urlsplit(dsn).path.strip("/")))


async def link(dsn: str, database: str) -> None:
    """Makes a clone of the first database lead to the clone of the second."""
    await _run(dsn, LINK.format(database=database))


async def _run(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
