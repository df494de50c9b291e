"""Filters: one row per member and server."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from unora_common.database import Row, Session, Tx

from unora_discovery.domain import Filters, Gender, ServerType

FIND: Final = """
    SELECT genders, min_age, max_age, same_city_only, deleted_at FROM discovery.filters
    WHERE user_id = $1 AND server_type = $2"""

# The update changes nothing: it takes the lock of a row that is there already.
MAKE_AND_LOCK: Final = """
    INSERT INTO discovery.filters AS f (user_id, server_type, updated_at) VALUES ($1, $2, clock.now())
    ON CONFLICT (user_id, server_type) DO UPDATE SET updated_at = f.updated_at
    RETURNING f.genders, f.min_age, f.max_age, f.same_city_only, f.deleted_at, clock.now() AS now"""

SAVE: Final = """
    UPDATE discovery.filters SET genders = $3, age_bands = $4, min_age = $5, max_age = $6, same_city_only = $7,
        updated_at = $8, deleted_at = NULL
    WHERE user_id = $1 AND server_type = $2"""


async def find(session: Session, user_id: UUID, server: ServerType) -> Filters:
    """A member's filters; where none are kept, those that let everyone pass."""
    return _filters(await session.row(FIND, user_id, server))


async def lock(tx: Tx, user_id: UUID, server: ServerType) -> Filters:
    """The same, with the row locked, made if it is not there; sets tx.now."""
    (row,) = await tx.lock(MAKE_AND_LOCK, user_id, server)
    return _filters(row)


def save(tx: Tx, user_id: UUID, server: ServerType, filters: Filters) -> None:
    """Keeps a member's filters, whose row is locked, with the bands that the search compares."""
    bands = list(filters.age_bands)
    ages = (filters.min_age, filters.max_age)
    tx.defer(SAVE, user_id, server, list(filters.genders), bands, *ages, filters.same_city_only, tx.now)


def _filters(row: Row | None) -> Filters:
    if row is None or row["deleted_at"]:
        return Filters()
    return Filters(
        genders=tuple(Gender(gender) for gender in row["genders"]),
        min_age=row["min_age"],
        max_age=row["max_age"],
        same_city_only=row["same_city_only"],
    )
