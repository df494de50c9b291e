"""PR-11: the members whose city was once written and is no place yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from unora_common.database import Tx
from unora_common.rows import from_row

from unora_identity.domain.accounts import LockedMember
from unora_identity.domain.places import Place

# A member who is locked by another transaction is skipped, and found by the next run. Few rows stay once all were
# sought in a version of the list, so looking through them costs little.
LOCK_NEXT = """
    WITH next AS MATERIALIZED (
        SELECT u.id, u.version FROM identity.written_cities w JOIN identity.users u ON u.id = w.user_id
        WHERE w.sought_in <> $2 AND u.deleted_at IS NULL
            AND u.id <> ALL ($3::uuid[]) AND ($4::uuid IS NULL OR u.id = $4)
        ORDER BY u.id LIMIT $1 FOR UPDATE OF u SKIP LOCKED)
    SELECT next.*, clock.now() AS now FROM next"""
SET_PLACES = """
    UPDATE identity.profiles p SET city = found.city, place_id = found.place_id, country = found.country
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS found (user_id, city, place_id, country)
    WHERE p.user_id = found.user_id"""
SETTLED = """
    DELETE FROM identity.written_cities w USING identity.profiles p
    WHERE w.user_id = ANY ($1) AND p.user_id = w.user_id AND (p.place_id <> '' OR p.city = '')"""
SOUGHT = "UPDATE identity.written_cities SET sought_in = $2 WHERE user_id = ANY ($1)"


async def lock_next(
    tx: Tx, version: str, limit: int, left_out: Sequence[UUID], only: UUID | None
) -> dict[UUID, LockedMember]:
    """Locks members whose city was not sought in this version of the list, and reads the clock; skips those in
    `left_out`. With `only` it looks at this one.
    """
    rows = await tx.lock(LOCK_NEXT, limit, version, left_out, only)
    return {row["id"]: from_row(LockedMember, row) for row in rows}


async def save_places(tx: Tx, found: Mapping[UUID, Place]) -> None:
    """Stores the places of these members, who are locked."""
    places = found.values()
    names, ids, countries = [p.name for p in places], [p.id for p in places], [p.country for p in places]
    await tx.run(SET_PLACES, list(found), names, ids, countries)


async def mark_sought(tx: Tx, users: Sequence[UUID], version: str) -> None:
    """Forgets those of the members who have a place now, or no city; the others were sought in this version."""
    await tx.run(SETTLED, list(users))
    await tx.run(SOUGHT, list(users), version)
