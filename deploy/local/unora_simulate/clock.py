"""The clock of a simulated database: it stands still during a day, and then goes on by one.

`simulated` stands before `pg_catalog` in the path of the roles, so that the statements of the real jobs, which read
`clock_timestamp()`, read the simulated time without being changed. `clock.now()` says the same.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import asyncpg
from unora_common.config import CONTEXTS

CLOCK: Final = """
    CREATE SCHEMA simulated;
    CREATE TABLE simulated.today (day int NOT NULL, at timestamptz NOT NULL);
    INSERT INTO simulated.today VALUES (0, '2025-01-01 12:00Z');
    CREATE FUNCTION simulated.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE
        AS 'SELECT at FROM simulated.today';
    CREATE OR REPLACE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT at FROM simulated.today';
    GRANT USAGE ON SCHEMA simulated TO PUBLIC;
    GRANT SELECT ON simulated.today TO PUBLIC;
    GRANT EXECUTE ON FUNCTION simulated.clock_timestamp() TO PUBLIC;
    CREATE SEQUENCE simulated.version;
    CREATE UNLOGGED TABLE simulated.members (
        n int PRIMARY KEY, user_id uuid NOT NULL, session_id uuid NOT NULL, server_type text NOT NULL,
        tier text NOT NULL, joined int NOT NULL, UNIQUE (user_id));
    CREATE UNLOGGED TABLE simulated.refreshing (user_id uuid, n int, server_type text, batch_id uuid, step int);
    CREATE UNLOGGED TABLE simulated.matches (
        interest_id uuid, connection_id uuid, streak_id uuid, a uuid, b uuid, server_type text);
    CREATE UNLOGGED TABLE simulated.ending (connection_id uuid, a uuid, b uuid);
    CREATE UNLOGGED TABLE simulated.days (streak_id uuid, connection_id uuid, a uuid, b uuid, missed boolean);
    CREATE UNLOGGED TABLE simulated.windows (
        streak_id uuid, break_id uuid, breaker uuid, partner uuid, connection_id uuid, payment_id uuid, saved boolean);
    CREATE UNLOGGED TABLE simulated.unlocking (reveal_id uuid, reveal_number int);
    CREATE UNLOGGED TABLE simulated.events (
        n bigserial, context text, subject text, aggregate_id uuid, size int, members int);
    CREATE UNLOGGED TABLE simulated.consumers (context text, consumer text, subject text);
    CREATE UNLOGGED TABLE simulated.places (place bigint PRIMARY KEY, id uuid NOT NULL);
"""
NEXT_DAY: Final = "UPDATE simulated.today SET day = day + 1, at = at + interval '1 day' RETURNING at"
PATH: Final = "simulated, pg_catalog"


async def prepare(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Gives an empty, migrated database its simulated clock, and the tables in which a day is worked out."""
    await connection.execute(CLOCK)
    database = await connection.fetchval("SELECT current_database()")
    for context in CONTEXTS:
        await connection.execute(f'ALTER ROLE unora_{context} IN DATABASE "{database}" SET search_path = {PATH}')
    await connection.execute(f"SET search_path = {PATH}")


async def next_day(connection: asyncpg.Connection[asyncpg.Record]) -> datetime:
    """Moves the clock to the next noon (UTC), and returns it."""
    now: datetime = await connection.fetchval(NEXT_DAY)
    return now
