"""Partners: what each member of a connection saw of the other when it formed, and what they see now (DI-15)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

import msgspec
from unora_common.copies import Copy
from unora_common.database import Row, Session, Tx
from unora_common.rows import Columns, as_arrays, from_row

from unora_discovery.domain.cards import CardContent, CardHobby, PartnerCard
from unora_discovery.domain.pairs import Connection

STATE: Final = Columns("connection_id", "viewer_id", "shown_user_id", "version", "active")
COPY: Final = Copy(
    "discovery.partner_cards",
    ["connection_id", "viewer_id"],
    ["t.active"],
    version="version",
    forget="version = -1",
    vanish="active = false, version = 0",
)
MAX_PARTNERS: Final = 100
"""More partners than any tier has slots for, and than a lower tier leaves (MA-07)."""

HOBBIES: Final = """
    coalesce((
        SELECT jsonb_agg(h || jsonb_build_object('shared', coalesce(
            h ->> 'hobby_option_id' = ANY (v.hobby_option_ids), false)) ORDER BY n)
        FROM jsonb_array_elements(c.hobbies) WITH ORDINALITY AS each (h, n)), '[]') AS hobbies"""
"""The hobbies of `c` on a card for `v`."""

# The first event of a connection freezes what the pool says at that moment; what comes later changes the state only. An
# erased member is shown nothing any more (ID-09): the events of their connections may come late.
SAVE: Final = f"""
    INSERT INTO discovery.partner_cards AS p (
        {STATE.names()}, profile_version, age_band, city, place_id, trust_level, hobbies)
    SELECT DISTINCT ON (connection_id, viewer_id) {STATE.names("g")}, coalesce(c.profile_version, 0), c.age_band,
        coalesce(c.city, ''), coalesce(c.place_id, ''), coalesce(c.trust_level, 0), {HOBBIES}
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::boolean[]) AS g ({STATE.names()})
    LEFT JOIN discovery.candidates c ON c.user_id = g.shown_user_id
    LEFT JOIN discovery.candidates v ON v.user_id = g.viewer_id
    WHERE NOT EXISTS (SELECT FROM discovery.erased_members WHERE user_id = g.viewer_id)
    ORDER BY connection_id, viewer_id, g.version DESC
    ON CONFLICT (connection_id, viewer_id) DO UPDATE SET version = excluded.version, active = excluded.active
    WHERE p.version < excluded.version"""

# The ids of connections grow with time.
LIST_CARDS: Final = f"""
    SELECT p.connection_id, p.age_band, p.trust_level,
        CASE WHEN c.place_id <> '' THEN c.city ELSE '' END AS city, {HOBBIES}
    FROM discovery.partner_cards p
    JOIN discovery.candidates c ON c.user_id = p.shown_user_id
    LEFT JOIN discovery.candidates v ON v.user_id = p.viewer_id
    WHERE p.viewer_id = $1 AND p.active AND p.age_band IS NOT NULL
        AND NOT EXISTS (SELECT FROM discovery.member_blocks
            WHERE blocker_id = $1 AND blocked_id = p.shown_user_id AND in_force)
        AND NOT EXISTS (SELECT FROM discovery.member_blocks
            WHERE blocker_id = p.shown_user_id AND blocked_id = $1 AND in_force)
    ORDER BY p.connection_id DESC LIMIT {MAX_PARTNERS}"""


async def save(tx: Tx, connections: Iterable[Connection], *, active: bool) -> None:
    """Stores that connections formed, or ended; of each the newest version counts."""
    rows = [
        (each.connection_id, viewer, shown, each.version, active)
        for each in connections
        for viewer, shown in (each.user_ids, each.user_ids[::-1])
    ]
    await tx.run(SAVE, *as_arrays(rows))


async def list_cards(session: Session, viewer: UUID) -> list[PartnerCard]:
    """DI-15: the cards of all partners of a member, the newest connection first, at most MAX_PARTNERS."""
    return [PartnerCard(row["connection_id"], to_content(row)) for row in await session.rows(LIST_CARDS, viewer)]


def to_content(row: Row) -> CardContent:
    """What the columns of a row show."""
    return from_row(CardContent, row, hobbies=msgspec.json.decode(row["hobbies"], type=tuple[CardHobby, ...]))
