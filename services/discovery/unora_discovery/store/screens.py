"""A member's view of one server: the locks, the active batch and its cards."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
from unora_common.database import Row, Session
from unora_common.rows import from_row

from unora_discovery.domain.cards import Batch, Card
from unora_discovery.domain.refresh import Timer, Viewer
from unora_discovery.domain.screens import Screen
from unora_discovery.domain.servers import ServerType
from unora_discovery.store.members import TIMER

# A member who is not in the pool yet has one free slot, until matching publishes the real number.
COLUMNS: Final = f"""
    m.user_id IS NOT NULL AND m.left_at IS NULL AS joined,
    coalesce(c.discovery_ready, false) AS discovery_ready, coalesce(c.tier, 'free') AS tier,
    coalesce(c.active_connection_count, 0) AS active_connection_count,
    coalesce(c.connection_limit, 1) AS connection_limit,
    coalesce(c.hobby_option_ids, '{{}}') AS hobby_option_ids,
    m.first_batch_at IS NOT NULL AS had_batch, b.id AS batch_id, {TIMER.names("t")}, clock.now() AS now"""
FROM: Final = """
    FROM (VALUES ($1::uuid, $2::text)) AS viewer (user_id, server_type)
    LEFT JOIN discovery.server_memberships m USING (user_id, server_type)
    LEFT JOIN discovery.candidates c USING (user_id)
    LEFT JOIN discovery.refresh_timers t USING (user_id)
    LEFT JOIN discovery.discovery_batches b
        ON b.user_id = viewer.user_id AND b.server_type = viewer.server_type AND b.deleted_at IS NULL"""

VIEWER: Final = f"SELECT {COLUMNS} {FROM}"

# The read path of the Discovery screen: capacity lock, time lock, batch and cards. Of the members shown it reads only
# those whose card was dealt without a place: the place that they have by now is shown, or no city (PR-11).
SCREEN: Final = f"""
    SELECT {COLUMNS}, b.created_at, k.id AS card_id, k.position, k.age_band, k.trust_level, k.hobbies,
        CASE WHEN k.place_id <> '' THEN k.city ELSE coalesce(placed.city, '') END AS city {FROM}
    LEFT JOIN discovery.discovery_cards k ON k.batch_id = b.id AND k.deleted_at IS NULL
    LEFT JOIN discovery.candidates placed
        ON placed.user_id = CASE WHEN k.place_id = '' THEN k.shown_user_id END AND placed.place_id <> ''
    ORDER BY k.position"""


async def get_viewer(session: Session, user_id: UUID, server: ServerType) -> Viewer:
    """A member as the viewer of a server."""
    row = await session.row(VIEWER, user_id, server)
    assert row is not None
    return _viewer(row)


async def get_screen(session: Session, user_id: UUID, server: ServerType) -> Screen:
    """A member's view of a server: the locks, the active batch (DI-03) and its five cards, in one query."""
    rows = await session.rows(SCREEN, user_id, server)
    first = rows[0]
    batch = Batch(first["batch_id"], first["created_at"], tuple(map(_card, rows))) if first["batch_id"] else None
    return Screen(server, _viewer(first), batch, first["now"])


def _viewer(row: Row) -> Viewer:
    return from_row(Viewer, row, timer=from_row(Timer, row))


def _card(row: Row) -> Card:
    return from_row(Card, row, id=row["card_id"], hobbies=msgspec.json.decode(row["hobbies"]))
