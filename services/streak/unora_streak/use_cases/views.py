"""Streaks as members see them: every step of time that is due is shown; storing it is the sweep's work (ST-16)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Session
from unora_common.pages import Place

from unora_streak.domain import machine
from unora_streak.domain.check_ins import CheckIn
from unora_streak.domain.history import FinishedCycle
from unora_streak.domain.state import Policy
from unora_streak.domain.views import Plans, View, view
from unora_streak.store import check_ins, history, streaks


async def list_dashboard(session: Session, policy: Policy, plans: Plans) -> tuple[list[View], datetime]:
    """The streaks of all the member's active connections over all servers, oldest first, in one read (ST-15), and when
    it was read (UTC).
    """
    stored, now = await streaks.list_dashboard(session, session.user)
    return [_view(session, each, now, policy, plans) for each in stored], now


async def get_streak(
    session: Session, streak_id: UUID, policy: Policy, plans: Plans
) -> tuple[View, list[CheckIn], datetime]:
    """One streak of the member, the check-ins of its cycle, and when it was read (UTC). Raises NotInStreak."""
    stored, now = await streaks.get_shown(session, streak_id, session.user)
    shown = _view(session, stored, now, policy, plans)
    return shown, await check_ins.list_by_cycle(session, streak_id, shown.streak.cycle), now


async def list_history(session: Session, after: Place | None, limit: int, policy: Policy) -> list[FinishedCycle]:
    """The member's finished cycles of all streaks, the newest first (ST-22)."""
    stored = await streaks.list_by_member(session, session.user)
    advanced = [machine.advance(each.streak, each.now, policy)[0] for each in stored]
    return await history.list_finished(session, advanced, after, limit)


def _view(session: Session, shown: streaks.Shown, now: datetime, policy: Policy, plans: Plans) -> View:
    streak, _ = machine.advance(shown.streak, now, policy)
    return view(streak, session.user, shown.extras, plans)
