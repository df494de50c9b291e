"""Fills a table with rows that only fit its types: for what depends on the number and the size of rows."""

from __future__ import annotations

from typing import Final

import asyncpg

COLUMNS: Final = """
    SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type, a.attidentity <> '' AS generated
    FROM pg_attribute a WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped"""
CHECKS: Final = """
    SELECT conname FROM pg_constraint WHERE conrelid = $1::text::regclass AND contype IN ('c', 'f')"""
VALUES: Final = {
    "uuid": "gen_random_uuid()",
    "text": "left(md5(n::text || {name!r}), 12)",
    "bytea": "sha256(int4send(n) || {name!r}::bytea)",
    "smallint": "(n % 30000)",
    "integer": "n",
    "bigint": "n",
    "real": "n",
    "double precision": "n",
    "boolean": "n % 2 = 0",
    "date": "current_date - n % 1000",
    "timestamp with time zone": "clock_timestamp() - n * interval '20 minutes'",
    "time without time zone": "time '12:00' + n * interval '1 second'",
    "jsonb": "'[]'::jsonb",
    "timestamp with time zone[]": "ARRAY[clock_timestamp()]",
    "uuid[]": "ARRAY[gen_random_uuid()]",
    "text[]": "ARRAY[md5(n::text)]",
    "bytea[]": "ARRAY[sha256(int4send(n))]",
}


async def fill(connection: asyncpg.Connection[asyncpg.Record], table: str, rows: int, **values: str) -> None:
    """Fills a table and analyses it, as the superuser, in a transaction that the caller rolls back: it takes checks and
    foreign keys away, and fires no trigger. `values` are SQL by column, with `n` as the number of the row; by default a
    column gets a different value in each row, and times go back by 20 minutes a row.
    """
    await connection.execute("SET LOCAL session_replication_role = replica")
    for check in await connection.fetch(CHECKS, table):
        await connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS "{check["conname"]}" CASCADE')
    columns = [column for column in await connection.fetch(COLUMNS, table) if not column["generated"]]
    made = [values.get(each["name"]) or VALUES[each["type"]].format(name=each["name"]) for each in columns]
    names = ", ".join(f'"{each["name"]}"' for each in columns)
    await connection.execute(
        f"INSERT INTO {table} ({names}) SELECT {', '.join(made)} FROM generate_series(1, {rows}) AS s (n)"
    )
    await connection.execute(f"ANALYZE {table}")
