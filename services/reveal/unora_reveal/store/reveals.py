"""Reveals in Postgres: functions on an open transaction or session.

The lock of the pair's row guards all reveals of the two, and comes first. What hangs on it is read by the statement
after: one that waits for a lock still sees the rows beside it as they were when it began.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from unora.reveal.v1.events_pb2 import RevealEarned, RevealUnlocked
from unora_common.database import Row, Session, Tx
from unora_common.ids import uuid7

from unora_reveal.domain.facts import Framed
from unora_reveal.domain.personality import Dimension, Score
from unora_reveal.domain.purchases import Offer
from unora_reveal.domain.reveals import Look, Status, StreakNotFound
from unora_reveal.messages import to_event
from unora_reveal.store import tiers
from unora_reveal.store.personality import to_scores

# Days only grow, and only while the connection lasts. With $4, also if the streak is only now heard of.
REACH = """
    UPDATE reveal.pairs SET
        streak_id = $2,
        completed_days = CASE WHEN ended_at IS NULL THEN greatest(completed_days, $3) ELSE completed_days END
    WHERE connection_id = $1 AND ($4 OR streak_id = $2)
    RETURNING completed_days, ended_at, clock.now() AS now,
        EXISTS (SELECT FROM reveal.progressions WHERE streak_id = $2) AS begun"""

# Whichever message comes first makes the row. Without the streak, whose index would not let two insert at once.
MEET = """
    INSERT INTO reveal.pairs (connection_id, user_a_id, user_b_id, completed_days) VALUES ($1, $2, $3, 0)
    ON CONFLICT (connection_id) DO NOTHING"""

BEGIN = """
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
    RETURNING r.id, r.version, r.streak_id, r.user_id, r.reveal_number"""

EARN_DUE = """
    UPDATE reveal.reveals r SET reveal_status = 'earned', completed_days = p.completed_days, version = r.version + 1
    FROM reveal.pairs p, reveal.progressions g JOIN reveal.reveal_milestones m USING (tier)
    WHERE r.user_id = $1 AND r.reveal_status = 'locked' AND r.deleted_at IS NULL
      AND g.user_id = $1 AND g.streak_id = r.streak_id
      AND p.streak_id = r.streak_id AND p.ended_at IS NULL
      AND m.reveal_number = r.reveal_number AND m.reveal_day_required <= p.completed_days
    RETURNING r.id, r.version, r.streak_id, r.user_id, r.reveal_number"""

END = """
    INSERT INTO reveal.pairs AS p (connection_id, user_a_id, user_b_id, completed_days, ended_at)
    VALUES ($1, $2, $3, 0, $4)
    ON CONFLICT (connection_id) DO UPDATE SET ended_at = excluded.ended_at WHERE p.ended_at IS NULL"""

# The requirement's read path: one query, whatever it shows. The day that a milestone needs goes no further (RE-02).
LIST = """
    SELECT r.id, r.streak_id, r.connection_id, r.user_id, r.partner_id, r.reveal_number, r.reveal_status,
           r.unlocked_at, r.version, p.completed_days, p.ended_at IS NOT NULL AS ended,
           m.reveal_day_required IS NULL AS for_sale,
           CASE WHEN r.reveal_status = 'unlocked' THEN c.content_json END AS content_json,
           CASE WHEN r.reveal_number = 3 THEN s.scores END AS scores,
           clock.now() AS now
    FROM reveal.reveals r
    JOIN reveal.pairs p USING (connection_id)
    JOIN reveal.progressions g ON g.streak_id = r.streak_id AND g.user_id = r.user_id
    JOIN reveal.reveal_milestones m ON m.tier = g.tier AND m.reveal_number = r.reveal_number
    LEFT JOIN reveal.reveal_contents c ON c.reveal_id = r.id AND c.deleted_at IS NULL
    LEFT JOIN reveal.personality_scores s ON s.user_id = r.partner_id
    WHERE r.streak_id = $1 AND r.user_id = $2 AND r.deleted_at IS NULL
    ORDER BY r.reveal_number"""

LOCK_PAIR = """
    WITH p AS MATERIALIZED (SELECT connection_id FROM reveal.pairs WHERE streak_id = $1 FOR UPDATE)
    SELECT clock.now() AS now FROM p"""

UNLOCK = """
    UPDATE reveal.reveals SET reveal_status = 'unlocked', unlocked_at = $2, version = version + 1 WHERE id = $1"""

KEEP_TEXT = """
    INSERT INTO reveal.reveal_contents (reveal_id, reveal_number, content_json, created_at) VALUES ($1, $2, $3, $4)"""

LINK_PHOTOS = """
    INSERT INTO reveal.reveal_contents AS c (reveal_id, reveal_number, photo_ids, created_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (reveal_id) DO UPDATE SET
        photo_ids = ARRAY(SELECT DISTINCT unnest(c.photo_ids || excluded.photo_ids) ORDER BY 1)
    WHERE NOT c.photo_ids @> excluded.photo_ids"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """A streak as streak tells of it."""

    id: UUID
    connection_id: UUID
    user_a_id: UUID
    user_b_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One reveal of a member, with how far the pair has come."""

    id: UUID
    streak_id: UUID
    connection_id: UUID
    user_id: UUID
    partner_id: UUID
    number: int
    status: Status
    unlocked_at: datetime | None
    version: int
    completed_days: int
    ended: bool
    for_sale: bool
    """The member's tier has no day for it."""
    framed: Framed | None
    """The text that was given; never of reveal 3 and 5."""
    scores: dict[Dimension, Score]
    """The partner's, for reveal 3 only."""
    now: datetime
    """When it was read, by the rule clock."""

    @property
    def look(self) -> Look:
        """The member's, at their partner."""
        return Look(self.streak_id, self.connection_id, self.user_id, self.partner_id)

    @property
    def offer(self) -> Offer:
        """As the shop sees it."""
        return Offer(number=self.number, status=self.status, for_sale=self.for_sale)


async def reach(tx: Tx, streak: Streak, completed_days: int) -> None:
    """The streak has come so far, as it began or as a day was completed: what is due is earned, and told (RE-02).

    Messages repeat and come in any order: the most days count, and the rows are made by whichever comes first. After
    the connection's end the rows are there, and stay as they are (RE-10).
    """
    pair = (streak.user_a_id, streak.user_b_id)
    days = (streak.connection_id, streak.id, completed_days)
    rows = await tx.lock(REACH, *days, False)
    if not rows:
        await tiers.hold(tx, pair)  # before the pair, so that a change of tier finds the progression or is found by it
        await tx.run(MEET, streak.connection_id, *pair)
        rows = await tx.lock(REACH, *days, True)
    (reached,) = rows
    if not reached["begun"]:
        await tx.run(BEGIN, streak.connection_id, streak.id, *pair, [uuid7() for _ in range(10)])
    if reached["ended_at"] is None:
        _tell_earned(tx, await tx.rows(EARN, streak.id, reached["completed_days"]))


async def earn_due(tx: Tx, member: UUID) -> None:
    """What a member's new tier gives at the days already reached, in all their streaks; their pairs are locked."""
    _tell_earned(tx, await tx.rows(EARN_DUE, member))


def _tell_earned(tx: Tx, rows: Sequence[Row]) -> None:
    for row in rows:
        whose = (row["streak_id"], row["user_id"], row["reveal_number"])
        tx.emit(to_event(RevealEarned, row["id"], row["version"], *whose, tx.now))


async def end(tx: Tx, connection_id: UUID, user_a_id: UUID, user_b_id: UUID, at: datetime) -> None:
    """The connection is over: nothing is earned or opened from here on, also if its streak is not known yet (RE-10)."""
    await tx.run(END, connection_id, user_a_id, user_b_id, at)


async def of_member(session: Session, streak_id: UUID, member: UUID) -> list[Stored]:
    """A member's five reveals by number, with the texts of those that are open; another's streak is none (XX-04)."""
    rows = await session.rows(LIST, streak_id, member)
    if not rows:
        raise StreakNotFound
    return [_stored(row) for row in rows]


async def one(session: Session, streak_id: UUID, member: UUID, number: int) -> Stored:
    """One of a member's reveals; another's streak is none (XX-04)."""
    (found,) = (each for each in await of_member(session, streak_id, member) if each.number == number)
    return found


async def lock(tx: Tx, streak_id: UUID, member: UUID) -> list[Stored]:
    """A member's five under the pair's lock; sets tx.now."""
    await tx.lock(LOCK_PAIR, streak_id)
    return await of_member(tx, streak_id, member)


async def unlock(tx: Tx, reveal: Stored) -> None:
    """Opens a reveal for the first time, and tells it."""
    await tx.run(UNLOCK, reveal.id, tx.now)
    whose = (reveal.streak_id, reveal.user_id, reveal.number)
    tx.emit(to_event(RevealUnlocked, reveal.id, reveal.version + 1, *whose, tx.now))


async def keep_text(tx: Tx, reveal: Stored, framed: Framed) -> None:
    """The text of an opened reveal, for good (RE-09)."""
    content = json.dumps({"title": framed.title, "text": framed.text})
    await tx.run(KEEP_TEXT, reveal.id, reveal.number, content, tx.now)


async def link_photos(tx: Tx, reveal: Stored, photo_ids: Sequence[UUID]) -> None:
    """Which photos the identity has shown (RE-12)."""
    await tx.run(LINK_PHOTOS, reveal.id, reveal.number, sorted(photo_ids), tx.now)


def _stored(row: Row) -> Stored:
    content = row["content_json"]
    return Stored(
        id=row["id"],
        streak_id=row["streak_id"],
        connection_id=row["connection_id"],
        user_id=row["user_id"],
        partner_id=row["partner_id"],
        number=row["reveal_number"],
        status=Status(row["reveal_status"]),
        unlocked_at=row["unlocked_at"],
        version=row["version"],
        completed_days=row["completed_days"],
        ended=row["ended"],
        for_sale=row["for_sale"],
        framed=None if content is None else Framed(**json.loads(content)),
        scores=to_scores(row["scores"]),
        now=row["now"],
    )
