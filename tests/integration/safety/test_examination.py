"""Examining members whose counts have changed: one that cannot be examined delays no other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
from unora_common.database import Session
from unora_safety import jobs as safety_jobs
from unora_safety.domain.examinations import QueuedMember
from unora_safety.domain.patterns import Finding, History
from unora_safety.store import examination_queue
from unora_safety.use_cases.detection import load_histories
from unora_testing.deadlines import eventually
from unora_testing.world import World

from tests.integration.safety.counted_events import reported
from tests.integration.safety.moderators import Moderators

pytestmark = pytest.mark.rule("SA-04")


async def test_a_member_for_whom_the_detector_fails_delays_no_other_and_is_examined_again(
    world: World, moderators: Moderators, monkeypatch: pytest.MonkeyPatch
) -> None:
    (member, other), now = [world.caller(), world.caller()], await world.now()
    detector = world.apps["safety"].runtime.resources.detector
    examine = detector.examine

    async def fail_for_the_member(history: History) -> list[Finding]:
        if history.user_id == member.user:
            raise ConnectionResetError
        found: list[Finding] = await examine(history)
        return found

    with monkeypatch.context() as failing:
        failing.setattr(detector, "examine", fail_for_the_member)
        await world.publish(*(reported(each, now) for each in (member, other) for _ in range(3)))
    assert (len(await moderators.flags_of(member)), len(await moderators.flags_of(other))) == (0, 1)
    held = "SELECT taken_until > clock_timestamp() FROM safety.to_examine WHERE user_id = $1"
    assert await world.superuser.fetchval(held, member.user) is True
    await world.superuser.execute("UPDATE safety.to_examine SET taken_until = '-infinity'")
    await world.drain()
    assert len(await moderators.flags_of(member)) == 1
    assert await world.superuser.fetchval(held, member.user) is None


async def test_a_member_whose_history_cannot_be_read_delays_no_other(
    world: World, moderators: Moderators, monkeypatch: pytest.MonkeyPatch
) -> None:
    (member, other), now = [world.caller(), world.caller()], await world.now()

    async def fail_for_the_member(db: Session, users: Sequence[UUID]) -> list[History]:
        if member.user in users:
            raise ValueError("this version does not know the pattern")
        return await load_histories(db, users)

    with monkeypatch.context() as failing:
        failing.setattr(safety_jobs, "load_histories", fail_for_the_member)
        await world.publish(*(reported(each, now) for each in (member, other) for _ in range(3)))
        await world.superuser.execute("UPDATE safety.to_examine SET taken_until = '-infinity'")
        await world.drain()
        assert (len(await moderators.flags_of(member)), len(await moderators.flags_of(other))) == (0, 1)
    await world.superuser.execute("UPDATE safety.to_examine SET taken_until = '-infinity'")
    await world.drain()
    assert len(await moderators.flags_of(member)) == 1


async def test_a_member_claimed_by_a_dead_replica_can_be_claimed_after_the_lease(
    world: World, moderators: Moderators
) -> None:
    member, now = world.caller(), await world.now()
    await world.superuser.execute(
        "INSERT INTO safety.to_examine VALUES ($1, 1, clock_timestamp() + interval '1 minute')", member.user
    )
    await world.publish(*(reported(member, now) for _ in range(3)))
    assert await moderators.flags_of(member) == []
    await world.superuser.execute(
        "UPDATE safety.to_examine SET taken_until = clock_timestamp() - interval '1 second' WHERE user_id = $1",
        member.user,
    )
    await world.drain()
    assert len(await moderators.flags_of(member)) == 1


async def test_who_ends_an_examination_and_waits_for_one_member_holds_none_that_is_queued_after(world: World) -> None:
    """What queues members locks them by their ids, so this must too, or the two could wait for each other."""
    low, high = sorted(world.caller().user for _ in range(2))
    database = world.apps["safety"].runtime.database
    insert = "INSERT INTO safety.to_examine VALUES ($1, 1, 'infinity')"
    await world.superuser.executemany(insert, [(high,), (low,)])
    waiting = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%safety.to_examine%'"""

    async def finish() -> None:
        async with database.transaction() as tx:
            await examination_queue.finish(tx, [QueuedMember(each, 1) for each in (high, low)])

    async with database.transaction() as tx:
        await tx.rows("SELECT FROM safety.to_examine WHERE user_id = $1 FOR UPDATE", low)
        finishing = asyncio.ensure_future(finish())
        await eventually(lambda: world.superuser.fetchval(waiting), "it waits for the lower one")
        free = "SELECT FROM safety.to_examine WHERE user_id = $1 FOR UPDATE NOWAIT"
        assert len(await world.superuser.fetch(free, high)) == 1
    await finishing
    assert await world.superuser.fetchval("SELECT count(*) FROM safety.to_examine WHERE user_id = $1", low) == 0
