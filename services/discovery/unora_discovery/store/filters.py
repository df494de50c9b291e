"""Filters: one row per member and server."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from unora_common.database import Row, Session, Tx
from unora_common.rows import Columns, from_row

from unora_discovery.domain.filters import Filters
from unora_discovery.domain.servers import ServerType

FILTERS: Final = Columns("genders", "min_age", "max_age", "same_city_only")

GET: Final = f"""
    SELECT {FILTERS.names()}, deleted_at FROM discovery.filters WHERE user_id = $1 AND server_type = $2"""

# The update changes nothing: it locks a row that exists already.
LOCK_OR_CREATE: Final = f"""
    INSERT INTO discovery.filters AS f (user_id, server_type, updated_at) VALUES ($1, $2, clock.now())
    ON CONFLICT (user_id, server_type) DO UPDATE SET updated_at = f.updated_at
    RETURNING {FILTERS.names("f")}, f.deleted_at, clock.now() AS now"""

SAVE: Final = f"""
    UPDATE discovery.filters SET updated_at = $3, deleted_at = NULL, age_bands = $4, {FILTERS.assignments(first=5)}
    WHERE user_id = $1 AND server_type = $2"""


async def get(session: Session, user_id: UUID, server: ServerType) -> Filters:
    """A member's filters. If none are stored, the default, which lets everyone pass."""
    return _filters(await session.row(GET, user_id, server))


async def lock_or_create(tx: Tx, user_id: UUID, server: ServerType) -> Filters:
    """The same, with the row locked; creates it if it is missing, and sets tx.now."""
    (row,) = await tx.lock(LOCK_OR_CREATE, user_id, server)
    return _filters(row)


def save(tx: Tx, user_id: UUID, server: ServerType, filters: Filters) -> None:
    """Stores a member's filters, whose row is locked, with the age bands that the search compares."""
    values = FILTERS.values_of(filters, genders=list(filters.genders))
    tx.defer(SAVE, user_id, server, tx.now, list(filters.age_bands), *values)


def _filters(row: Row | None) -> Filters:
    return Filters() if row is None or row["deleted_at"] else from_row(Filters, row)
