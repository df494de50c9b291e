"""How large the tables are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import asyncpg
from unora_common.config import CONTEXTS

TABLES: Final = """
    SELECT c.oid::regclass::text AS name, pg_total_relation_size(c.oid) AS bytes, c.relkind = 'p' AS parted
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1"""
PARTS: Final = (
    "SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint FROM pg_partition_tree($1::text::regclass)"
)


@dataclass(frozen=True, slots=True)
class Size:
    """One table, with its indexes and partitions."""

    rows: int
    bytes: int


async def of_tables(connection: asyncpg.Connection[asyncpg.Record]) -> dict[str, Size]:
    """All tables of all contexts, by schema and name; rows are counted, not estimated."""
    found = {}
    for table in await connection.fetch(TABLES, list(CONTEXTS)):
        name = table["name"]
        size = await connection.fetchval(PARTS, name) if table["parted"] else table["bytes"]
        found[name] = Size(await connection.fetchval(f"SELECT count(*) FROM {name}"), size)
    return found
