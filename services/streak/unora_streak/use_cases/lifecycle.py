"""The beginning and the end of a streak, with those of its connection (ST-01, ST-12)."""

from __future__ import annotations

from datetime import datetime

from unora_common.database import Tx
from unora_common.errors import RetryLater
from unora_common.ids import uuid7

from unora_streak.domain import machine
from unora_streak.domain.state import Connection, Policy
from unora_streak.messages import to_message
from unora_streak.store import streaks
from unora_streak.use_cases.advance import advance


async def start_streak(tx: Tx, connection: Connection, zone: str, formed_at: datetime, policy: Policy) -> None:
    """The connection formed (ST-01). Changes nothing if the connection has a streak, also one that ended already."""
    now = await tx.read_clock()
    streak, events = machine.begin(
        streak_id=uuid7(), connection=connection, zone=zone, formed_at=formed_at, now=now, policy=policy
    )
    if await streaks.insert(tx, streak):
        tx.emit(*map(to_message, events))


async def end_streak(tx: Tx, connection: Connection, ended_at: datetime, policy: Policy) -> None:
    """The connection ended (ST-12)."""
    locked = await streaks.lock_by_connection(tx, connection.id)
    if locked is None:
        await _store_ended_streak(tx, connection, ended_at, policy)
        return
    ended_at = min(ended_at, tx.now)
    before = await advance(tx, locked, policy, until=ended_at)
    after, events = machine.terminate(before, ended_at, tx.now, policy)
    await streaks.save(tx, after, events)
    tx.emit(*map(to_message, events))
    await streaks.leave_dashboard(tx, before.id, ended_at)


async def _store_ended_streak(tx: Tx, connection: Connection, ended_at: datetime, policy: Policy) -> None:
    """The event of the ending came before that of the beginning. The streak begins and ends here, so that the late
    event finds it and changes nothing. Raises RetryLater if the beginning is stored at this very moment.
    """
    now = await tx.read_clock()
    ended_at = min(ended_at, now)
    new, begun = machine.begin(
        streak_id=uuid7(), connection=connection, zone="UTC", formed_at=ended_at, now=now, policy=policy
    )
    streak, ended = machine.terminate(new, ended_at, now, policy)
    if not await streaks.insert(tx, streak):
        raise RetryLater
    tx.emit(*map(to_message, [*begun, *ended]))
    await streaks.leave_dashboard(tx, streak.id, ended_at)
