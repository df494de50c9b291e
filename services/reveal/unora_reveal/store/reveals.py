"""The reveals of members. The lock of the pair guards them."""

from __future__ import annotations

import json
from uuid import UUID

from unora_common.database import Row, Session, Tx
from unora_common.ids import uuid7
from unora_common.rows import from_row

from unora_reveal.domain.events import RevealEarned
from unora_reveal.domain.reveals import IDENTITY, OpenedIdentity, Reveal, StreakNotFound, get_by_number
from unora_reveal.domain.streaks import Streak
from unora_reveal.store import pairs

INSERT = """
    WITH two AS (
        INSERT INTO reveal.progressions (streak_id, user_id, tier)
        SELECT $2, user_id, tier FROM reveal.tiers WHERE user_id IN ($3, $4) ON CONFLICT DO NOTHING)
    INSERT INTO reveal.reveals (id, streak_id, connection_id, user_id, partner_id, reveal_number)
    SELECT ($5::uuid[])[5 * of_b + number], $2, $1,
           CASE of_b WHEN 0 THEN $3 ELSE $4 END, CASE of_b WHEN 0 THEN $4 ELSE $3 END, number
    FROM generate_series(0, 1) AS of_b, generate_series(1, 5) AS number
    ON CONFLICT DO NOTHING"""

EARN = """
    UPDATE reveal.reveals r SET reveal_status = 'earned', completed_days = $2, version = r.version + 1
    FROM reveal.progressions p JOIN reveal.reveal_milestones m USING (tier)
    WHERE r.streak_id = $1 AND r.reveal_status = 'locked' AND r.deleted_at IS NULL
      AND p.streak_id = r.streak_id AND p.user_id = r.user_id
      AND m.reveal_number = r.reveal_number AND m.reveal_day_required <= $2
    RETURNING r.id AS reveal_id, r.version, r.streak_id, r.user_id, r.reveal_number"""

EARN_BY_MEMBER = """
    UPDATE reveal.reveals r SET reveal_status = 'earned', completed_days = p.completed_days, version = r.version + 1
    FROM reveal.pairs p, reveal.progressions g JOIN reveal.reveal_milestones m USING (tier)
    WHERE r.user_id = $1 AND r.reveal_status = 'locked' AND r.deleted_at IS NULL
      AND g.user_id = $1 AND g.streak_id = r.streak_id
      AND p.streak_id = r.streak_id AND p.ended_at IS NULL
      AND m.reveal_number = r.reveal_number AND m.reveal_day_required <= p.completed_days
    RETURNING r.id AS reveal_id, r.version, r.streak_id, r.user_id, r.reveal_number"""

# The requirement's read path: one query, whatever it shows. The day of the milestone is not selected (RE-02).
LIST = """
    SELECT r.id, r.streak_id, r.connection_id, r.user_id, r.partner_id, r.reveal_number AS number,
           r.reveal_status AS status, r.unlocked_at, r.version, p.completed_days, p.ended_at IS NOT NULL AS ended,
           m.reveal_day_required IS NULL AS for_sale,
           CASE WHEN r.reveal_status = 'unlocked' THEN c.content_json END AS framed,
           CASE WHEN r.reveal_number = 3 THEN s.scores END AS scores,
           clock.now() AS read_at
    FROM reveal.reveals r
    JOIN reveal.pairs p USING (connection_id)
    JOIN reveal.progressions g ON g.streak_id = r.streak_id AND g.user_id = r.user_id
    JOIN reveal.reveal_milestones m ON m.tier = g.tier AND m.reveal_number = r.reveal_number
    LEFT JOIN reveal.reveal_contents c ON c.reveal_id = r.id AND c.deleted_at IS NULL
    LEFT JOIN reveal.personality_scores s ON s.user_id = r.partner_id
    WHERE r.streak_id = $1 AND r.user_id = $2 AND r.deleted_at IS NULL
    ORDER BY r.reveal_number"""

# By the index of the member's progressions; there are as many as the member has connections.
LIST_OPENED_IDENTITIES = f"""
    SELECT r.streak_id, r.connection_id, r.user_id, r.partner_id, coalesce(c.photo_ids, '{{}}') AS photo_ids
    FROM reveal.progressions g
    JOIN reveal.pairs p ON p.streak_id = g.streak_id AND p.ended_at IS NULL
    JOIN reveal.reveals r ON r.streak_id = g.streak_id AND r.user_id = g.user_id AND r.reveal_number = {IDENTITY}
    LEFT JOIN reveal.reveal_contents c ON c.reveal_id = r.id AND c.deleted_at IS NULL
    WHERE g.user_id = $1 AND r.reveal_status = 'unlocked' AND r.deleted_at IS NULL
    ORDER BY r.unlocked_at, r.id LIMIT 20"""

# Nothing was told of a locked one.
LIST_STATES = """
    SELECT streak_id, user_id, reveal_number, version, reveal_status <> 'unlocked' AS waiting FROM reveal.reveals
    WHERE streak_id > $1 AND reveal_status <> 'locked' AND deleted_at IS NULL
    ORDER BY streak_id FETCH FIRST $2 ROWS WITH TIES"""

UNLOCK = """
    UPDATE reveal.reveals SET reveal_status = 'unlocked', unlocked_at = $2, version = version + 1 WHERE id = $1"""


async def insert_for_both(tx: Tx, streak: Streak) -> None:
    """Makes five locked reveals for each of the two members (RE-01), with the tiers that the members have now."""
    ids = [uuid7() for _ in range(10)]
    await tx.run(INSERT, streak.connection_id, streak.id, streak.user_a_id, streak.user_b_id, ids)


async def earn(tx: Tx, streak_id: UUID, completed_days: int) -> list[RevealEarned]:
    """Marks as earned what is due for both members, each by their own tier (RE-02, RE-03). Returns what was earned."""
    return _earned(tx, await tx.rows(EARN, streak_id, completed_days))


async def earn_by_member(tx: Tx, user_id: UUID) -> list[RevealEarned]:
    """Marks as earned what is due for one member, in all their streaks; their pairs are locked (RE-08)."""
    return _earned(tx, await tx.rows(EARN_BY_MEMBER, user_id))


async def list_by_member(session: Session, streak_id: UUID, user_id: UUID) -> list[Reveal]:
    """A member's five reveals by number. Raises StreakNotFound, also for another member's streak (XX-04)."""
    rows = await session.rows(LIST, streak_id, user_id)
    if not rows:
        raise StreakNotFound
    return [_reveal(row) for row in rows]


async def get(session: Session, streak_id: UUID, user_id: UUID, number: int) -> Reveal:
    """One of a member's reveals. Raises StreakNotFound, also for another member's streak (XX-04)."""
    return get_by_number(await list_by_member(session, streak_id, user_id), number)


async def list_opened_identities(session: Session, user_id: UUID) -> list[OpenedIdentity]:
    """The reveals 5 that a member has opened and whose connection goes on, by the time of their opening."""
    return [from_row(OpenedIdentity, row) for row in await session.rows(LIST_OPENED_IDENTITIES, user_id)]


async def list_states_after(session: Session, streak_id: UUID, limit: int) -> list[Row]:
    """A page of the reveals that are not locked, by streak, from the one after this streak on; all of a streak."""
    return await session.rows(LIST_STATES, streak_id, limit)


async def lock(tx: Tx, streak_id: UUID, user_id: UUID) -> list[Reveal]:
    """As `list_by_member`, under the pair's lock; sets tx.now."""
    await pairs.lock(tx, streak_id)
    return await list_by_member(tx, streak_id, user_id)


async def save_unlocked(tx: Tx, reveal: Reveal) -> None:
    """Stores the first opening."""
    await tx.run(UNLOCK, reveal.id, reveal.unlocked_at)


def _earned(tx: Tx, rows: list[Row]) -> list[RevealEarned]:
    return [from_row(RevealEarned, row, occurred_at=tx.now) for row in rows]


def _reveal(row: Row) -> Reveal:
    framed, scores = row["framed"], row["scores"]
    documents = {"framed": json.loads(framed) if framed else None, "scores": json.loads(scores) if scores else {}}
    return from_row(Reveal, row, **documents)
