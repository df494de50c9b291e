"""A member in front of one server: the locks, the active batch and its cards."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from unora_common.database import Row, Session

from unora_discovery.domain import AgeBand, Batch, Card, CardHobby, ServerType, Tier, Timer, Viewer

SEEN: Final = """
    m.user_id IS NOT NULL AND m.left_at IS NULL AS joined,
    coalesce(c.discovery_ready, false) AS discovery_ready, coalesce(c.tier, 'free') AS tier,
    coalesce(c.active_connection_count, 0) AS active_connection_count,
    coalesce(c.connection_limit, 1) AS connection_limit,
    coalesce(c.hobby_option_ids, '{}') AS hobby_option_ids,
    m.first_batch_at IS NOT NULL AS had_batch, b.id AS batch_id,
    t.last_global_refresh_at, t.refresh_available_at, clock.now() AS now"""
FROM: Final = """
    FROM (VALUES ($1::uuid, $2::text)) AS viewer (user_id, server_type)
    LEFT JOIN discovery.server_memberships m USING (user_id, server_type)
    LEFT JOIN discovery.candidates c USING (user_id)
    LEFT JOIN discovery.refresh_timers t USING (user_id)
    LEFT JOIN discovery.discovery_batches b
        ON b.user_id = viewer.user_id AND b.server_type = viewer.server_type AND b.deleted_at IS NULL"""

VIEWER: Final = f"SELECT {SEEN} {FROM}"

# The read path of the Discovery screen: capacity lock, time lock, batch and cards. Who is behind a card is not read.
SCREEN: Final = f"""
    SELECT {SEEN}, b.created_at, k.id AS card_id, k.position, k.age_band, k.city, k.trust_level, k.hobbies {FROM}
    LEFT JOIN discovery.discovery_cards k ON k.batch_id = b.id AND k.deleted_at IS NULL
    ORDER BY k.position"""


async def viewer(session: Session, user_id: UUID, server: ServerType) -> tuple[Viewer, datetime]:
    """A member in front of a server, and the time of the reading."""
    row = await session.row(VIEWER, user_id, server)
    assert row is not None
    return _viewer(row), row["now"]


async def screen(session: Session, user_id: UUID, server: ServerType) -> tuple[Viewer, Batch | None, datetime]:
    """The same with the active batch (DI-03) and its five cards, in one query."""
    rows = await session.rows(SCREEN, user_id, server)
    first = rows[0]
    batch = Batch(first["batch_id"], first["created_at"], tuple(map(_card, rows))) if first["batch_id"] else None
    return _viewer(first), batch, first["now"]


def _viewer(row: Row) -> Viewer:
    """Of whom nothing is known has a free slot, and no more: until matching tells otherwise."""
    return Viewer(
        joined=row["joined"],
        discovery_ready=row["discovery_ready"],
        tier=Tier(row["tier"]),
        active_connection_count=row["active_connection_count"],
        connection_limit=row["connection_limit"],
        hobby_option_ids=frozenset(row["hobby_option_ids"]),
        had_batch=row["had_batch"],
        batch_id=row["batch_id"],
        timer=Timer(row["last_global_refresh_at"], row["refresh_available_at"]),
    )


def _card(row: Row) -> Card:
    return Card(
        id=row["card_id"],
        position=row["position"],
        age_band=AgeBand(row["age_band"]),
        city=row["city"],
        trust_level=row["trust_level"],
        hobbies=msgspec.json.decode(row["hobbies"], type=tuple[CardHobby, ...]),
    )
