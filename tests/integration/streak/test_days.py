"""Days end without a call: the sweep, through the service and the database."""

from __future__ import annotations

import asyncio
from datetime import UTC, timedelta

import pytest
from unora.streak.v1.events_pb2 import (
    DayCompleted,
    PaymentWindowOpened,
    StreakAtRisk,
    StreakCompleted,
    StreakReset,
    StreakTerminated,
)
from unora.streak.v1.streak_service_pb2 import (
    EFFORT_SIGNAL_LOW,
    EFFORT_SIGNAL_MEDIUM,
    STREAK_STATE_ACTIVE,
    STREAK_STATE_AT_RISK,
    STREAK_STATE_COMPLETED,
    STREAK_STATE_PAYMENT_WINDOW,
    STREAK_STATE_RESET,
    CheckInRequest,
    GetDashboardRequest,
)
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_common.app import App
from unora_streak.config import StreakConfig
from unora_streak.jobs import StreakJobs
from unora_streak.store import closings as store
from unora_testing.world import World

from tests.integration.streak.conftest import Couple
from tests.replicas import replica
from tests.support import announce, connect, disconnect, new_pair, refusal, request_id

HOUR = timedelta(hours=1)


@pytest.mark.rule("ST-06")
async def test_at_risk_in_the_evening_is_saved_before_midnight(couple: Couple) -> None:
    await couple.check_in(couple.a)
    await couple.to_end_of_day(-6 * HOUR)
    assert (await couple.now()).state == STREAK_STATE_AT_RISK
    (event,) = await couple.world.events(StreakAtRisk, couple.streak_id)
    assert event.missing_user_id == couple.b.id
    saved = await couple.check_in(couple.b)
    assert (saved.state, saved.completed_days) == (STREAK_STATE_ACTIVE, 1)


@pytest.mark.rule("ST-06", "ST-08", "ST-09")
async def test_one_misses_a_day_and_the_window_ends(couple: Couple) -> None:
    await couple.play(3)
    await couple.to_next_day()
    await couple.check_in(couple.a)
    await couple.to_next_day()
    window = await couple.now()
    assert (window.state, window.breaker_id) == (STREAK_STATE_PAYMENT_WINDOW, couple.b.id)
    assert (await check_in_refusal(couple)) == ("CHECK_IN_CLOSED", {"state": "payment_window"})
    ends = window.window_ends_at.ToDatetime((await couple.world.now()).tzinfo)
    await couple.world.move_clock(ends)
    reset = await couple.now()
    assert (reset.state, reset.completed_days, reset.cycle) == (STREAK_STATE_RESET, 0, 2)
    (event,) = await couple.world.events(StreakReset, couple.streak_id)
    assert (event.lost_days, event.previous_state) == (3, STREAK_STATE_PAYMENT_WINDOW)


async def check_in_refusal(couple: Couple) -> tuple[str, dict[str, str]]:
    request = CheckInRequest(request_id=request_id(), streak_id=couple.streak_id, effort_signal=EFFORT_SIGNAL_LOW)
    refused = await refusal(couple.streaks.CheckIn(request, metadata=couple.b.metadata))
    return refused.reason, refused.metadata


@pytest.mark.rule("ST-07")
async def test_both_miss_and_it_resets_but_the_connection_stays(couple: Couple) -> None:
    await couple.play(1)
    await couple.to_next_day()
    await couple.to_next_day()
    assert (await couple.now()).state == STREAK_STATE_RESET


@pytest.mark.rule("ST-04")
async def test_a_check_in_at_midnight_itself_is_late(couple: Couple) -> None:
    await couple.check_in(couple.a)
    end = await couple.day_ends_at()
    await couple.world.superuser.execute("UPDATE clock.shift SET ahead = ahead + $1", end - await couple.world.now())
    # No sweep has run: the write itself closes what is due.
    assert (await check_in_refusal(couple))[0] == "CHECK_IN_CLOSED"
    await couple.world.drain()
    assert len((await couple.whole()).check_ins) == 1


@pytest.mark.rule("ST-15", "ST-16")
async def test_the_dashboard_is_right_before_the_sweep_has_run(couple: Couple) -> None:
    await couple.check_in(couple.a)
    end = await couple.day_ends_at()
    await couple.world.superuser.execute("UPDATE clock.shift SET ahead = ahead + $1", end - await couple.world.now())
    assert (await couple.now()).state == STREAK_STATE_PAYMENT_WINDOW
    await couple.world.drain()
    assert (await couple.now()).state == STREAK_STATE_PAYMENT_WINDOW


@pytest.mark.rule("ST-05", "ST-11")
async def test_fifteen_days_complete_it(couple: Couple) -> None:
    done = await couple.play(15)
    assert (done.state, done.completed_days) == (STREAK_STATE_COMPLETED, 15)
    assert len(await couple.world.events(DayCompleted, couple.streak_id)) == 15
    assert len(await couple.world.events(StreakCompleted, couple.streak_id)) == 1
    await couple.world.move_clock(timedelta(days=3))
    assert (await couple.now()).state == STREAK_STATE_COMPLETED
    assert (await check_in_refusal(couple)) == ("CHECK_IN_CLOSED", {"state": "completed"})


@pytest.mark.rule("ST-11")
async def test_day_fifteen_completes_from_at_risk_too(couple: Couple) -> None:
    await couple.play(14)
    await couple.to_next_day()
    await couple.check_in(couple.b)
    await couple.to_end_of_day(-2 * HOUR)
    assert (await couple.now()).state == STREAK_STATE_AT_RISK
    assert (await couple.check_in(couple.a)).state == STREAK_STATE_COMPLETED


@pytest.mark.rule("ST-12")
async def test_an_ended_connection_terminates_the_streak(couple: Couple) -> None:
    await couple.play(2)
    await couple.end()
    (event,) = await couple.world.events(StreakTerminated, couple.streak_id)
    assert event.completed_days == 2
    assert (await check_in_refusal(couple)) == ("CHECK_IN_CLOSED", {"state": "terminated"})


@pytest.mark.rule("ST-12", "XX-02")
async def test_an_ending_that_comes_before_its_beginning(world: World, streaks: StreakServiceStub) -> None:
    pair = new_pair(world)
    await disconnect(world, pair, by=pair.b)
    await announce(world, pair)
    answer = await streaks.GetDashboard(GetDashboardRequest(), metadata=pair.a.metadata)
    assert not answer.streaks


@pytest.mark.rule("ST-16")
async def test_after_an_outage_every_day_is_closed_once_and_in_order(couple: Couple) -> None:
    await couple.play(2)
    await couple.to_next_day()
    await couple.check_in(couple.a)
    await couple.world.move_clock(timedelta(days=9))  # at risk, window, reset: all due at once
    assert (await couple.now()).state == STREAK_STATE_RESET
    found = [
        (kind.__name__, event.version, event.occurred_at.ToDatetime())
        for kind in (StreakAtRisk, PaymentWindowOpened, StreakReset)
        for event in await couple.world.events(kind, couple.streak_id)
    ]
    assert [name for name, _, _ in found] == ["StreakAtRisk", "PaymentWindowOpened", "StreakReset"]
    versions, moments = [version for _, version, _ in found], [moment for _, _, moment in found]
    assert versions == list(range(versions[0], versions[0] + 3))
    assert moments[1] - moments[0] == 6 * HOUR
    assert moments[2] - moments[1] == timedelta(days=1)


@pytest.mark.rule("ST-16")
async def test_many_sweeps_at_once_close_each_day_once(world: World, couple: Couple) -> None:
    pairs = [couple.pair, *[await connect(world) for _ in range(9)]]
    end = await couple.day_ends_at()
    await world.superuser.execute("UPDATE clock.shift SET ahead = ahead + $1", end + HOUR - await world.now())
    async with replica(world, "streak") as one, replica(world, "streak") as two, replica(world, "streak") as three:
        await asyncio.gather(*(StreakJobs(app.runtime).close_days() for app in (one, two, three) * 2))
    await world.drain()
    for pair in pairs:
        answer = await couple.streaks.GetDashboard(GetDashboardRequest(), metadata=pair.a.metadata)
        assert [streak.state for streak in answer.streaks] == [STREAK_STATE_RESET]
        assert len(await world.events(StreakReset, answer.streaks[0].streak_id)) == 1


@pytest.mark.rule("ST-16")
async def test_a_sweep_that_is_killed_loses_nothing(couple: Couple) -> None:
    end = await couple.day_ends_at()
    await couple.world.superuser.execute("UPDATE clock.shift SET ahead = ahead + $1", end - await couple.world.now())
    app = couple.world.apps["streak"]

    async def killed() -> None:
        async with app.database.transaction() as tx:
            await tx.run("UPDATE streak.streaks SET streak_state = 'reset', version = version + 1 WHERE id = $1",
                         couple.streak_id)  # fmt: skip
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await killed()
    await couple.world.drain()
    assert (await couple.now()).state == STREAK_STATE_RESET
    assert len(await couple.world.events(StreakReset, couple.streak_id)) == 1


@pytest.mark.rule("ST-16")
async def test_a_streak_that_cannot_be_advanced_does_not_delay_the_others(world: World, couple: Couple) -> None:
    stuck = await connect(world)
    gone = "UPDATE streak.streaks SET zone = 'Gone/Zone', here = ARRAY[user_a_id, user_b_id] WHERE connection_id = $1"
    await world.superuser_of("streak").execute(gone, stuck.connection_id)
    await couple.play(1)
    await couple.to_next_day()
    assert (await couple.now()).current_day == 2
    zone = "UPDATE streak.streaks SET zone = 'UTC', here = '{}' WHERE connection_id = $1"
    await world.superuser_of("streak").execute(zone, stuck.connection_id)


@pytest.mark.rule("ST-06", "ST-16")
async def test_after_a_deployment_shortens_the_risk_streaks_get_new_times_and_delay_no_other(couple: Couple) -> None:
    await couple.play(1)
    await couple.to_next_day()
    world, end = couple.world, await couple.day_ends_at()
    other = await connect(world)
    answer = await couple.streaks.GetDashboard(GetDashboardRequest(), metadata=other.a.metadata)
    other_id = answer.streaks[0].streak_id
    await couple.check_in(couple.a)
    shortened = "UPDATE streak.streaks SET closes_at = $2, next_due_at = $2 WHERE id = $1"
    # Behind the couple in the order of the sweep.
    await world.superuser_of("streak").execute(shortened, other_id, end - 4 * HOUR)
    async with replica(world, "streak", at_risk_hours=1.0, sweep_batch=1) as app:
        await couple.jump(end - 3 * HOUR)
        await sweep_until_idle(app)
        await couple.jump(end - HOUR)
        await sweep_until_idle(app)
    await world.drain()
    (reset,) = await world.events(StreakReset, other_id)
    assert reset.recorded_at.ToDatetime(UTC) < end - 2 * HOUR
    (at_risk,) = await world.events(StreakAtRisk, couple.streak_id)
    assert at_risk.occurred_at.ToDatetime(UTC) == end - HOUR


async def sweep_until_idle(app: App[StreakConfig, None]) -> None:
    """Runs the sweep as its process does: again at once, while it finds work."""
    jobs = StreakJobs(app.runtime)
    for _ in range(1000):
        if not await jobs.close_days():
            return
    pytest.fail("the sweep always finds work")


@pytest.mark.rule("ST-16")
async def test_the_sweep_reads_only_what_is_due(world: World) -> None:
    due = store.LOCK_DUE.replace("$1", "10").replace("$2", "'{}'")
    superuser = world.superuser_of("streak")
    async with superuser.transaction():
        await superuser.execute("SET LOCAL enable_seqscan = off")  # the few streaks of the tests are read whole
        plan = "\n".join(row[0] for row in await superuser.fetch(f"EXPLAIN {due}"))
    assert "Index Cond: (next_due_at <= " in plan, plan


@pytest.mark.rule("ST-14")
async def test_the_effort_is_kept(couple: Couple) -> None:
    await couple.check_in(couple.a)
    (made,) = (await couple.whole()).check_ins
    assert made.effort_signal == EFFORT_SIGNAL_MEDIUM
