"""What other contexts keep of streaks, by page, in the order of ids (XX-08)."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Row, Session

# A day that both checked in on was counted, whatever became of its cycle.
LIST_PROGRESS = """
    SELECT s.id, s.connection_id, s.user_a_id, s.user_b_id, greatest(s.completed_days, (
        SELECT max(counted.day) FROM (
            SELECT max(c.day) AS day FROM streak.check_ins c WHERE c.streak_id = s.id
            GROUP BY c.cycle, c.check_in_date HAVING count(*) = 2) counted)) AS most_completed_days
    FROM (
        SELECT * FROM streak.streaks WHERE connection_id > $1 AND deleted_at IS NULL ORDER BY connection_id LIMIT $2) s
    ORDER BY s.connection_id"""

LIST_COMPLETED = """
    SELECT id, connection_id, user_a_id, user_b_id, ended_at FROM streak.streaks
    WHERE connection_id > $1 AND streak_state = 'completed' AND deleted_at IS NULL ORDER BY connection_id LIMIT $2"""

LIST_MEMBERS = """
    SELECT user_id, min(ended_at) AS completed_at FROM (
        (SELECT user_a_id AS user_id, ended_at FROM streak.streaks
         WHERE user_a_id > $1 AND streak_state = 'completed' AND deleted_at IS NULL
         ORDER BY user_a_id FETCH FIRST $2 ROWS WITH TIES)
        UNION ALL
        (SELECT user_b_id, ended_at FROM streak.streaks
         WHERE user_b_id > $1 AND streak_state = 'completed' AND deleted_at IS NULL
         ORDER BY user_b_id FETCH FIRST $2 ROWS WITH TIES)) each
    GROUP BY user_id ORDER BY user_id LIMIT $2"""


async def list_progress(session: Session, after: UUID, limit: int) -> list[Row]:
    """A page of all streaks, by connection, each with the most days that it ever counted."""
    return await session.rows(LIST_PROGRESS, after, limit)


async def list_completed(session: Session, after: UUID, limit: int) -> list[Row]:
    """A page of the completed streaks, by connection."""
    return await session.rows(LIST_COMPLETED, after, limit)


async def list_members(session: Session, after: UUID, limit: int) -> list[Row]:
    """A page of the members who have completed a streak, with the time of the first (UTC)."""
    return await session.rows(LIST_MEMBERS, after, limit)
