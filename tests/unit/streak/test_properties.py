"""What holds for every streak, seen at any time."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_streak.domain.errors import CheckInClosed
from unora_streak.domain.events import CheckedIn, DayCompleted, StreakReset
from unora_streak.domain.machine import advance, check_in
from unora_streak.domain.state import Effort, State, Streak

from tests.examples import examples

from .story import HOUR, MINUTE, POLICY, A, B, Story, timeless
from .strategies import MEMBERS, PAYMENTS, STARTS, ZONES


@st.composite
def streaks(draw: st.DrawFn) -> Streak:
    """A streak somewhere on its way, last seen at some time that may be long ago."""
    story = Story(draw(STARTS), draw(st.sampled_from(ZONES)))
    story.keeps(draw(st.integers(0, 14)))
    far = draw(st.integers(0, 4))  # each part of the way is as likely as the others
    if far > 0:
        story.waits_until(story.streak.closes_at)
    if far > 1:
        story.checks_in(draw(MEMBERS), story.streak.closes_at - draw(st.integers(1, 22)) * HOUR)
    if far > 2:
        story.waits_until(story.streak.closes_at)
    if far > 3:
        for payment in draw(st.lists(PAYMENTS, min_size=1, max_size=2, unique=True)):
            assert story.streak.window_closes_at is not None
            assert story.streak.breaker_user_id is not None
            asked_at = story.streak.window_closes_at - draw(st.integers(1, 20)) * MINUTE
            if story.streak.hold and story.streak.hold.until > asked_at:
                break
            story.holds(asked_at, payment, story.streak.breaker_user_id)
    return story.streak


@pytest.mark.rule("ST-16")
@examples(100)
@given(streaks(), st.lists(st.timedeltas(timedelta(0), timedelta(days=3)), max_size=8))
def test_a_sweep_after_an_outage_makes_the_events_of_many_sweeps(streak: Streak, waits: list[timedelta]) -> None:
    now = streak.closes_at - 23 * HOUR
    stepped, many = streak, []
    for wait in waits:
        now += wait
        stepped, events = advance(stepped, now, POLICY)
        many += events
    jumped, at_once = advance(streak, now, POLICY)
    assert jumped == stepped
    assert timeless(at_once) == timeless(many)


@pytest.mark.rule("ST-05")
@examples(100)
@given(streaks(), st.integers(0, 30), st.sampled_from(ZONES))
def test_the_order_of_two_check_ins_does_not_matter(streak: Streak, hours: int, zone: str) -> None:
    now = streak.closes_at + hours * HOUR

    def in_order(*members: UUID) -> Streak | str:
        after = streak
        try:
            for member in members:
                after, _ = check_in(after, member, Effort.LOW, now, zone, POLICY)
        except CheckInClosed as refused:
            return refused.metadata["state"]
        return after

    assert in_order(A, B) == in_order(B, A)


@pytest.mark.rule("ST-04", "ST-16")
@examples(100)
@given(streaks(), MEMBERS, st.timedeltas(timedelta(0), timedelta(days=3)))
def test_no_check_in_ever_counts_for_a_day_that_is_over(streak: Streak, member: UUID, late: timedelta) -> None:
    now = streak.closes_at + late
    try:
        _, events = check_in(streak, member, Effort.LOW, now, streak.zone, POLICY)
    except CheckInClosed:
        return
    (checked_in,) = (e for e in events if isinstance(e, CheckedIn))
    assert checked_in.check_in_date > streak.check_in_date
    counted = [e for e in events if isinstance(e, DayCompleted)]
    assert not counted


@pytest.mark.rule("ST-08", "ST-09")
@examples(50)
@given(streaks())
def test_a_streak_left_alone_is_over_within_four_days_and_loses_its_count_once(streak: Streak) -> None:
    left, events = advance(streak, streak.closes_at + timedelta(days=4), POLICY)
    assert left.state is State.RESET
    lost = [(e.lost_days, e.cycle) for e in events if isinstance(e, StreakReset)]
    assert lost == ([] if streak.state is State.RESET else [(streak.completed_days, streak.cycle + 1)])
