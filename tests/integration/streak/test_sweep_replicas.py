"""The sweep on real replicas: connections that die, rows that are refused, and two sweeps at once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from unora.streak.v1.events_pb2 import DayBegan, PaymentWindowOpened, StreakReset
from unora.streak.v1.streak_service_pb2 import STREAK_STATE_RESET
from unora_common.app import App
from unora_common.database import Tx
from unora_streak.jobs import StreakJobs
from unora_streak.store import breaks, closings
from unora_testing.world import World

from tests.integration.streak.conftest import Couple
from tests.measures import value
from tests.replicas import replica
from tests.roles import LOST
from tests.support import connect


async def _pairs(world: World, count: int) -> list[str]:
    """The ids of the streaks of new pairs."""
    connections = [(await connect(world)).connection_id for _ in range(count)]
    rows = await world.superuser_of("streak").fetch(
        "SELECT id FROM streak.streaks WHERE connection_id = ANY ($1::uuid[])",
        [UUID(str(each)) for each in connections],
    )
    return [str(row["id"]) for row in rows]


async def _resets(world: World, streak_ids: Sequence[str]) -> list[int]:
    return [len(await world.events(StreakReset, streak_id)) for streak_id in streak_ids]


@pytest.mark.rule("ST-16")
@pytest.mark.parametrize("point", ["locked", "streaks and events written", "breaks written"])
async def test_a_sweep_whose_connection_dies_leaves_nothing_half(
    world: World, couple: Couple, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await couple.play(1)
    await couple.to_next_day()
    await couple.to_at_risk()
    others = await _pairs(world, 3)
    await couple.jump(await couple.day_ends_at() + timedelta(hours=30))
    before = await world.superuser_of("streak").fetch("SELECT * FROM streak.streaks ORDER BY id")

    async def die(tx: Tx) -> None:
        await world.superuser_of("streak").execute(
            "SELECT pg_terminate_backend($1)", await tx.value("SELECT pg_backend_pid()")
        )

    save, save_closed = closings.save, breaks.save_closed

    async def dying_save(tx: Tx, *arguments: Any) -> None:
        if point == "locked":
            await die(tx)
        await save(tx, *arguments)

    async def dying_breaks(tx: Tx, *arguments: Any) -> None:
        if point == "streaks and events written":
            await die(tx)
        await save_closed(tx, *arguments)
        if point == "breaks written":
            await die(tx)

    with monkeypatch.context() as patched:
        patched.setattr(closings, "save", dying_save)
        patched.setattr(breaks, "save_closed", dying_breaks)
        async with replica(world, "streak") as other:
            with pytest.raises(LOST):
                await StreakJobs(other.runtime).close_days()
    assert await world.superuser_of("streak").fetch("SELECT * FROM streak.streaks ORDER BY id") == before
    await world.drain()
    assert len(await couple.events(PaymentWindowOpened)) == 1
    assert await _resets(world, others) == [1, 1, 1]


@pytest.mark.rule("ST-02", "ST-16")
async def test_a_streak_that_the_database_refuses_is_left_out_and_the_others_close(
    world: World, couple: Couple
) -> None:
    """Its event is there already, so the statement for all streaks of its kind fails."""
    others = await _pairs(world, 6)
    refused = others.pop(2)
    row = await world.superuser_of("streak").fetchrow(
        "SELECT id, version FROM streak.streaks WHERE id = $1", UUID(refused)
    )
    assert row is not None
    await world.superuser_of("streak").execute(
        """INSERT INTO streak.outbox (id, aggregate_id, aggregate_version, subject, payload, occurred_at, trace,
        published_at) VALUES (gen_random_uuid(), $1, $2, 'unora.streak.v1.refused', '', now(), '', now())""",
        row["id"],
        row["version"] + 1,
    )
    await couple.jump(await couple.day_ends_at() + timedelta(minutes=1))
    async with replica(world, "streak") as other:
        sweep = next(each for each in other.jobs if each.name == "close_days")
        for _ in range(100):
            if not await sweep.step():
                break
        else:
            pytest.fail("the sweep always finds work")
        assert value(other, "unora_job_rows_failed_total", job_name="close_days") == 1
        assert value(other, "unora_jobs_done_total", job_name="close_days") == 12, (
            "two steps each; what failed is not done"
        )
    states = "SELECT streak_state, version FROM streak.streaks WHERE id = $1"
    (left,) = await world.superuser_of("streak").fetch(states, UUID(refused))
    assert tuple(left) == ("active", row["version"])
    await world.superuser_of("streak").execute(
        "DELETE FROM streak.outbox WHERE aggregate_id = $1 AND payload = ''", row["id"]
    )
    await world.drain()
    assert await _resets(world, [*others, refused, couple.streak_id]) == [1] * 7


@pytest.mark.rule("ST-16")
@pytest.mark.parametrize("most", [3, 0])
async def test_a_batch_that_postgres_gives_up_is_tried_smaller_and_one_streak_holds_up_no_other(
    world: World, couple: Couple, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a slow server a large batch takes longer than a statement may. With 0, it is one streak that always does."""
    ids = await _pairs(world, 6)
    slow = UUID(ids[2])
    await couple.jump(await couple.day_ends_at() + timedelta(minutes=1))
    save = closings.save

    async def slow_save(tx: Tx, closed: Sequence[Any], payload: str) -> None:
        found = [each for one in closed for each in one.ids]
        if len(found) > most if most else slow in found:
            raise asyncpg.QueryCanceledError("canceling statement due to statement timeout")
        await save(tx, closed, payload)

    with monkeypatch.context() as patched:
        patched.setattr(closings, "save", slow_save)
        async with replica(world, "streak", sweep_batch=8) as other:
            jobs = StreakJobs(other.runtime)
            for _ in range(30):
                with contextlib.suppress(asyncpg.QueryCanceledError):
                    await jobs.close_days()
    states = "SELECT id FROM streak.streaks WHERE streak_state = 'active' AND next_due_at <= clock.now()"
    left = {row["id"] for row in await world.superuser.fetch(states)}
    assert left == (set() if most else {slow})
    await world.drain()
    assert await _resets(world, [*ids, couple.streak_id]) == [1] * 7


@pytest.mark.rule("ST-16")
async def test_two_replicas_close_each_of_many_streaks_once(world: World, couple: Couple) -> None:
    ids = await _pairs(world, 12)
    await couple.jump(await couple.day_ends_at() + timedelta(minutes=1))

    async def run(app: App[Any, Any]) -> int:
        jobs, done = StreakJobs(app.runtime), 0
        while locked := await jobs.close_days():
            done += locked
        return done

    async with replica(world, "streak", sweep_batch=2) as one, replica(world, "streak", sweep_batch=2) as other:
        done = await asyncio.gather(run(one), run(other))
    assert sum(done) == 2 * 13  # each day was told to end soon (ST-23), and closed
    await world.drain()
    assert await _resets(world, [*ids, couple.streak_id]) == [1] * 13


@pytest.mark.rule("ST-16")
async def test_streaks_that_are_days_behind_close_each_day_in_order(world: World, couple: Couple) -> None:
    await couple.play(2)
    end = await couple.day_ends_at()
    await couple.jump(end + timedelta(days=5))
    await world.drain()
    began, reset = (await couple.events(DayBegan))[-1], (await couple.events(StreakReset))[0]
    assert [event.occurred_at.ToDatetime(UTC) for event in (began, reset)] == [end, end + timedelta(days=1)]
    assert reset.version == began.version + 2  # between them it was told that the day ends soon (ST-23)
    assert (await couple.now()).state == STREAK_STATE_RESET
