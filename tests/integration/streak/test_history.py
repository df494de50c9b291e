"""ST-22: finished cycles stay readable, and the same, whatever happens to the connection and the other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from unora.streak.v1.streak_service_pb2 import (
    CYCLE_END_COMPLETED,
    CYCLE_END_RESET,
    CYCLE_END_TERMINATED,
    EFFORT_SIGNAL_MEDIUM,
    FinishedCycle,
    GetHistoryRequest,
    GetHistoryResponse,
)
from unora_testing.world import Caller

from tests.integration.streak.conftest import MINUTE, Couple
from tests.support import refusal


async def page(couple: Couple, viewer: Caller, size: int = 0, token: str = "") -> GetHistoryResponse:
    request = GetHistoryRequest(page_size=size, page_token=token)
    return await couple.streaks.GetHistory(request, metadata=viewer.metadata)


async def history(couple: Couple, viewer: Caller) -> Sequence[FinishedCycle]:
    return (await page(couple, viewer)).cycles


async def lose_a_cycle(couple: Couple, days: int) -> None:
    """Both check in on so many days, and nobody on the next."""
    await couple.play(days)
    await couple.to_next_day()
    await couple.to_next_day()


@pytest.mark.rule("ST-22")
async def test_a_cycle_is_there_once_it_is_over_even_before_the_sweep_has_written_it(couple: Couple) -> None:
    await couple.play(2)
    assert list(await history(couple, couple.a)) == []
    await couple.to_next_day()
    await couple.jump(await couple.day_ends_at())
    (cycle,) = await history(couple, couple.a)
    assert (cycle.streak_id, cycle.cycle, cycle.end, cycle.completed_days) == (couple.streak_id, 1, CYCLE_END_RESET, 2)
    assert [day.day for day in cycle.days] == [1, 2]
    assert {(day.partner_checked_in, day.effort_signal) for day in cycle.days} == {(True, EFFORT_SIGNAL_MEDIUM)}


@pytest.mark.rule("ST-22")
async def test_each_sees_their_own_days_and_on_which_the_other_checked_in(couple: Couple) -> None:
    await couple.play(1)
    await couple.to_next_day()
    await couple.world.move_clock(await couple.miss() + MINUTE)  # b does not check in, and nobody pays
    ((mine,), (theirs,)) = (await history(couple, couple.a), await history(couple, couple.b))
    assert [(day.HasField("checked_in_at"), day.partner_checked_in) for day in mine.days] == [
        (True, True),
        (True, False),
    ]
    assert [(day.HasField("checked_in_at"), day.partner_checked_in) for day in theirs.days] == [
        (True, True),
        (False, True),
    ]
    assert theirs.days[1].effort_signal == 0  # the other's effort is not shown
    assert mine.completed_days == theirs.completed_days == 1


@pytest.mark.rule("ST-22", "MA-09")
async def test_a_cycle_stays_byte_for_byte_the_same_after_the_end_which_adds_the_last_one(couple: Couple) -> None:
    await lose_a_cycle(couple, 2)
    (before,) = await history(couple, couple.a)
    await couple.check_in(couple.a)
    await couple.end()
    last, after = await history(couple, couple.a)
    assert after.SerializeToString(deterministic=True) == before.SerializeToString(deterministic=True)
    assert (last.cycle, last.end, len(last.days)) == (2, CYCLE_END_TERMINATED, 1)
    known = {couple.a.id, couple.b.id, couple.pair.connection_id}
    assert not [text for text in known if text in str([last, after])], "it names a member or the connection"


@pytest.mark.rule("ST-22")
async def test_an_ended_streak_is_there_even_if_nobody_ever_checked_in(couple: Couple) -> None:
    await couple.end()
    (cycle,) = await history(couple, couple.b)
    assert (cycle.cycle, cycle.end, len(cycle.days)) == (1, CYCLE_END_TERMINATED, 0)


@pytest.mark.rule("ST-11", "ST-22")
async def test_a_completed_cycle_has_fifteen_days_before_and_after_the_connection_ends(couple: Couple) -> None:
    await couple.play(15)
    (before,) = await history(couple, couple.a)
    assert (before.end, before.completed_days) == (CYCLE_END_COMPLETED, 15)
    await couple.end()
    assert list(await history(couple, couple.a)) == [before]


@pytest.mark.rule("ST-22", "XX-04")
async def test_pages_follow_one_another_and_belong_to_one_member(couple: Couple) -> None:
    for days in (1, 2, 1):
        await lose_a_cycle(couple, days)
    whole = [cycle.cycle for cycle in await history(couple, couple.a)]
    assert whole == [3, 2, 1]
    seen, token = [], ""
    while True:
        answer = await page(couple, couple.a, 1, token)
        seen += [cycle.cycle for cycle in answer.cycles]
        if not (token := answer.next_page_token):
            break
        refused = await refusal(page(couple, couple.b, 1, token))
        assert refused.code == "INVALID_ARGUMENT"
    assert seen == whole
    assert list(await history(couple, couple.world.caller())) == []
