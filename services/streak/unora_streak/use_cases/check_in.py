"""Check-ins (ST-04, ST-05, ST-06, ST-10)."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Database, Tx

from unora_streak.clients import Directory
from unora_streak.domain import machine
from unora_streak.domain.state import Effort, Policy, State, Streak
from unora_streak.messages import to_message
from unora_streak.store import streaks
from unora_streak.use_cases.advance import advance


class TimeZoneNeeded(Exception):
    """The check-in begins a new cycle. Its days follow the pair's time zone at this moment (ST-03), which identity has
    to be asked for before the transaction.
    """


async def check_in(tx: Tx, streak_id: UUID, effort: Effort, zone: str | None, policy: Policy) -> Streak:
    """The member checks in; returns the streak after it. `zone` is the pair's at this moment, or None if identity was
    not asked. Raises TimeZoneNeeded if there is none and a new cycle begins.
    """
    locked = await streaks.lock(tx, streak_id, tx.user)
    before = await advance(tx, locked, policy)  # days that are over are closed first (ST-16)
    if before.state is State.RESET and zone is None:
        raise TimeZoneNeeded
    after, events = machine.check_in(before, tx.user, effort, tx.now, zone or before.zone, policy)
    await streaks.save(tx, after, events)
    tx.emit(*map(to_message, events))
    return after


async def get_pair_zone(database: Database, directory: Directory, streak_id: UUID, member: UUID) -> str:
    """Asks identity for the time zone that a new cycle of the member's streak has (ST-03)."""
    async with database.session(member) as session:
        streak, _ = await streaks.get(session, streak_id, member)
    return await directory.get_pair_zone(streak.user_a_id, streak.user_b_id)
