"""The viewer of a refresh: the locks, what the planes compare, and what changed in the pool, in one query."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from unora_common.database import Session
from unora_common.rows import from_row

from unora_discovery.domain.filters import OLDEST, YOUNGEST
from unora_discovery.domain.planes import Seeker
from unora_discovery.domain.refresh import Viewer
from unora_discovery.domain.servers import ServerType
from unora_discovery.store import screens
from unora_discovery.store.planes import CHANGES, Changes, to_slots

SEEKER: Final = f"""
    SELECT {screens.COLUMNS}, p.slot, c.gender, c.age_band, coalesce(c.place_id, '') AS place_id,
        coalesce(f.genders, '{{}}') AS genders, coalesce(f.age_bands, '{{}}') AS age_bands,
        coalesce(f.same_city_only, false) AS same_city_only, coalesce(f.min_age, {YOUNGEST}) AS min_age,
        coalesce(f.max_age, {OLDEST}) AS max_age, since.snapshot, since.changed
    {screens.FROM}
    LEFT JOIN discovery.pool p ON p.user_id = viewer.user_id
    LEFT JOIN discovery.filters f
        ON f.user_id = viewer.user_id AND f.server_type = viewer.server_type AND f.deleted_at IS NULL
    CROSS JOIN ({CHANGES.format(cursor="$3", limit="$4")}) AS since"""


async def get_seeker(
    session: Session, user_id: UUID, server: ServerType, cursor: str, limit: int
) -> tuple[Viewer, Seeker, Changes]:
    """A member as the viewer of a server, and as the planes need them; and what changed in the pool since the cursor,
    at most `limit` members.
    """
    row = await session.row(SEEKER, user_id, server, cursor, limit)
    assert row is not None
    return screens.to_viewer(row), from_row(Seeker, row), Changes(to_slots(row["changed"]), row["snapshot"])
