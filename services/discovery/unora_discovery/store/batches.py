"""Batches and cards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
from unora_common.database import Session, Tx

from unora_discovery.domain import Batch, CardNotFound, Dealt, ServerType, Timer

CLOSE: Final = """
    WITH closed AS (
        UPDATE discovery.discovery_batches SET deleted_at = $3
        WHERE user_id = $1 AND server_type = $2 AND deleted_at IS NULL RETURNING id)
    UPDATE discovery.discovery_cards k SET deleted_at = $3 FROM closed
    WHERE k.batch_id = closed.id AND k.deleted_at IS NULL"""

OPEN: Final = """
    WITH batch AS (
        INSERT INTO discovery.discovery_batches (id, user_id, server_type, created_at) VALUES ($2, $1, $3, $4)),
    cards AS (
        INSERT INTO discovery.discovery_cards (
            id, batch_id, position, shown_user_id, age_band, city, trust_level, hobbies)
        SELECT id, $2, position, shown_user_id, age_band, city, trust_level, hobbies
        FROM unnest($5::uuid[], $6::smallint[], $7::uuid[], $8::text[], $9::text[], $10::smallint[], $11::jsonb[])
            AS card (id, position, shown_user_id, age_band, city, trust_level, hobbies)),
    first AS (
        UPDATE discovery.server_memberships SET first_batch_at = $4
        WHERE user_id = $1 AND server_type = $3 AND first_batch_at IS NULL)
    UPDATE discovery.refresh_timers
    SET version = version + 1, last_global_refresh_at = $12, refresh_available_at = $13
    WHERE user_id = $1 RETURNING version"""

RESOLVE: Final = """
    SELECT k.shown_user_id, b.server_type
    FROM discovery.discovery_cards k JOIN discovery.discovery_batches b ON b.id = k.batch_id
    WHERE k.id = $1 AND b.user_id = $2 AND ($3 OR (b.deleted_at IS NULL AND k.deleted_at IS NULL))"""

# That there was a first batch is known without it. Of two purges at once each takes rows that the other has not. The
# clock stands in a subquery, and the ids in arrays, so that indexes are used.
PURGE: Final = """
    WITH old AS MATERIALIZED (
        SELECT id FROM discovery.discovery_batches
        WHERE deleted_at < (SELECT clock_timestamp() - $1::interval)
        ORDER BY deleted_at LIMIT $2 FOR UPDATE SKIP LOCKED),
    cards AS (DELETE FROM discovery.discovery_cards WHERE batch_id = ANY (ARRAY(SELECT id FROM old)))
    DELETE FROM discovery.discovery_batches WHERE id = ANY (ARRAY(SELECT id FROM old))"""


async def close(tx: Tx, user_id: UUID, server: ServerType) -> None:
    """Closes the active batch of the member, whose row is locked, if there is one, now."""
    await tx.run(CLOSE, user_id, server, tx.now)


async def replace(
    tx: Tx, user_id: UUID, server: ServerType, batch_id: UUID, dealt: Sequence[Dealt], timer: Timer
) -> tuple[Batch, int]:
    """Closes the active batch of the member, whose row is locked, and opens the next, now (DI-03); keeps the timer.
    Returns the new batch and the member's new version.
    """
    await close(tx, user_id, server)
    cards = tuple(each.card for each in dealt)
    version: int = await tx.value(
        OPEN,
        user_id,
        batch_id,
        server,
        tx.now,
        [card.id for card in cards],
        [card.position for card in cards],
        [each.shown_user_id for each in dealt],
        [card.age_band for card in cards],
        [card.city for card in cards],
        [card.trust_level for card in cards],
        [msgspec.json.encode(card.hobbies).decode() for card in cards],
        timer.last_global_refresh_at,
        timer.refresh_available_at,
    )
    return Batch(batch_id, tx.now, cards), version


async def resolve(
    session: Session, card_id: UUID, viewer: UUID, *, allow_replaced: bool = False
) -> tuple[UUID, ServerType]:
    """Who is behind a card of the viewer's active batch, or of any that is still kept, and in which server it is.
    Raises CardNotFound.
    """
    row = await session.row(RESOLVE, card_id, viewer, allow_replaced)
    if row is None:
        raise CardNotFound
    return row["shown_user_id"], ServerType(row["server_type"])


async def purge(tx: Tx, kept: timedelta, limit: int) -> int:
    """Deletes batches that were replaced so long ago, by the machine's clock, and their cards; returns how many."""
    return await tx.run(PURGE, kept, limit)
