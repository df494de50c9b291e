"""XX-06: how much of a process one caller gets."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest
from unora_common.budgets import LOOKED_AT, Budgets, TooManyCalls
from unora_common.ids import uuid7

pytestmark = pytest.mark.rule("XX-06")


@dataclass
class Clock:
    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


def made(clock: Clock, *, at_once: int = 1000, per_second: float = 4.0, burst: int = 3) -> Budgets[UUID]:
    return Budgets(at_once=at_once, per_second=per_second, burst=burst, clock=clock)


def answered(budgets: Budgets[UUID], key: UUID, calls: int = 100) -> int:
    """Makes calls one after the other; returns how many were not refused."""
    done = 0
    for _ in range(calls):
        try:
            budgets.take(key)
        except TooManyCalls:
            continue
        budgets.give_back(key)
        done += 1
    return done


def test_a_caller_has_a_burst_and_then_the_rate() -> None:
    clock, anna = Clock(), uuid7()
    budgets = made(clock)
    assert answered(budgets, anna) == 3
    for _ in range(8):
        clock.seconds += 0.25
        assert answered(budgets, anna) == 1
    clock.seconds += 0.5
    assert answered(budgets, anna) == 2


def test_after_a_rest_there_is_one_burst_and_not_more() -> None:
    clock, anna = Clock(), uuid7()
    budgets = made(clock)
    answered(budgets, anna)
    clock.seconds += 3600
    assert answered(budgets, anna) == 3


def test_a_refusal_says_when_there_is_room_and_then_there_is() -> None:
    clock, anna = Clock(), uuid7()
    budgets = made(clock)
    answered(budgets, anna)
    clock.seconds += 0.1
    with pytest.raises(TooManyCalls) as refused:
        budgets.take(anna)
    assert refused.value.retry_after == pytest.approx(0.15)
    assert refused.value.metadata == {"retry_after": "0.15"}
    clock.seconds += refused.value.retry_after
    budgets.take(anna)


def test_a_caller_has_so_many_calls_at_once_and_one_more_when_one_ends() -> None:
    clock, anna = Clock(), uuid7()
    budgets = made(clock, at_once=2, burst=100)
    budgets.take(anna)
    budgets.take(anna)
    for _ in range(5):
        with pytest.raises(TooManyCalls):
            budgets.take(anna)
    budgets.give_back(anna)
    budgets.take(anna)
    with pytest.raises(TooManyCalls):
        budgets.take(anna)


def test_what_one_caller_uses_costs_no_other_anything() -> None:
    clock, anna, bela = Clock(), uuid7(), uuid7()
    budgets = made(clock, at_once=1)
    answered(budgets, anna)
    budgets.take(bela)
    with pytest.raises(TooManyCalls):
        budgets.take(bela)
    clock.seconds += 1
    assert answered(budgets, anna) == 3


def test_refused_calls_use_up_nothing() -> None:
    clock, anna = Clock(), uuid7()
    budgets = made(clock)
    answered(budgets, anna, calls=10_000)
    clock.seconds += 0.25
    assert answered(budgets, anna) == 1


def test_a_budget_without_a_rate_limits_only_calls_at_once() -> None:
    anna = uuid7()
    budgets: Budgets[UUID] = Budgets(at_once=1, per_second=float("inf"), burst=1, clock=Clock())
    assert answered(budgets, anna, calls=1000) == 1000


def test_the_table_holds_only_callers_of_the_last_moments() -> None:
    clock = Clock()
    budgets = made(clock)
    busy = uuid7()
    budgets.take(busy)
    for _ in range(5000):
        answered(budgets, uuid7(), calls=1)
        clock.seconds += 0.01
    # A call fills its caller's bucket again after a quarter of a second: 25 callers come in that time.
    assert len(budgets) <= 25 * LOOKED_AT + 2
    budgets.give_back(busy)
    with pytest.raises(KeyError):  # a call that was not counted cannot end
        budgets.give_back(uuid7())
