"""Batches and cards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
from unora_common.database import Session, Tx
from unora_common.rows import Columns

from unora_discovery.domain.cards import Batch, DealtCard
from unora_discovery.domain.errors import CardNotFound
from unora_discovery.domain.refresh import Timer
from unora_discovery.domain.servers import ServerType
from unora_discovery.store.members import TIMER

CARD_TYPES: Final = {
    "id": "uuid",
    "shown_user_id": "uuid",
    "profile_version": "bigint",
    "position": "smallint",
    "age_band": "text",
    "city": "text",
    "place_id": "text",
    "trust_level": "smallint",
    "hobbies": "jsonb",
}
CARD: Final = Columns(*CARD_TYPES)
KEPT_COLUMNS: Final = Columns(*(name for name in CARD if name != "position"))
CARD_ARRAYS: Final = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(CARD_TYPES.values(), start=7))

# Whether a card is on the screen is said by its batch alone: cards are written once.
CLOSE: Final = """
    UPDATE discovery.discovery_batches SET deleted_at = $3
    WHERE user_id = $1 AND server_type = $2 AND deleted_at IS NULL"""

# One statement closes and opens. The insert reads what was closed, so it runs after it, as the unique index needs.
REPLACE: Final = f"""
    WITH closed AS (
        UPDATE discovery.discovery_batches SET deleted_at = $4
        WHERE user_id = $1 AND server_type = $3 AND deleted_at IS NULL RETURNING id),
    batch AS (
        INSERT INTO discovery.discovery_batches (id, user_id, server_type, created_at)
        SELECT $2, $1, $3, $4 FROM (SELECT count(*) FROM closed) AS first),
    cards AS (
        INSERT INTO discovery.discovery_cards (batch_id, {CARD.names()})
        SELECT $2, {CARD.names()} FROM unnest({CARD_ARRAYS}) AS card ({CARD.names()})),
    first AS (
        UPDATE discovery.server_memberships SET first_batch_at = $4
        WHERE user_id = $1 AND server_type = $3 AND first_batch_at IS NULL)
    UPDATE discovery.refresh_timers SET version = version + 1, {TIMER.assignments(first=5)}
    WHERE user_id = $1 RETURNING version"""

GET_SHOWN_MEMBER: Final = """
    SELECT k.shown_user_id, b.server_type
    FROM discovery.discovery_cards k JOIN discovery.discovery_batches b ON b.id = k.batch_id
    WHERE k.id = $1 AND b.user_id = $2
        AND (b.deleted_at IS NULL OR $3 AND b.deleted_at > clock_timestamp() - $4::interval)"""

CHECK_INTERVAL: Final = "interval '30 days'"
"""After this time it is asked whether a list still shows a kept card."""
ACTION_MARGIN: Final = timedelta(days=1)
"""So long before it is purged a card can no longer be acted on: what was done on it is known when it is purged."""

# first_batch_at keeps the fact that there was a first batch. SKIP LOCKED: two purges at the same time take different
# rows. The clock is read in a subquery and the ids are arrays, so that Postgres uses the indexes.
# A card with an interest is kept for the list of interests, and one of a member whom its viewer blocks for the list of
# blocks (DI-16): safety tells of the first block only, and others of the same member may be of any of these cards.
PURGE: Final = f"""
    WITH old AS MATERIALIZED (
        SELECT id, user_id FROM discovery.discovery_batches
        WHERE deleted_at < (SELECT clock_timestamp() - $1::interval)
        ORDER BY deleted_at LIMIT $2 FOR UPDATE SKIP LOCKED),
    cards AS (
        DELETE FROM discovery.discovery_cards WHERE batch_id = ANY (ARRAY(SELECT id FROM old)) RETURNING *),
    kept AS (
        INSERT INTO discovery.kept_cards ({KEPT_COLUMNS.names()}, viewer_id, check_at)
        SELECT {KEPT_COLUMNS.names("k")}, old.user_id, clock_timestamp() + {CHECK_INTERVAL}
        FROM cards k JOIN old ON old.id = k.batch_id
        WHERE EXISTS (SELECT FROM discovery.card_interests WHERE card_id = k.id OFFSET 0)
            OR EXISTS (SELECT FROM discovery.member_blocks
                WHERE blocker_id = old.user_id AND blocked_id = k.shown_user_id AND in_force OFFSET 0))
    DELETE FROM discovery.discovery_batches WHERE id = ANY (ARRAY(SELECT id FROM old))"""


async def close(tx: Tx, user_id: UUID, server: ServerType) -> None:
    """Closes the active batch of the member, whose row is locked, at tx.now, if there is one."""
    await tx.run(CLOSE, user_id, server, tx.now)


async def replace(
    tx: Tx, user_id: UUID, server: ServerType, batch_id: UUID, dealt: Sequence[DealtCard], timer: Timer
) -> tuple[Batch, int]:
    """Closes the active batch of the member, whose row is locked, opens the next one at tx.now (DI-03), and stores the
    timer. Returns the new batch and the member's new version.
    """
    records = [_record(each) for each in dealt]
    version: int = await tx.value(
        REPLACE,
        user_id,
        batch_id,
        server,
        tx.now,
        timer.last_global_refresh_at,
        timer.refresh_available_at,
        *([record[name] for record in records] for name in CARD),
    )
    return Batch(batch_id, tx.now, tuple(each.card for each in dealt)), version


async def get_shown_member(
    session: Session, card_id: UUID, viewer: UUID, retention: timedelta, *, allow_replaced: bool = False
) -> tuple[UUID, ServerType]:
    """The member on a card, and the server of its batch. The batch is the viewer's active one, or one that was replaced
    and is not purged within a day, by the machine's clock. Raises CardNotFound.
    """
    row = await session.row(GET_SHOWN_MEMBER, card_id, viewer, allow_replaced, retention - ACTION_MARGIN)
    if row is None:
        raise CardNotFound
    return row["shown_user_id"], ServerType(row["server_type"])


async def purge(tx: Tx, retention: timedelta, limit: int) -> int:
    """Deletes batches that were replaced longer ago than `retention`, by the machine's clock, with their cards. Those
    that a list shows are kept, and looked at again later. Returns the number of batches.
    """
    return await tx.run(PURGE, retention, limit)


def _record(dealt: DealtCard) -> dict[str, object]:
    card = dealt.card
    return {
        "id": card.id,
        "shown_user_id": dealt.shown_user_id,
        "profile_version": dealt.profile_version,
        "position": card.position,
        "age_band": card.age_band,
        "city": card.city,
        "place_id": dealt.place_id,
        "trust_level": card.trust_level,
        "hobbies": msgspec.json.encode(card.hobbies).decode(),
    }
