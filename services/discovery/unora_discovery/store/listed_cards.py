"""Cards that lists show as they were dealt, also after their batch was purged (DI-16)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from unora_common.copies import DELETE, Copy
from unora_common.database import Session, Tx
from unora_common.rows import Columns, as_arrays, from_row

from unora_discovery.domain.cards import CardContent, ListedCard
from unora_discovery.domain.pairs import CardInterest
from unora_discovery.store.batches import CHECK_INTERVAL
from unora_discovery.store.screens import SHOWN, shown_hobbies

CARD_INTEREST: Final = Columns("interest_id", "card_id", "version", "sent", "over_at")
COLUMNS: Final = Columns("shown_user_id", "profile_version", "age_band", "city", "place_id", "trust_level", "hobbies")

# When one stopped to look sent is told by its event alone; here it says when it may be purged.
INTERESTS: Final = Copy(
    "discovery.card_interests",
    ["interest_id"],
    ["t.card_id", "t.sent"],
    version="version",
    forget=DELETE,
    vanish=DELETE,
)
SAVE_INTERESTS: Final = f"""
    INSERT INTO discovery.card_interests AS i ({CARD_INTEREST.names()})
    SELECT DISTINCT ON (interest_id) *
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::boolean[], $5::timestamptz[])
        AS given ({CARD_INTEREST.names()})
    ORDER BY interest_id, version DESC
    ON CONFLICT (interest_id) DO UPDATE
    SET version = excluded.version, sent = excluded.sent, over_at = excluded.over_at
    WHERE i.version < excluded.version"""

# A card is in one of the two tables, since one statement moves it. Of the member shown it reads what SCREEN reads.
# OFFSET 0 keeps each look-up a look-up by its id.
DEALT: Final = f"""
    SELECT k.card_id, k.connection_id, {SHOWN} FROM (
        SELECT k.id AS card_id, NULL::uuid AS connection_id, {COLUMNS.names("k")}
        FROM unnest($2::uuid[]) AS asked
        CROSS JOIN LATERAL (SELECT * FROM discovery.discovery_cards WHERE id = asked OFFSET 0) AS k
        CROSS JOIN LATERAL (
            SELECT FROM discovery.discovery_batches WHERE id = k.batch_id AND user_id = $1 OFFSET 0) AS b
        UNION ALL
        SELECT k.id, NULL, {COLUMNS.names("k")}
        FROM unnest($2::uuid[]) AS asked
        CROSS JOIN LATERAL (SELECT * FROM discovery.kept_cards WHERE id = asked OFFSET 0) AS k
        WHERE k.viewer_id = $1
        UNION ALL
        SELECT NULL, p.connection_id, {COLUMNS.names("p")}
        FROM unnest($3::uuid[]) AS asked
        CROSS JOIN LATERAL (
            SELECT * FROM discovery.partner_cards
            WHERE connection_id = asked AND viewer_id = $1 AND age_band IS NOT NULL OFFSET 0) AS p) AS k
    LEFT JOIN LATERAL (
        SELECT * FROM discovery.candidates
        WHERE user_id = k.shown_user_id AND (texts_version > k.profile_version OR k.place_id = '') OFFSET 0
    ) AS shown ON true"""

# Nobody is told when a list shows a card no longer, so each kept card is looked at again from time to time.
CHECK: Final = f"""
    WITH due AS MATERIALIZED (
        SELECT id, viewer_id, shown_user_id FROM discovery.kept_cards
        WHERE check_at < (SELECT clock_timestamp()) ORDER BY check_at LIMIT $1 FOR UPDATE SKIP LOCKED),
    listed AS MATERIALIZED (
        SELECT id FROM due
        WHERE EXISTS (SELECT FROM discovery.card_interests WHERE card_id = due.id OFFSET 0)
            OR EXISTS (SELECT FROM discovery.member_blocks
                WHERE blocker_id = due.viewer_id AND blocked_id = due.shown_user_id AND in_force OFFSET 0)),
    again AS (
        UPDATE discovery.kept_cards SET check_at = clock_timestamp() + {CHECK_INTERVAL}
        WHERE id = ANY (ARRAY(SELECT id FROM listed))),
    gone AS (
        DELETE FROM discovery.kept_cards WHERE id = ANY (ARRAY(SELECT id FROM due EXCEPT SELECT id FROM listed)))
    SELECT count(*) FROM due"""

PURGE_INTERESTS: Final = """
    DELETE FROM discovery.card_interests WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM discovery.card_interests
        WHERE over_at < (SELECT clock_timestamp() - $1::interval)
        ORDER BY over_at LIMIT $2 FOR UPDATE SKIP LOCKED))"""


async def save_interests(tx: Tx, interests: Iterable[CardInterest | None]) -> None:
    """Stores what interests say on their cards; the newest version of each counts. Those without a card are left
    out.
    """
    rows = [CARD_INTEREST.values_of(each) for each in interests if each]
    if rows:
        await tx.run(SAVE_INTERESTS, *as_arrays(rows))


async def list_dealt(
    session: Session, viewer: UUID, cards: Sequence[UUID], connections: Sequence[UUID]
) -> list[ListedCard]:
    """What these cards of a viewer showed when they were dealt, and what partners showed when these connections
    formed; without what is not stored, or another member's.
    """
    rows = await session.rows(DEALT, viewer, list(cards), list(connections))
    return [
        ListedCard(row["card_id"], row["connection_id"], from_row(CardContent, row, hobbies=shown_hobbies(row)))
        for row in rows
    ]


async def check_kept(tx: Tx, limit: int) -> int:
    """Deletes kept cards that no list shows any more, and looks at the others again later, by the machine's clock.
    Returns how many it looked at.
    """
    looked: int = await tx.value(CHECK, limit)
    return looked


async def purge_interests(tx: Tx, retention: timedelta, limit: int) -> int:
    """Deletes what is known of the cards of interests that were over longer ago than `retention`, by the machine's
    clock. Returns the number.
    """
    return await tx.run(PURGE_INTERESTS, retention, limit)
