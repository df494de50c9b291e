"""ST-23: it is told once that a day ends soon, if nobody has checked in."""

from datetime import timedelta

import pytest
from unora_streak.domain.events import DayBegan, DayEndsSoon, PaymentWindowOpened, StreakAtRisk, StreakReset
from unora_streak.domain.state import Policy

from .story import HOUR, INSTANT, A, B, Story, utc

MORNING, SOON, MIDNIGHT = utc("2026-11-22T09:00"), utc("2026-11-22T18:00"), utc("2026-11-23T00:00")


@pytest.mark.rule("ST-23")
def test_it_is_told_when_six_hours_remain_and_not_before() -> None:
    story = Story(MORNING, "Europe/London").waits_until(SOON - INSTANT)
    assert not story.last_events
    (told,) = story.waits_until(SOON).last_events
    assert isinstance(told, DayEndsSoon)
    assert (told.occurred_at, told.day_ends_at, told.time_zone) == (SOON, MIDNIGHT, "Europe/London")
    assert (told.previous_state, told.state, told.day) == ("active", "active", 1)


@pytest.mark.rule("ST-23")
def test_it_is_told_once_a_day() -> None:
    story = Story(MORNING).waits_until(SOON).waits_until(SOON + HOUR).waits_until(MIDNIGHT - INSTANT)
    assert not story.last_events
    assert [type(event) for event in story.waits_until(MIDNIGHT).last_events] == [StreakReset]


@pytest.mark.rule("ST-23")
@pytest.mark.parametrize("members", [(A,), (A, B)], ids=["one", "both"])
def test_it_is_not_told_of_a_day_with_a_check_in(members: tuple[object, ...]) -> None:
    story = Story(MORNING)
    for member in (A, B)[: len(members)]:
        story.checks_in(member, MORNING)
    assert not [event for event in story.waits_until(MIDNIGHT - INSTANT).events if isinstance(event, DayEndsSoon)]


@pytest.mark.rule("ST-23")
def test_each_day_is_told_of_anew() -> None:
    story = Story(MORNING).waits_until(SOON).both_check_in(SOON + HOUR).waits_until(MIDNIGHT + 20 * HOUR)
    assert [type(event) for event in story.last_events] == [DayBegan, DayEndsSoon]


@pytest.mark.rule("ST-16", "ST-23")
def test_after_an_outage_it_is_told_late_and_says_that_the_day_is_over() -> None:
    told, reset = Story(MORNING).waits_until(MIDNIGHT + HOUR).last_events
    assert isinstance(told, DayEndsSoon)
    assert isinstance(reset, StreakReset)
    assert told.occurred_at == SOON < told.day_ends_at < told.recorded_at


@pytest.mark.rule("ST-23")
def test_the_hours_are_policy() -> None:
    story = Story(MORNING, policy=Policy(ends_soon=timedelta(hours=2)))
    assert not story.waits_until(SOON).last_events
    assert story.waits_until(MIDNIGHT - 2 * HOUR).names == ["DayEndsSoon"]


@pytest.mark.rule("ST-23")
def test_who_tells_the_members_of_a_risk_or_a_window_learns_their_zone() -> None:
    story = Story(MORNING, "Europe/London").checks_in(A, MORNING).waits_until(MIDNIGHT)
    zones = [event.time_zone for event in story.last_events if isinstance(event, StreakAtRisk | PaymentWindowOpened)]
    assert zones == ["Europe/London", "Europe/London"]
