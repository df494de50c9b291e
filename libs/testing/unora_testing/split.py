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
    DROP SCHEMA streak CASCADE;
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


async def show_streak(dsn: str, elsewhere: str) -> None:
    """Takes streak's own tables out of a database of the first server, and shows those of `elsewhere` instead."""
    to = urlsplit(elsewhere)
    values = {"host": to.hostname, "port": to.port, "user": to.username, "password": to.password}
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(PREPARE.format(**values, database=to.path.strip("/")))
    finally:
        await connection.close()
