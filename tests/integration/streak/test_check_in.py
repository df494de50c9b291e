"""Check-ins through the service: gRPC, Postgres, events."""

from __future__ import annotations

import asyncio
from inspect import unwrap
from typing import Any
from uuid import UUID

import grpc
import pytest
from unora.streak.v1.events_pb2 import CheckedIn, CycleBegan
from unora.streak.v1.streak_service_pb2 import (
    EFFORT_SIGNAL_HIGH,
    STREAK_STATE_ACTIVE,
    STREAK_STATE_RESET,
    CheckInRequest,
    GetDashboardRequest,
    GetStreakRequest,
)
from unora_common.database import Session
from unora_streak.servicers.streaks import Streaks
from unora_testing.world import Caller, World

from tests.integration.streak.conftest import Couple
from tests.support import read_refusal, refusal, request_id


def request_for(couple: Couple) -> CheckInRequest:
    return CheckInRequest(request_id=request_id(), streak_id=couple.streak_id, effort_signal=EFFORT_SIGNAL_HIGH)


async def outcome(couple: Couple, request: CheckInRequest, member: Caller) -> str:
    try:
        await couple.streaks.CheckIn(request, metadata=member.metadata)
    except grpc.aio.AioRpcError as error:
        return read_refusal(error).reason
    return "OK"


@pytest.mark.rule("ST-01", "ST-15", "ST-21")
async def test_a_connection_starts_one_streak_that_both_see(couple: Couple) -> None:
    mine, theirs = await couple.seen_by(couple.a), await couple.seen_by(couple.b)
    assert mine.streak_id == theirs.streak_id
    assert (mine.state, mine.current_day, mine.completed_days) == (STREAK_STATE_ACTIVE, 1, 0)
    assert (mine.partner_id, theirs.partner_id) == (couple.b.id, couple.a.id)


@pytest.mark.rule("ST-05", "ST-14")
async def test_both_check_in_and_the_day_counts_at_once(couple: Couple) -> None:
    first = await couple.check_in(couple.a)
    assert (first.completed_days, first.checked_in, first.partner_checked_in) == (0, True, False)
    second = await couple.check_in(couple.b)
    assert (second.completed_days, second.checked_in, second.partner_checked_in) == (1, True, True)
    whole = await couple.whole()
    assert [check_in.user_id for check_in in whole.check_ins] == [couple.a.id, couple.b.id]


@pytest.mark.rule("ST-04", "BI-08")
async def test_twenty_repeats_at_once_are_one_check_in_and_one_answer(couple: Couple) -> None:
    request = request_for(couple)
    answers = await asyncio.gather(*(couple.streaks.CheckIn(request, metadata=couple.a.metadata) for _ in range(20)))
    assert len({answer.SerializeToString() for answer in answers}) == 1
    assert len(await couple.world.events(CheckedIn, couple.streak_id)) == 1


@pytest.mark.rule("ST-04")
async def test_twenty_calls_at_once_are_one_check_in_and_nineteen_refusals(couple: Couple) -> None:
    results = await asyncio.gather(*(outcome(couple, request_for(couple), couple.a) for _ in range(20)))
    assert sorted(results) == ["ALREADY_CHECKED_IN"] * 19 + ["OK"]


@pytest.mark.rule("ST-05")
async def test_both_at_the_same_moment_count_one_day(couple: Couple) -> None:
    results = await asyncio.gather(*(outcome(couple, request_for(couple), m) for m in (couple.a, couple.b)))
    assert results == ["OK", "OK"]
    assert (await couple.now()).completed_days == 1


@pytest.mark.rule("ST-04")
async def test_a_repeat_on_the_next_day_gets_its_first_answer(couple: Couple) -> None:
    request = request_for(couple)
    first = await couple.streaks.CheckIn(request, metadata=couple.a.metadata)
    await couple.check_in(couple.b)
    await couple.to_next_day()
    assert await couple.streaks.CheckIn(request, metadata=couple.a.metadata) == first
    assert not (await couple.now()).checked_in


@pytest.mark.rule("XX-04")
async def test_a_streak_of_others_is_like_one_that_does_not_exist(couple: Couple) -> None:
    stranger = couple.world.caller()
    for streak_id in (couple.streak_id, request_id()):
        check_in = CheckInRequest(request_id=request_id(), streak_id=streak_id, effort_signal=EFFORT_SIGNAL_HIGH)
        seen = [
            await refusal(couple.streaks.CheckIn(check_in, metadata=stranger.metadata)),
            await refusal(couple.streaks.GetStreak(GetStreakRequest(streak_id=streak_id), metadata=stranger.metadata)),
        ]
        assert {(found.code, found.reason, str(found.metadata)) for found in seen} == {
            ("NOT_FOUND", "STREAK_NOT_FOUND", "{}")
        }
    answer = await couple.streaks.GetDashboard(GetDashboardRequest(), metadata=stranger.metadata)
    assert not answer.streaks


@pytest.mark.rule("ST-10", "ST-03")
async def test_after_a_reset_the_first_of_both_begins_one_new_cycle(couple: Couple) -> None:
    await couple.play(2)
    await couple.to_next_day()
    await couple.to_next_day()  # no check-in
    assert (await couple.now()).state == STREAK_STATE_RESET
    results = await asyncio.gather(*(outcome(couple, request_for(couple), m) for m in (couple.a, couple.b)))
    assert results == ["OK", "OK"]
    now = await couple.now()
    assert (now.state, now.cycle, now.completed_days) == (STREAK_STATE_ACTIVE, 2, 1)
    assert len(await couple.world.events(CycleBegan, couple.streak_id)) == 1


@pytest.mark.rule("ST-15")
async def test_the_dashboard_lists_connections_until_they_end(world: World, couple: Couple) -> None:
    assert couple.streak_id in await ids(couple, couple.a)
    await couple.end()
    assert await ids(couple, couple.a) == []


@pytest.mark.rule("ST-15")
async def test_the_dashboard_is_one_query_also_for_a_held_streak(couple: Couple) -> None:
    await couple.miss()
    await couple.authorize(request_id())
    app = couple.world.apps["streak"]
    async with app.database.session(couple.b.user) as session:
        counted = Counted(session)
        answer = await unwrap(Streaks.GetDashboard)(Streaks(app.runtime), GetDashboardRequest(), counted)
    assert counted.statements == 1
    assert [streak.HasField("recovery_held_until") for streak in answer.streaks] == [True]


class Counted:
    """A session that counts its statements."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.user = session.user
        self.statements = 0

    def __getattr__(self, name: str) -> Any:
        self.statements += 1
        return getattr(self.session, name)


async def ids(couple: Couple, member: Caller) -> list[str]:
    answer = await couple.streaks.GetDashboard(GetDashboardRequest(), metadata=member.metadata)
    assert all(UUID(streak.streak_id) for streak in answer.streaks)
    return [streak.streak_id for streak in answer.streaks]
