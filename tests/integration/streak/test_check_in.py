"""Check-ins through the service: gRPC, Postgres, events."""

from __future__ import annotations

import asyncio

import pytest
from unora.streak.v1.events_pb2 import CheckedIn
from unora.streak.v1.streak_service_pb2 import (
    EFFORT_SIGNAL_HIGH,
    STREAK_STATE_ACTIVE,
    CheckInRequest,
    GetDashboardRequest,
    Streak,
)
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_local.inprocess import Caller, World

from tests.support import connect, refusal, request_id


@pytest.fixture
def streaks(world: World) -> StreakServiceStub:
    return world.stub(StreakServiceStub, "streak")


async def streak_of(streaks: StreakServiceStub, member: Caller) -> Streak:
    answer = await streaks.GetDashboard(GetDashboardRequest(), metadata=member.metadata)
    (streak,) = answer.streaks
    return streak


@pytest.mark.rule("ST-01", "ST-15", "ST-21")
async def test_a_connection_starts_one_streak_that_both_see(world: World, streaks: StreakServiceStub) -> None:
    pair = await connect(world)
    mine, theirs = await streak_of(streaks, pair.a), await streak_of(streaks, pair.b)
    assert mine.streak_id == theirs.streak_id
    assert (mine.state, mine.current_day, mine.completed_days) == (STREAK_STATE_ACTIVE, 1, 0)
    assert (mine.partner_id, theirs.partner_id) == (pair.b.id, pair.a.id)


@pytest.mark.rule("ST-05")
async def test_both_check_in_and_the_day_counts_at_once(world: World, streaks: StreakServiceStub) -> None:
    pair = await connect(world)
    streak = await streak_of(streaks, pair.a)
    for member in (pair.a, pair.b):
        request = CheckInRequest(request_id=request_id(), streak_id=streak.streak_id, effort_signal=EFFORT_SIGNAL_HIGH)
        answer = await streaks.CheckIn(request, metadata=member.metadata)
    assert answer.streak.completed_days == 1


@pytest.mark.rule("ST-04", "BI-08")
async def test_twenty_repeats_at_once_are_one_check_in_and_one_answer(world: World, streaks: StreakServiceStub) -> None:
    pair = await connect(world)
    streak = await streak_of(streaks, pair.a)
    request = CheckInRequest(request_id=request_id(), streak_id=streak.streak_id, effort_signal=EFFORT_SIGNAL_HIGH)
    answers = await asyncio.gather(*(streaks.CheckIn(request, metadata=pair.a.metadata) for _ in range(20)))
    assert len({answer.SerializeToString() for answer in answers}) == 1
    assert len(await world.events(CheckedIn, streak.streak_id)) == 1


@pytest.mark.rule("ST-04")
async def test_twenty_calls_at_once_are_one_check_in_and_nineteen_refusals(
    world: World, streaks: StreakServiceStub
) -> None:
    pair = await connect(world)
    streak = await streak_of(streaks, pair.a)

    async def check_in() -> str:
        request = CheckInRequest(request_id=request_id(), streak_id=streak.streak_id, effort_signal=EFFORT_SIGNAL_HIGH)
        try:
            await streaks.CheckIn(request, metadata=pair.a.metadata)
        except Exception as error:
            return (await refusal(_raise(error))).reason
        return "OK"

    results = await asyncio.gather(*(check_in() for _ in range(20)))
    assert sorted(results) == ["ALREADY_CHECKED_IN"] * 19 + ["OK"]


async def _raise(error: Exception) -> None:
    raise error
