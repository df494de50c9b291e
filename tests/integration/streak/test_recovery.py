"""Payments for recoveries: each recovers the streak or is rejected, once, in any order of events."""

from __future__ import annotations

import asyncio
from datetime import UTC, timedelta

import pytest
from unora.streak.v1.events_pb2 import (
    RecoveryRejected,
    RecoveryReleased,
    StreakRecovered,
    StreakReset,
    StreakTerminated,
)
from unora.streak.v1.streak_service_pb2 import (
    STREAK_STATE_ACTIVE,
    STREAK_STATE_COMPLETED,
    STREAK_STATE_PAYMENT_WINDOW,
    STREAK_STATE_RESET,
)
from unora_streak.jobs import StreakJobs
from unora_streak.use_cases.recovery import apply_recovery

from tests.integration.streak.conftest import MINUTE, Couple
from tests.replicas import replica
from tests.support import as_uuid, request_id

HOUR = 60 * MINUTE


async def links(couple: Couple) -> list[str]:
    """The payments that recoveries of the streak are linked to."""
    rows = await couple.world.superuser_of("streak").fetch(
        """SELECT p.payment_id FROM streak.recovery_payments p JOIN streak.breaks b ON b.id = p.break_id
        WHERE b.streak_id = $1 AND p.user_id = b.breaker_user_id ORDER BY p.recovered_at""",
        couple.streak_id,
    )
    return [str(row["payment_id"]) for row in rows]


async def outcomes(couple: Couple) -> list[str | None]:
    """The outcomes of the streak's at-risk periods, in order."""
    rows = await couple.world.superuser_of("streak").fetch(
        "SELECT outcome FROM streak.breaks WHERE streak_id = $1 ORDER BY check_in_date", couple.streak_id
    )
    return [row["outcome"] for row in rows]


@pytest.mark.rule("ST-08", "ST-18")
async def test_the_breaker_pays_and_the_streak_continues(couple: Couple) -> None:
    await couple.play(4)
    await couple.to_next_day()
    await couple.miss()
    payment = request_id()
    await couple.authorize(payment)
    await couple.pay(payment)
    now = await couple.now()
    assert (now.state, now.cycle, now.completed_days, now.current_day) == (STREAK_STATE_ACTIVE, 1, 4, 5)
    assert (now.checked_in, now.partner_checked_in, now.breaker_id) == (False, False, "")
    assert not now.HasField("window_ends_at")
    (event,) = await couple.events(StreakRecovered)
    assert (event.payment_id, event.breaker_user_id, event.completed_days) == (payment, couple.b.id, 4)
    assert event.day_ends_at == now.day_ends_at
    assert await links(couple) == [payment]
    assert await outcomes(couple) == ["recovered"]
    played_again = await couple.check_in(couple.a, couple.b)
    assert (played_again.completed_days, played_again.current_day) == (5, 5)


@pytest.mark.rule("ST-03", "ST-08")
async def test_the_day_played_again_lasts_at_least_six_hours(couple: Couple) -> None:
    deadline = await couple.miss()
    await couple.world.move_clock(deadline - 2 * HOUR)
    payment = request_id()
    await couple.authorize(payment)
    await couple.pay(payment)
    assert (await couple.day_ends_at()) - deadline == 24 * HOUR


@pytest.mark.rule("ST-08")
async def test_a_streak_can_break_again_and_be_recovered_again(couple: Couple) -> None:
    await couple.play(2)
    await couple.to_next_day()
    paid = []
    for _ in range(3):
        await couple.miss()
        paid.append(request_id())
        await couple.authorize(paid[-1])
        await couple.pay(paid[-1])
    assert (await couple.now()).completed_days == 2
    assert await links(couple) == paid
    assert await outcomes(couple) == ["recovered"] * 3
    done = await couple.play(13)
    assert (done.state, done.completed_days) == (STREAK_STATE_COMPLETED, 15)


@pytest.mark.rule("ST-17", "XX-02")
async def test_a_success_that_is_published_twice_recovers_once(couple: Couple) -> None:
    await couple.miss()
    payment = request_id()
    await couple.authorize(payment)
    await couple.pay(payment)
    await couple.pay(payment, version=3)
    await couple.miss()
    await couple.pay(payment, version=4)  # also not the next break
    assert len(await couple.events(StreakRecovered)) == 1
    assert await couple.events(RecoveryRejected) == []
    assert (await couple.now()).state == STREAK_STATE_PAYMENT_WINDOW


@pytest.mark.rule("ST-17", "XX-02")
async def test_many_deliveries_at_once_recover_once(couple: Couple) -> None:
    await couple.miss()
    payment, app = request_id(), couple.world.apps["streak"]
    await couple.authorize(payment)
    paid_at = await couple.world.now()

    async def deliver() -> None:
        async with app.database.transaction() as tx:
            ids = (as_uuid(couple.streak_id), couple.b.user, as_uuid(payment))
            await apply_recovery(tx, *ids, paid_at, app.config.policy)

    await asyncio.gather(*(deliver() for _ in range(10)))
    await couple.world.drain()
    assert len(await couple.events(StreakRecovered, RecoveryRejected)) == 1
    assert await links(couple) == [payment]


@pytest.mark.rule("ST-20")
async def test_success_within_the_hold_recovers_after_the_deadline(couple: Couple) -> None:
    deadline = await couple.miss()
    await couple.world.move_clock(deadline - MINUTE)
    payment = request_id()
    held = (await couple.authorize(payment)).held_until.ToDatetime(UTC)
    await couple.world.move_clock(held - MINUTE)
    await couple.pay(payment)
    assert (await couple.now()).state == STREAK_STATE_ACTIVE
    assert await couple.events(RecoveryReleased) == []


@pytest.mark.rule("ST-17", "ST-20")
async def test_success_exactly_when_the_hold_ends_is_too_late(couple: Couple) -> None:
    deadline = await couple.miss()
    await couple.world.move_clock(deadline - MINUTE)
    payment = request_id()
    held = (await couple.authorize(payment)).held_until.ToDatetime(UTC)
    await couple.jump(held)
    await couple.pay(payment, at=held)
    assert (await couple.now()).state == STREAK_STATE_RESET
    kinds = [type(event).__name__ for event in await couple.events(RecoveryReleased, StreakReset, RecoveryRejected)]
    assert kinds == ["RecoveryReleased", "StreakReset", "RecoveryRejected"]


@pytest.mark.rule("ST-08", "ST-17")
async def test_a_payment_in_time_whose_event_is_late_recovers_if_no_sweep_has_run(couple: Couple) -> None:
    deadline = await couple.miss()
    await couple.world.move_clock(deadline - 5 * MINUTE)
    payment = request_id()
    await couple.authorize(payment)
    paid_at = await couple.world.now()
    app = couple.world.apps["streak"]
    await couple.jump(deadline + 8 * HOUR)
    async with app.database.transaction() as tx:
        ids = (as_uuid(couple.streak_id), couple.b.user, as_uuid(payment))
        await apply_recovery(tx, *ids, paid_at, app.config.policy)
    await couple.world.drain()
    now = await couple.now()
    assert now.state == STREAK_STATE_ACTIVE
    (event,) = await couple.events(StreakRecovered)
    assert event.occurred_at.ToDatetime(UTC) == paid_at
    assert event.recorded_at.ToDatetime(UTC) >= deadline + 8 * HOUR
    assert now.day_ends_at.ToDatetime(UTC) >= event.recorded_at.ToDatetime(UTC) + 6 * HOUR


@pytest.mark.rule("ST-17")
async def test_a_window_that_the_sweep_has_closed_stays_closed(couple: Couple) -> None:
    deadline = await couple.miss()
    payment = request_id()
    await couple.authorize(payment)
    paid_at = await couple.world.now()
    await couple.world.move_clock(deadline + HOUR)
    await couple.pay(payment, at=paid_at)
    assert (await couple.now()).state == STREAK_STATE_RESET
    (event,) = await couple.events(RecoveryRejected)
    assert (event.payment_id, event.state) == (payment, STREAK_STATE_RESET)
    await couple.pay(payment, at=paid_at, version=3)
    assert len(await couple.events(RecoveryRejected)) == 1


@pytest.mark.rule("ST-17")
async def test_a_payment_for_one_break_does_not_recover_another(couple: Couple) -> None:
    deadline = await couple.miss()
    late = request_id()
    await couple.authorize(late)
    await couple.world.move_clock(deadline + HOUR)
    await couple.miss()  # a new cycle, broken on its first day
    await couple.pay(late)
    assert (await couple.now()).state == STREAK_STATE_PAYMENT_WINDOW
    assert [event.payment_id for event in await couple.events(RecoveryRejected)] == [late]
    assert await couple.events(StreakRecovered) == []


@pytest.mark.rule("ST-08", "ST-17")
async def test_a_payment_that_was_never_authorised_or_is_of_the_partner_is_rejected(couple: Couple) -> None:
    await couple.miss()
    unknown, partners = request_id(), request_id()
    await couple.pay(unknown)
    await couple.pay(partners, payer=couple.a)
    assert [event.payment_id for event in await couple.events(RecoveryRejected)] == [unknown, partners]
    assert (await couple.now()).state == STREAK_STATE_PAYMENT_WINDOW


@pytest.mark.rule("ST-12", "ST-17")
async def test_a_payment_after_the_connection_has_ended_is_rejected(couple: Couple) -> None:
    await couple.miss()
    payment = request_id()
    await couple.authorize(payment)
    await couple.end()
    await couple.pay(payment)
    ended, rejected = await couple.events(StreakTerminated, RecoveryRejected)
    assert (rejected.payment_id, rejected.version) == (payment, ended.version + 1)
    assert await outcomes(couple) == ["terminated"]


@pytest.mark.rule("ST-17", "ST-20")
async def test_of_two_payments_for_a_break_the_second_is_rejected(couple: Couple) -> None:
    await couple.miss()
    first, second = request_id(), request_id()
    await couple.authorize(first)
    await couple.world.move_clock(11 * MINUTE)  # the provider is slow
    await couple.authorize(second)
    await couple.pay(first)  # the window is open still, though it is held for the second
    assert (await couple.now()).state == STREAK_STATE_ACTIVE
    await couple.pay(second)
    assert [event.payment_id for event in await couple.events(StreakRecovered)] == [first]
    assert [event.payment_id for event in await couple.events(RecoveryRejected)] == [second]
    assert await links(couple) == [first]


@pytest.mark.rule("ST-17")
async def test_a_payment_after_the_fifteenth_day_is_rejected(couple: Couple) -> None:
    await couple.play(14)
    await couple.to_next_day()
    await couple.miss()
    first, second = request_id(), request_id()
    await couple.authorize(first)
    await couple.world.move_clock(11 * MINUTE)
    await couple.authorize(second)
    await couple.pay(first)
    assert (await couple.check_in(couple.a, couple.b)).state == STREAK_STATE_COMPLETED
    await couple.pay(second)
    assert [event.payment_id for event in await couple.events(RecoveryRejected)] == [second]
    assert (await couple.now()).state == STREAK_STATE_COMPLETED


@pytest.mark.rule("ST-16", "ST-20")
async def test_sweeps_that_race_a_recovery_leave_one_outcome(couple: Couple) -> None:
    deadline = await couple.miss()
    await couple.world.move_clock(deadline - MINUTE)
    payment = request_id()
    held = (await couple.authorize(payment)).held_until.ToDatetime(UTC)
    world = couple.world
    await couple.jump(held)
    async with replica(world, "streak") as one, replica(world, "streak") as two, replica(world, "streak") as three:
        paid = couple.pay(payment, at=held - timedelta(seconds=1))
        await asyncio.gather(paid, *(StreakJobs(app.runtime).close_days() for app in (one, two, three) * 2))
    await couple.world.drain()
    recovered, rejected = await couple.events(StreakRecovered), await couple.events(RecoveryRejected)
    assert len(recovered) + len(rejected) == 1
    assert (await couple.now()).state == (STREAK_STATE_ACTIVE if recovered else STREAK_STATE_RESET)
    assert await outcomes(couple) == ["recovered" if recovered else "reset"]
