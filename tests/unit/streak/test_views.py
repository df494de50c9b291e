"""ST-15: what a member can do with a streak now."""

import pytest
from unora_streak.domain.views import Action, Extras, Plans, Used, View, becomes_at_risk_at, view
from unora_streak.messages import to_dashboard, to_shown_streak

from .story import HOUR, MINUTE, POLICY, A, B, Story, utc

MORNING, AT_RISK, MIDNIGHT = utc("2026-11-22T09:00"), utc("2026-11-22T18:00"), utc("2026-11-23T00:00")
NOTHING = Extras(Used("free", nudges=0, free_recoveries=0), reveals_waiting=(), connection_ended=False)
PLANS = Plans({"free": 1, "plus": 2}, {"free": 0, "plus": 1}, recovery_price=299)


def seen(story: Story, viewer: object = B, **extras: object) -> View:
    return view(story.streak, viewer, NOTHING._replace(**extras), PLANS)  # type: ignore[arg-type]


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


@pytest.mark.rule("ST-15")
def test_a_dashboard_holds_each_streak_as_it_is_shown_alone() -> None:
    broken = one_in().waits_until(MIDNIGHT)
    stories = [Story(MORNING), one_in(), broken, broken.holds(MIDNIGHT + HOUR), Story(MORNING).keeps(15)]
    shown = [seen(story, viewer, reveals_waiting=(1, 2)) for story in stories for viewer in (A, B)]
    dashboard = to_dashboard(shown, MORNING, POLICY)
    assert list(dashboard.streaks) == [to_shown_streak(each, POLICY) for each in shown]
    assert dashboard.server_time.ToDatetime(MORNING.tzinfo) == MORNING


@pytest.mark.rule("ST-15")
def test_two_streaks_share_no_date_that_a_change_of_one_would_change_in_the_other() -> None:
    one, other = to_dashboard([seen(one_in(), A), seen(one_in(), B)], MORNING, POLICY).streaks
    one.check_in_date.day = 1
    assert other.check_in_date.day == 22
    assert to_shown_streak(seen(one_in()), POLICY).check_in_date.day == 22


@pytest.mark.rule("ST-15", "ST-20", "ST-21")
def test_what_a_state_does_not_have_is_empty() -> None:
    always = {"streak_id", "connection_id", "server_type", "partner_id", "state", "cycle", "time_zone"}
    day = {"current_day", "day_ends_at", "check_in_date", "becomes_at_risk_at", "actions"}
    window = {"current_day", "breaker_id", "window_ends_at", "check_in_date"}
    broken = one_in().waits_until(MIDNIGHT)

    def given(story: Story, viewer: object = B) -> set[str]:
        return {field.name for field, _ in to_shown_streak(seen(story, viewer), POLICY).ListFields()} - always

    assert given(Story(MORNING)) == day
    assert given(one_in(), A) == (day | {"checked_in"}) - {"actions"}
    assert given(one_in(), B) == day | {"partner_checked_in"}
    assert given(broken, A) == window
    assert given(broken, B) == window | {"recovery", "actions"}
    assert given(broken.holds(MIDNIGHT + HOUR), B) == window | {"recovery", "recovery_held_until"}
    assert given(broken.holds(MIDNIGHT + HOUR), A) == window
    assert given(Story(MORNING).waits_until(MIDNIGHT)) == {"actions"}
