"""ST-08, ST-13, ST-17, ST-20, one by one. The day that broke is the 22nd of November 2026, UTC; b missed it."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from unora_streak.domain.errors import (
    HeldForAnotherPayment,
    NotAtRisk,
    NotCheckedIn,
    NotInPaymentWindow,
    NotInStreak,
    NotTheBreaker,
    NudgeLimitReached,
    NudgesLeft,
    StreakError,
)
from unora_streak.domain.events import NudgeSent, RecoveryHeld, RecoveryReleased, StreakRecovered
from unora_streak.domain.nudges import can_nudge, nudge, require_nudge_for_sale
from unora_streak.domain.recovery import hold
from unora_streak.domain.state import Policy, State

from .story import HOUR, INSTANT, MINUTE, NUDGE, OTHER_PAYMENT, PAYMENT, POLICY, STRANGER, A, B, Story, utc

START = utc("2026-11-20T09:00")
MIDNIGHT = utc("2026-11-23T00:00")
EVENING = utc("2026-11-22T20:00")
DEADLINE = utc("2026-11-24T00:00")


def broken() -> Story:
    """Both checked in on two days; on the third only a."""
    story = Story(START).keeps(2)
    story.waits_until(story.streak.closes_at).checks_in(A, START + timedelta(days=2))
    return story.waits_until(MIDNIGHT)


def at_risk() -> Story:
    story = Story(utc("2026-11-22T09:00")).checks_in(A, utc("2026-11-22T09:00"))
    return story.waits_until(EVENING)


@pytest.mark.rule("ST-08")
def test_a_recovery_continues_from_the_count_and_plays_the_day_again() -> None:
    story = broken().holds(MIDNIGHT + HOUR).pays(MIDNIGHT + 2 * HOUR)
    streak = story.streak
    assert (streak.state, streak.cycle, streak.completed_days, streak.current_day) == ("active", 1, 2, 3)
    assert (streak.checked_in, streak.hold, streak.breaker_user_id, streak.window_closes_at) == (
        frozenset(),
        None,
        None,
        None,
    )
    assert not streak.long_hold_used
    (event,) = (each for each in story.last_events if isinstance(each, StreakRecovered))
    assert (event.payment_id, event.breaker_user_id, event.day) == (PAYMENT, B, 3)
    assert (event.check_in_date, event.day_ends_at) == (date(2026, 11, 23), DEADLINE)
    story.both_check_in(MIDNIGHT + 3 * HOUR)
    assert story.streak.completed_days == 3


@pytest.mark.rule("ST-03", "ST-08")
@pytest.mark.parametrize(
    ("paid_at", "ends_at"),
    [
        (DEADLINE - 6 * HOUR, DEADLINE),
        (DEADLINE - 6 * HOUR + INSTANT, DEADLINE + 24 * HOUR),
        (DEADLINE - INSTANT, DEADLINE + 24 * HOUR),
    ],
)
def test_the_day_played_again_ends_at_the_first_midnight_six_hours_ahead(paid_at: datetime, ends_at: datetime) -> None:
    story = broken().holds(DEADLINE - 7 * HOUR)
    assert story.pays(paid_at).streak.closes_at == ends_at


@pytest.mark.rule("ST-03", "ST-08")
def test_a_late_event_of_a_recovery_costs_the_pair_nothing_of_the_day() -> None:
    story = broken().holds(DEADLINE - HOUR)
    story.pays(DEADLINE - 55 * MINUTE, now=DEADLINE + 20 * HOUR)
    event = story.last_events[-1]
    assert (event.occurred_at, event.recorded_at) == (DEADLINE - 55 * MINUTE, DEADLINE + 20 * HOUR)
    assert story.streak.closes_at == DEADLINE + 48 * HOUR


@pytest.mark.rule("ST-20")
def test_a_hold_lasts_ten_minutes_and_a_repeat_is_the_same() -> None:
    story = broken().holds(MIDNIGHT + HOUR)
    (event,) = story.last_events
    assert isinstance(event, RecoveryHeld)
    assert (event.payment_id, event.breaker_user_id) == (PAYMENT, B)
    assert event.held_until == MIDNIGHT + HOUR + 10 * MINUTE
    before = story.streak
    assert story.holds(event.held_until - INSTANT).last_events == []
    assert story.streak == before


@pytest.mark.rule("ST-20")
def test_the_first_hold_may_pass_the_deadline_and_the_next_may_not() -> None:
    story = broken().holds(DEADLINE - 15 * MINUTE)
    story.waits_until(DEADLINE - 5 * MINUTE)
    assert story.names == ["RecoveryReleased"]
    assert story.holds(DEADLINE - 5 * MINUTE, OTHER_PAYMENT).streak.hold == (OTHER_PAYMENT, DEADLINE)
    only = broken().holds(DEADLINE - INSTANT)
    assert only.streak.hold == (PAYMENT, DEADLINE - INSTANT + 10 * MINUTE)


@pytest.mark.rule("ST-20")
def test_each_break_has_a_long_hold_of_its_own() -> None:
    story = broken().holds(MIDNIGHT + HOUR).pays(MIDNIGHT + HOUR + MINUTE)
    story.checks_in(A, MIDNIGHT + 2 * HOUR).waits_until(DEADLINE)
    assert story.state is State.PAYMENT_WINDOW
    again = DEADLINE + 24 * HOUR - MINUTE
    assert story.holds(again, OTHER_PAYMENT).streak.hold == (OTHER_PAYMENT, again + 10 * MINUTE)


@pytest.mark.rule("ST-08", "ST-19", "ST-20")
@pytest.mark.parametrize(
    ("payer", "payment", "now", "refusal"),
    [
        (STRANGER, OTHER_PAYMENT, MIDNIGHT + HOUR, NotInStreak),
        (A, OTHER_PAYMENT, MIDNIGHT + HOUR, NotTheBreaker),
        (B, OTHER_PAYMENT, MIDNIGHT + HOUR + 10 * MINUTE - INSTANT, HeldForAnotherPayment),
        (B, PAYMENT, DEADLINE, NotInPaymentWindow),
    ],
)
def test_a_hold_is_refused_by_name(payer: UUID, payment: UUID, now: datetime, refusal: type[StreakError]) -> None:
    story = broken().holds(MIDNIGHT + HOUR)
    with pytest.raises(refusal):
        hold(story.streak, payer, payment, now, POLICY)


@pytest.mark.rule("ST-20")
def test_a_hold_that_ends_past_the_deadline_resets_when_it_ends() -> None:
    story = broken().holds(DEADLINE - MINUTE).waits_until(DEADLINE + 99 * HOUR)
    assert story.names == ["RecoveryReleased", "StreakReset"]
    assert {event.occurred_at for event in story.last_events} == {DEADLINE + 9 * MINUTE}


@pytest.mark.rule("ST-20")
def test_a_failure_gives_the_deadline_back() -> None:
    story = broken().holds(DEADLINE - MINUTE).fails(DEADLINE - INSTANT)
    (event,) = story.last_events
    assert isinstance(event, RecoveryReleased)
    assert (story.state, story.streak.hold, story.streak.window_closes_at) == ("payment_window", None, DEADLINE)
    assert [each.occurred_at for each in story.waits_until(DEADLINE + HOUR).last_events] == [DEADLINE]


@pytest.mark.rule("ST-20")
def test_a_failure_past_the_deadline_resets_at_that_moment() -> None:
    story = broken().holds(DEADLINE - MINUTE).fails(DEADLINE + MINUTE, now=DEADLINE + 2 * MINUTE)
    assert story.names == ["RecoveryReleased", "StreakReset"]
    assert {event.occurred_at for event in story.last_events} == {DEADLINE + MINUTE}
    assert {event.recorded_at for event in story.last_events} == {DEADLINE + 2 * MINUTE}


@pytest.mark.rule("ST-20")
def test_a_failure_of_a_payment_that_is_not_held_changes_nothing() -> None:
    story = broken().holds(MIDNIGHT + HOUR)
    before = story.streak
    assert story.fails(MIDNIGHT + HOUR + MINUTE, OTHER_PAYMENT).last_events == []
    assert story.streak == before


@pytest.mark.rule("ST-08", "ST-17")
@pytest.mark.parametrize("payer", [A, STRANGER])
def test_a_payment_of_another_member_is_rejected(payer: UUID) -> None:
    story = broken().holds(MIDNIGHT + HOUR).pays(MIDNIGHT + HOUR + MINUTE, payer=payer)
    assert story.names == ["RecoveryRejected"]
    assert story.state is State.PAYMENT_WINDOW


@pytest.mark.rule("ST-17")
def test_a_late_payment_is_rejected_after_every_step_that_is_due() -> None:
    story = broken().holds(DEADLINE - MINUTE).pays(DEADLINE + 9 * MINUTE, now=DEADLINE + HOUR)
    assert story.names == ["RecoveryReleased", "StreakReset", "RecoveryRejected"]
    assert story.last_events[-1].occurred_at == DEADLINE + HOUR


@pytest.mark.rule("ST-12", "ST-17")
def test_an_ended_streak_rejects_and_stays_as_it_is() -> None:
    story = broken().holds(MIDNIGHT + HOUR).ends(MIDNIGHT + HOUR + MINUTE)
    assert (story.streak.hold, story.streak.long_hold_used) == (None, False)
    story.pays(MIDNIGHT + HOUR + 2 * MINUTE)
    assert (story.names, story.state) == (["RecoveryRejected"], State.TERMINATED)


@pytest.mark.rule("ST-13")
def test_a_nudge_goes_from_the_member_who_checked_in_to_the_other() -> None:
    streak, (sent,) = nudge(at_risk().streak, A, NUDGE, 1, EVENING, POLICY)
    assert isinstance(sent, NudgeSent)
    assert (sent.nudge_id, sent.sender_id, sent.receiver_id, sent.payment_id) == (NUDGE, A, B, None)
    assert (sent.previous_state, sent.state, streak.state) == ("at_risk",) * 3


@pytest.mark.rule("ST-13")
@pytest.mark.parametrize(
    ("sender", "left", "now", "refusal"),
    [
        (STRANGER, 1, EVENING, NotInStreak),
        (B, 1, EVENING, NotCheckedIn),
        (A, 0, EVENING, NudgeLimitReached),
        (A, -1, EVENING, NudgeLimitReached),  # a tier that fell
        (A, 1, MIDNIGHT, NotAtRisk),
    ],
)
def test_a_nudge_is_refused_by_name(sender: UUID, left: int, now: datetime, refusal: type[StreakError]) -> None:
    with pytest.raises(refusal):
        nudge(at_risk().streak, sender, NUDGE, left, now, POLICY)


@pytest.mark.rule("ST-13")
def test_a_nudge_is_for_sale_when_none_of_the_tier_is_left() -> None:
    streak = at_risk().streak
    require_nudge_for_sale(streak, A, 0, EVENING, POLICY)
    with pytest.raises(NudgesLeft):
        require_nudge_for_sale(streak, A, 1, EVENING, POLICY)
    with pytest.raises(NotCheckedIn):
        require_nudge_for_sale(streak, B, 0, EVENING, POLICY)
    assert can_nudge(streak, A)
    assert not can_nudge(streak, B)


@pytest.mark.rule("ST-13", "BI-11")
def test_a_bought_nudge_is_sent_or_rejected() -> None:
    story = at_risk().buys_a_nudge(A, EVENING)
    assert story.names == ["NudgeSent"]
    story.checks_in(B, EVENING + MINUTE).buys_a_nudge(A, EVENING + 2 * MINUTE)
    assert (story.names, story.state) == (["NudgeRejected"], State.ACTIVE)


@pytest.mark.rule("ST-20")
def test_the_length_of_a_hold_is_policy() -> None:
    story = broken()
    streak, _ = hold(story.streak, B, PAYMENT, MIDNIGHT + HOUR, Policy(hold=3 * HOUR))
    assert streak.hold == (PAYMENT, MIDNIGHT + 4 * HOUR)
    assert Policy().hold == 10 * MINUTE


@pytest.mark.rule("ST-17")
def test_a_payment_authorised_for_one_break_recovers_no_other() -> None:
    story = broken().holds(MIDNIGHT + HOUR).pays(MIDNIGHT + HOUR + MINUTE)
    first = story.authorized[PAYMENT]
    story.checks_in(A, MIDNIGHT + 2 * HOUR).waits_until(DEADLINE)
    story.holds(DEADLINE + HOUR, OTHER_PAYMENT)
    assert story.authorized[OTHER_PAYMENT] != first
    story.pays(DEADLINE + HOUR + MINUTE, PAYMENT)
    assert (story.names, story.state) == (["RecoveryRejected"], State.PAYMENT_WINDOW)
    assert story.pays(DEADLINE + HOUR + MINUTE, OTHER_PAYMENT).names == ["StreakRecovered"]
