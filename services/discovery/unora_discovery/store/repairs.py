"""What a rebuild of the pool (XX-08) asks and does besides storing pages of its parts, for which see `pool`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from unora_common.database import Session, Tx

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


async def find_known(session: Session, users: Sequence[UUID]) -> set[UUID]:
    """Those of the members who are in the pool."""
    return {row["user_id"] for row in await session.rows(KNOWN, list(users))}


async def list_others_shown(session: Session, after: UUID, last: UUID, listed: Sequence[UUID]) -> list[UUID]:
    """The members between two ids whom the pool shows, without those who were listed."""
    return [row["user_id"] for row in await session.rows(OTHERS_SHOWN, after, last, list(listed))]


async def hide(tx: Tx, users: Sequence[UUID]) -> None:
    """Shows members no longer."""
    await tx.run(HIDE, list(users))
