"""ID-13: when the code to a number opens the account that has it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from unora_common.errors import DomainError
from unora_common.ids import random_id
from unora_identity.domain.number_proof import Holder, Judgement, Standing, WrongBirthDate, judge
from unora_identity.domain.policy import Policy

pytestmark = pytest.mark.rule("ID-13")
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
POLICY = Policy()
BORN, OTHER = date(1990, 12, 10), date(1990, 12, 11)
UNUSED = Holder(device_known=False, in_use=False, date_of_birth=BORN, wrong=(), closed_at=None, erase_after=None)
CLOSED = replace(UNUSED, in_use=True, closed_at=NOW - timedelta(days=1), erase_after=NOW + timedelta(days=29))


def wrong(*ages: timedelta) -> tuple[WrongBirthDate, ...]:
    return tuple(WrongBirthDate(request_id=random_id(), tried_at=NOW - age) for age in ages)


def judged(
    holder: Holder, given: date | None = None, *, second_factor: bool = False, reopens: bool = False
) -> Judgement:
    return judge(holder, given, random_id(), NOW, POLICY, second_factor=second_factor, reopens=reopens)


def said(refusal: DomainError | None) -> tuple[str, dict[str, str]]:
    assert refusal is not None
    return refusal.reason, dict(refusal.metadata)


@pytest.mark.parametrize(
    "holder",
    [
        replace(UNUSED, in_use=True),
        replace(UNUSED, device_known=True),
        replace(UNUSED, device_known=True, date_of_birth=None),
        replace(CLOSED, device_known=True),
    ],
)
def test_the_code_is_enough_for_an_account_in_use_and_for_a_device_that_it_knows(holder: Holder) -> None:
    for given in (None, BORN, OTHER):
        assert judged(holder, given).standing is Standing.PROVEN


@pytest.mark.parametrize("holder", [UNUSED, CLOSED, replace(CLOSED, in_use=False)])
def test_else_the_birth_date_is_needed_and_proves_it(holder: Holder) -> None:
    needed = judged(holder)
    assert needed.standing is Standing.REFUSED
    assert said(needed.refusal) == ("BIRTH_DATE_NEEDED", {})
    assert judged(holder, BORN) == Judgement(Standing.PROVEN, by_birth_date=True)


@pytest.mark.rule("ID-15")
@pytest.mark.parametrize("holder", [UNUSED, CLOSED])
def test_a_call_to_reopen_takes_no_number_from_an_admin_who_has_not_shown_the_second_factor(holder: Holder) -> None:
    admin = replace(holder, date_of_birth=None, has_second_factor=True)
    kept = judged(admin, reopens=True)
    assert kept.standing is Standing.REFUSED
    assert said(kept.refusal) == ("ACCOUNT_NOT_CLOSED", {})
    assert judged(admin, second_factor=True, reopens=True) == Judgement(Standing.PROVEN)
    assert judged(admin).standing is Standing.MOVES, "a sign-in makes the number's new owner an account"
    assert judged(replace(admin, has_second_factor=False), reopens=True).standing is Standing.MOVES
    assert judged(replace(admin, erase_after=NOW), reopens=True).standing is Standing.MOVES


def test_a_second_factor_proves_as_much() -> None:
    for holder in (UNUSED, replace(UNUSED, date_of_birth=None)):
        assert judged(holder, second_factor=True) == Judgement(Standing.PROVEN)


@pytest.mark.parametrize("holder", [UNUSED, CLOSED])
def test_an_account_without_a_birth_date_gives_way_at_once(holder: Holder) -> None:
    for given in (None, BORN):
        assert judged(replace(holder, date_of_birth=None), given) == Judgement(Standing.MOVES)


def test_after_two_wrong_dates_the_third_moves_the_number_and_the_right_one_still_opens() -> None:
    for before, left in ((0, "2"), (1, "1")):
        holder = replace(UNUSED, wrong=wrong(*[timedelta(days=1)] * before))
        answer = judged(holder, OTHER)
        assert answer.standing is Standing.WRONG
        assert said(answer.refusal) == ("BIRTH_DATE_WRONG", {"tries_left": left})
    last = replace(UNUSED, wrong=wrong(timedelta(days=1), timedelta(days=200)))
    assert judged(last, OTHER) == Judgement(Standing.MOVES)
    assert judged(last, BORN).standing is Standing.PROVEN


def test_a_wrong_date_counts_for_a_year() -> None:
    year = POLICY.birth_dates_window
    for age, standing in ((year - timedelta(seconds=1), Standing.MOVES), (year, Standing.WRONG)):
        assert judged(replace(UNUSED, wrong=wrong(timedelta(days=1), age)), OTHER).standing is standing


def test_more_wrong_dates_than_are_allowed_now_do_not_bar_the_right_one() -> None:
    holder = replace(UNUSED, wrong=wrong(*[timedelta(days=1)] * 5))
    assert judged(holder).standing is Standing.REFUSED
    assert judged(holder, BORN).standing is Standing.PROVEN
    assert judged(holder, OTHER).standing is Standing.MOVES


def test_a_call_that_was_wrong_is_answered_again_whatever_date_its_repeat_carries() -> None:
    call, others = wrong(timedelta(0))[0], wrong(timedelta(hours=1))
    for given in (BORN, OTHER):
        answer = judge(replace(UNUSED, wrong=(call, *others)), given, call.request_id, NOW, POLICY)
        assert answer.standing is Standing.REFUSED
        assert said(answer.refusal) == ("BIRTH_DATE_WRONG", {"tries_left": "1"})


def test_from_the_moment_on_at_which_it_can_be_erased_an_account_gives_way_to_anyone() -> None:
    for holder in (CLOSED, replace(CLOSED, device_known=True)):
        assert judged(replace(holder, erase_after=NOW + timedelta(seconds=1)), BORN).standing is Standing.PROVEN
        assert judged(replace(holder, erase_after=NOW), BORN) == Judgement(Standing.MOVES)
