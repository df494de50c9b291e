"""A member's view of one server: the locks, the active batch and its cards."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
from unora_common.database import Row, Session
from unora_common.rows import from_row

from unora_discovery.domain.cards import Batch, Card, CardHobby, without_hidden
from unora_discovery.domain.pool import Hobby
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

# What a card `k` shows. Of the members shown it reads the texts that were judged anew after the card was made (PR-10),
# and the place of those whose card was dealt without one: the place that they have by now is shown, or no city (PR-11).
SHOWN: Final = """
    k.age_band, k.trust_level, k.hobbies,
    CASE WHEN k.place_id <> '' THEN k.city WHEN shown.place_id <> '' THEN shown.city ELSE '' END AS city,
    CASE WHEN shown.texts_version > k.profile_version THEN shown.hobbies END AS hobbies_now"""

# The read path of the Discovery screen: capacity lock, time lock, batch and cards, and which have an interest (DI-16).
SCREEN: Final = f"""
    SELECT {COLUMNS}, b.created_at, k.id AS card_id, k.position, {SHOWN},
        EXISTS (SELECT FROM discovery.card_interests WHERE card_id = k.id AND sent OFFSET 0) AS interest_sent {FROM}
    LEFT JOIN discovery.discovery_cards k ON k.batch_id = b.id
    LEFT JOIN discovery.candidates shown
        ON shown.user_id = k.shown_user_id AND (shown.texts_version > k.profile_version OR k.place_id = '')
    ORDER BY k.position"""

REVIEWED: Final = """
    SELECT k.id, reviewed.hobbies
    FROM discovery.discovery_cards k JOIN discovery.candidates reviewed
        ON reviewed.user_id = k.shown_user_id AND reviewed.texts_version > k.profile_version
    WHERE k.batch_id = $1"""


async def get_viewer(session: Session, user_id: UUID, server: ServerType) -> Viewer:
    """A member as the viewer of a server."""
    row = await session.row(VIEWER, user_id, server)
    assert row is not None
    return to_viewer(row)


async def get_screen(session: Session, user_id: UUID, server: ServerType) -> Screen:
    """A member's view of a server: the locks, the active batch (DI-03) and its five cards, in one query."""
    rows = await session.rows(SCREEN, user_id, server)
    first = rows[0]
    batch = Batch(first["batch_id"], first["created_at"], tuple(map(_card, rows))) if first["batch_id"] else None
    return Screen(server, to_viewer(first), batch, first["now"])


async def list_reviewed(session: Session, batch_id: UUID) -> dict[UUID, frozenset[str]]:
    """PR-10: the cards of a batch whose members' texts were judged anew after they were made, each with the texts that
    the member shows now.
    """
    return {row["id"]: _texts(row["hobbies"]) for row in await session.rows(REVIEWED, batch_id)}


def to_viewer(row: Row) -> Viewer:
    """The viewer in a row with these columns."""
    return from_row(Viewer, row, timer=from_row(Timer, row))


def shown_hobbies(row: Row) -> tuple[CardHobby, ...]:
    """The hobbies in a row with the columns of SHOWN, without texts that were hidden since (PR-10)."""
    hobbies = msgspec.json.decode(row["hobbies"], type=tuple[CardHobby, ...])
    return hobbies if row["hobbies_now"] is None else without_hidden(hobbies, _texts(row["hobbies_now"]))


def _card(row: Row) -> Card:
    return from_row(Card, row, id=row["card_id"], hobbies=shown_hobbies(row))


def _texts(hobbies: str) -> frozenset[str]:
    return frozenset(hobby.micro_description for hobby in msgspec.json.decode(hobbies, type=tuple[Hobby, ...]))
