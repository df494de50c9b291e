"""Streaks as members see them: every step of time that is due is shown; storing it is the sweep's work (ST-16)."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Session

from unora_streak.domain import machine
from unora_streak.domain.check_ins import CheckIn
from unora_streak.domain.state import Policy, Streak
from unora_streak.store import check_ins, streaks


async def list_dashboard(session: Session, policy: Policy) -> list[Streak]:
    """The streaks of all the member's active connections over all servers, oldest first, in one read (ST-15)."""
    stored = await streaks.list_dashboard(session, session.user)
    return [machine.advance(streak, now, policy)[0] for streak, now in stored]


async def get_streak(session: Session, streak_id: UUID, policy: Policy) -> tuple[Streak, list[CheckIn]]:
    """One streak of the member, with the check-ins of its cycle. Raises NotInStreak."""
    stored, now = await streaks.get(session, streak_id, session.user)
    streak, _ = machine.advance(stored, now, policy)
    return streak, await check_ins.list_by_cycle(session, streak.id, streak.cycle)
