"""ST-15: the dashboard shows what the caller can do now, with what belongs to billing and reveal."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest
from unora.reveal.v1.events_pb2 import RevealEarned, RevealPurchased, RevealUnlocked
from unora.streak.v1.streak_service_pb2 import (
    GetDashboardRequest,
    GetStreakRequest,
    Streak,
    StreakAction,
)
from unora_common.messages import to_timestamp
from unora_testing.world import Caller, World

from tests.integration.money.paying_couple import HOUR, RECOVERY, PayingCouple


def actions(streak: Streak) -> list[str]:
    return [StreakAction.Name(each).removeprefix("STREAK_ACTION_") for each in streak.actions]


async def free_left(couple: PayingCouple) -> int:
    """The free recoveries of b, as the streak itself shows them."""
    asked = GetStreakRequest(streak_id=couple.streak_id)
    return (await couple.streaks.GetStreak(asked, metadata=couple.b.metadata)).streak.free_recoveries_left


async def opened(couple: PayingCouple, member: Caller, number: int) -> None:
    await couple.reveals.open(member, number)
    await couple.world.drain()


@pytest.mark.rule("ST-15", "RE-03", "RE-11")
async def test_a_reveal_waits_from_the_day_that_earned_it_until_it_is_opened(couple: PayingCouple) -> None:
    await couple.complete_days(4)
    assert list((await couple.seen_by(couple.a)).reveals_waiting) == []
    await couple.check_in(couple.a, couple.b)
    await couple.world.drain()
    seen = await couple.seen_by(couple.a)
    assert (actions(seen), list(seen.reveals_waiting)) == (["OPEN_REVEAL"], [1])
    await opened(couple, couple.a, 1)
    seen, partner = await couple.seen_by(couple.a), await couple.seen_by(couple.b)
    assert (actions(seen), list(seen.reveals_waiting)) == ([], [])
    assert list(partner.reveals_waiting) == [1]  # what one opens changes nothing for the other


@pytest.mark.rule("ST-15", "XX-02")
async def test_an_event_of_a_reveal_that_comes_late_brings_nothing_back(world: World, couple: PayingCouple) -> None:
    told: dict[str, Any] = {"reveal_id": couple.streak_id, "streak_id": couple.streak_id, "user_id": couple.a.id}
    at = to_timestamp(await world.now())
    late = RevealEarned(version=900, reveal_number=2, occurred_at=at, **told)
    await world.publish(RevealUnlocked(version=902, reveal_number=2, occurred_at=at, **told))
    await world.publish(late, RevealPurchased(version=901, reveal_number=2, occurred_at=at, **told))
    assert list((await couple.seen_by(couple.a)).reveals_waiting) == []


@pytest.mark.rule("ST-15", "ST-08", "BI-06")
async def test_the_breaker_sees_what_a_recovery_costs_and_when_it_is_free(couple: PayingCouple) -> None:
    await couple.payer.subscribe("PLUS")
    await couple.complete_days(1)
    assert await free_left(couple) == 1
    await couple.miss()
    seen, partner = await couple.seen_by(couple.b), await couple.seen_by(couple.a)
    assert (actions(seen), seen.recovery.free, seen.recovery.amount) == (["RECOVER"], True, RECOVERY)
    assert (actions(partner), partner.HasField("recovery")) == ([], False)

    await couple.payer.create(couple.payer.order())  # the free one
    await couple.world.drain()
    seen = await couple.seen_by(couple.b)
    assert (actions(seen), await free_left(couple)) == (["CHECK_IN"], 0)

    await couple.miss()
    seen = await couple.seen_by(couple.b)
    assert (seen.recovery.free, seen.recovery.amount, seen.recovery.currency) == (False, RECOVERY, "USD")
    await couple.payer.pay()
    assert await free_left(couple) == 0


@pytest.mark.rule("ST-15", "ST-20")
async def test_while_a_payment_holds_the_window_another_one_cannot_begin(couple: PayingCouple) -> None:
    await couple.miss()
    await couple.payer.create(couple.payer.order())
    seen = await couple.seen_by(couple.b)
    assert (actions(seen), seen.HasField("recovery_held_until"), seen.HasField("recovery")) == ([], True, True)


@pytest.mark.rule("ST-13", "ST-15")
async def test_who_checked_in_sees_the_nudges_that_are_left(couple: PayingCouple) -> None:
    await couple.to_at_risk()
    seen, partner = await couple.seen_by(couple.a), await couple.seen_by(couple.b)
    assert (actions(seen), seen.nudges_left) == (["NUDGE"], 1)
    assert (actions(partner), partner.nudges_left) == (["CHECK_IN"], 0)
    await couple.nudge(couple.a)
    seen = await couple.seen_by(couple.a)
    assert (actions(seen), seen.nudges_left) == (["NUDGE"], 0)  # another one can be bought


@pytest.mark.rule("ST-13", "ST-15", "ST-16")
async def test_nudges_are_there_as_soon_as_the_risk_begins_even_before_the_sweep_has_written_it(
    couple: PayingCouple,
) -> None:
    await couple.check_in(couple.a)
    await couple.jump(await couple.day_ends_at() - HOUR)
    seen = await couple.seen_by(couple.a)
    assert (actions(seen), seen.nudges_left) == (["NUDGE"], 1)


@pytest.mark.rule("ST-15")
async def test_a_countdown_needs_no_clock_of_the_phone(couple: PayingCouple) -> None:
    now = await couple.world.now()
    dashboard = await couple.streaks.GetDashboard(GetDashboardRequest(), metadata=couple.a.metadata)
    (streak,) = dashboard.streaks
    assert timedelta(0) <= dashboard.server_time.ToDatetime(UTC) - now < HOUR
    assert streak.day_ends_at.ToDatetime(UTC) - streak.becomes_at_risk_at.ToDatetime(UTC) == 6 * HOUR
    date = streak.check_in_date
    assert (date.year, date.month, date.day) == (await couple.day_ends_at() - HOUR).timetuple()[:3]
    alone = await couple.streaks.GetDashboard(GetDashboardRequest(), metadata=couple.world.caller().metadata)
    assert (len(alone.streaks), alone.HasField("server_time")) == (0, True)


@pytest.mark.rule("ST-15", "RE-10")
async def test_one_streak_shows_the_same_and_nothing_to_do_after_the_end(couple: PayingCouple) -> None:
    await couple.play(5)
    await couple.world.drain()
    asked = GetStreakRequest(streak_id=couple.streak_id)
    whole = await couple.streaks.GetStreak(asked, metadata=couple.a.metadata)
    assert whole.streak == await couple.seen_by(couple.a)  # without free recoveries both say the same
    assert whole.HasField("server_time")
    await couple.end_connection(couple.b)
    ended = (await couple.streaks.GetStreak(asked, metadata=couple.a.metadata)).streak
    assert (actions(ended), list(ended.reveals_waiting)) == ([], [])
