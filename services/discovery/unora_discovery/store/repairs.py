"""Parts of the pool made anew (XX-08): a page of them at once. The newest version counts, as in `pool`; what is stored
of the same version is replaced too if it differs, since the pool may be damaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.rows import Columns

from unora_discovery.domain.pool import Inventory, Restriction
from unora_discovery.store.pool import INVENTORY, RESTRICTION


def _repair(columns: Columns, types: tuple[str, ...]) -> str:
    version, content = columns[1], Columns(*columns[2:])
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, start=1))
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
    return f"""
    INSERT INTO discovery.candidates AS c ({columns.names()})
    SELECT {columns.names()} FROM unnest({arrays}) AS n ({columns.names()}) ORDER BY user_id
    ON CONFLICT (user_id) DO UPDATE SET {changes}
    WHERE c.{version} < excluded.{version}
        OR c.{version} = excluded.{version} AND ({content.names("c")}) IS DISTINCT FROM ({content.names("excluded")})"""


INVENTORIES: Final = _repair(INVENTORY, ("uuid", "bigint", "smallint", "smallint"))
RESTRICTIONS: Final = _repair(RESTRICTION, ("uuid", "bigint", "boolean", "boolean", "boolean"))
# A plan that was made while the pool was empty would read all of it for each page.
PLAN_ANEW: Final = "SET LOCAL plan_cache_mode = force_custom_plan"
KNOWN: Final = "SELECT user_id FROM discovery.candidates WHERE user_id = ANY($1::uuid[])"
OTHERS_SHOWN: Final = """
    SELECT user_id FROM discovery.candidates
    WHERE user_id > $1 AND user_id <= $2 AND discovery_ready AND user_id <> ALL($3::uuid[])
    ORDER BY user_id"""
HIDE: Final = "UPDATE discovery.candidates SET discovery_ready = false WHERE user_id = ANY($1::uuid[])"


async def plan_anew(tx: Tx) -> None:
    """Lets Postgres plan the transaction's statements for the pool as it is by now: it grows while it is made."""
    await tx.run(PLAN_ANEW)


async def repair_inventories(tx: Tx, inventories: Sequence[Inventory]) -> None:
    """Stores members' slots, one of each."""
    rows = [INVENTORY.values_of(each, inventory_version=each.version) for each in inventories]
    await tx.run(INVENTORIES, *map(list, zip(*rows, strict=True)))


async def repair_restrictions(tx: Tx, restrictions: Sequence[Restriction]) -> None:
    """Stores members' restrictions, one of each."""
    rows = [RESTRICTION.values_of(each, restriction_version=each.version) for each in restrictions]
    await tx.run(RESTRICTIONS, *map(list, zip(*rows, strict=True)))


async def find_known(session: Session, users: Sequence[UUID]) -> set[UUID]:
    """Those of the members who are in the pool."""
    return {row["user_id"] for row in await session.rows(KNOWN, list(users))}


async def list_others_shown(session: Session, after: UUID, last: UUID, listed: Sequence[UUID]) -> list[UUID]:
    """The members between two ids whom the pool shows, without those who were listed."""
    return [row["user_id"] for row in await session.rows(OTHERS_SHOWN, after, last, list(listed))]


async def hide(tx: Tx, users: Sequence[UUID]) -> None:
    """Shows members no longer."""
    await tx.run(HIDE, list(users))
