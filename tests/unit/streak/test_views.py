"""ST-15: what a member can do with a streak now."""

from dataclasses import replace

import pytest
from unora_streak.domain.views import Action, Extras, Plans, Used, View, becomes_at_risk_at, view
from unora_streak.messages import to_shown_streak

from .story import HOUR, MINUTE, POLICY, A, B, Story, utc

MORNING, AT_RISK, MIDNIGHT = utc("2026-11-22T09:00"), utc("2026-11-22T18:00"), utc("2026-11-23T00:00")
NOTHING = Extras(Used("free", nudges=0, free_recoveries=0), reveals_waiting=(), connection_ended=False)
PLANS = Plans({"free": 1, "plus": 2}, {"free": 0, "plus": 1}, recovery_price=299)


def seen(story: Story, viewer: object = B, **extras: object) -> View:
    return view(story.streak, viewer, replace(NOTHING, **extras), PLANS)  # type: ignore[arg-type]


def one_in() -> Story:
    return Story(MORNING).checks_in(A, MORNING)


@pytest.mark.rule("ST-15", "ST-10")
def test_who_has_not_checked_in_can_also_after_a_reset() -> None:
    assert seen(one_in()).actions == (Action.CHECK_IN,)
    assert seen(one_in(), A).actions == ()
    assert seen(Story(MORNING).waits_until(MIDNIGHT), A).actions == (Action.CHECK_IN,)


@pytest.mark.rule("ST-13", "ST-15")
def test_who_checked_in_can_nudge_and_sees_how_many_are_left_without_paying() -> None:
    at_risk = one_in().waits_until(AT_RISK)
    assert (seen(at_risk, A).actions, seen(at_risk, A).nudges_left) == ((Action.NUDGE,), 1)
    assert (
        seen(at_risk, A, used=Used("free", 1, 0)).actions,
        seen(at_risk, A, used=Used("free", 1, 0)).nudges_left,
    ) == (
        (Action.NUDGE,),
        0,
    )
    assert seen(at_risk, A, used=Used("free", 2, 0)).nudges_left == 0  # after the tier fell
    assert (seen(at_risk, B).actions, seen(at_risk, B).nudges_left) == ((Action.CHECK_IN,), 0)


@pytest.mark.rule("ST-08", "ST-15")
def test_only_the_breaker_can_recover_and_not_while_a_payment_holds_the_window() -> None:
    window = one_in().waits_until(MIDNIGHT)
    assert (seen(window).actions, seen(window).recovery_price) == ((Action.RECOVER,), 299)
    assert (seen(window, A).actions, seen(window, A).recovery_price) == ((), None)
    held = window.holds(MIDNIGHT + HOUR)
    assert (seen(held).actions, seen(held).recovery_price) == ((), 299)


@pytest.mark.rule("BI-06", "ST-15")
@pytest.mark.parametrize(("tier", "used", "left"), [("free", 0, 0), ("plus", 0, 1), ("plus", 1, 0), ("free", 1, 0)])
def test_a_recovery_is_free_while_free_ones_are_left(tier: str, used: int, left: int) -> None:
    shown = seen(one_in().waits_until(MIDNIGHT), used=Used(tier, 0, used))
    offer = to_shown_streak(shown, POLICY).recovery
    assert shown.free_recoveries_left == left
    assert (offer.free, offer.amount, offer.currency) == (left > 0, 299, "USD")


@pytest.mark.rule("RE-10", "RE-11", "ST-15")
def test_reveals_can_be_opened_until_the_connection_ends() -> None:
    completed = Story(MORNING).keeps(15)
    shown = seen(completed, reveals_waiting=(2, 5))
    assert (shown.actions, shown.reveals_waiting) == ((Action.OPEN_REVEAL,), (2, 5))
    shown = seen(completed, reveals_waiting=(2, 5), connection_ended=True)
    assert (shown.actions, shown.reveals_waiting) == ((), ())


@pytest.mark.rule("ST-06", "ST-15")
def test_a_streak_says_when_it_becomes_at_risk_until_both_have_checked_in() -> None:
    assert becomes_at_risk_at(Story(MORNING).streak, POLICY) == AT_RISK
    assert becomes_at_risk_at(one_in().streak, POLICY) == AT_RISK
    assert becomes_at_risk_at(one_in().waits_until(AT_RISK + MINUTE).streak, POLICY) == AT_RISK
    assert becomes_at_risk_at(one_in().checks_in(B, MORNING).streak, POLICY) is None
    assert becomes_at_risk_at(one_in().waits_until(MIDNIGHT).streak, POLICY) is None


@pytest.mark.rule("ST-03", "ST-15")
def test_the_date_is_that_of_the_open_day_or_of_the_day_that_broke() -> None:
    def day(story: Story) -> int:
        return int(to_shown_streak(seen(story), POLICY).check_in_date.day)

    assert day(Story(MORNING)) == 22
    assert day(one_in().waits_until(MIDNIGHT)) == 22  # it broke
    assert day(Story(MORNING).waits_until(MIDNIGHT)) == 0  # a reset: no day is open
