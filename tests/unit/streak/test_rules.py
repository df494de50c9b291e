"""The rules of a streak, one by one (zones are in test_days, the table in test_table)."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from unora_streak.domain.errors import AlreadyCheckedIn, NotInStreak
from unora_streak.domain.events import (
    CheckedIn,
    DayBegan,
    DayCompleted,
    Event,
    PaymentWindowOpened,
    StreakAtRisk,
    StreakCompleted,
    StreakReset,
    StreakStarted,
    StreakTerminated,
    transitions,
)
from unora_streak.domain.machine import begin
from unora_streak.domain.state import Connection, Effort, Policy, State, Streak

from .story import CONNECTION, HOUR, INSTANT, POLICY, STRANGER, STREAK, A, B, Story, utc

MORNING = utc("2026-11-22T09:00")
EVENING = utc("2026-11-22T20:00")
MIDNIGHT = utc("2026-11-23T00:00")


def formed(now: datetime, pair: tuple[UUID, UUID] = (A, B)) -> tuple[Streak, list[Event]]:
    """The connection formed in the morning; the service learns of it now."""
    connection = Connection(CONNECTION, pair, "partner")
    return begin(streak_id=STREAK, connection=connection, zone="UTC", formed_at=MORNING, now=now, policy=POLICY)


@pytest.mark.rule("ST-01")
def test_it_starts_when_the_connection_forms() -> None:
    streak, events = formed(now=MORNING)

    assert (streak.state, streak.cycle, streak.completed_days, streak.current_day) == ("active", 1, 0, 1)
    assert (streak.id, streak.connection_id, streak.user_a_id, streak.user_b_id) == (STREAK, CONNECTION, A, B)
    assert streak.checked_in == frozenset()
    assert streak.version == 1
    assert events == [
        StreakStarted(
            streak_id=STREAK,
            version=1,
            connection_id=CONNECTION,
            user_a_id=A,
            user_b_id=B,
            previous_state=None,
            state=State.ACTIVE,
            cycle=1,
            day=1,
            completed_days=0,
            occurred_at=MORNING,
            recorded_at=MORNING,
            time_zone="UTC",
            check_in_date=date(2026, 11, 22),
            day_ends_at=MIDNIGHT,
        )
    ]
    assert transitions(events) == []


@pytest.mark.rule("ST-01", "ST-03")
def test_a_late_event_of_the_connection_does_not_cost_the_pair_its_first_day() -> None:
    late = MORNING + timedelta(days=3)
    streak, (started,) = formed(now=late)

    assert (streak.started_at, started.occurred_at, started.recorded_at) == (MORNING, MORNING, late)
    assert streak.check_in_date == date(2026, 11, 25)


@pytest.mark.rule("ST-01")
def test_it_never_starts_later_than_now() -> None:
    streak, (started,) = formed(now=MORNING - HOUR)
    assert (streak.started_at, started.occurred_at, started.recorded_at) == (MORNING - HOUR,) * 3


@pytest.mark.rule("MA-08")
@pytest.mark.parametrize("pair", [(B, A), (A, A)])
def test_the_pair_is_ordered(pair: tuple[UUID, UUID]) -> None:
    with pytest.raises(ValueError, match="ordered"):
        formed(now=MORNING, pair=pair)


@pytest.mark.rule("ST-04")
def test_a_second_check_in_on_the_same_day_is_refused_and_changes_nothing() -> None:
    for story in (Story(MORNING).checks_in(A, MORNING), Story(MORNING).both_check_in(MORNING)):
        before = story.streak
        with pytest.raises(AlreadyCheckedIn) as refused:
            story.checks_in(A, EVENING)
        assert (refused.value.code, refused.value.reason) == ("ALREADY_EXISTS", "ALREADY_CHECKED_IN")
        assert refused.value.metadata == {"closes_at": "2026-11-23T00:00:00+00:00"}
        assert story.streak == before


@pytest.mark.rule("ST-04")
def test_a_stranger_gets_the_same_refusal_as_for_a_missing_streak() -> None:
    for story in (Story(MORNING), Story(MORNING).keeps(15), Story(MORNING).ends(EVENING)):
        with pytest.raises(NotInStreak) as refused:
            story.checks_in(STRANGER, MORNING)
        assert (refused.value.code, refused.value.reason, refused.value.metadata) == (
            "NOT_FOUND",
            "STREAK_NOT_FOUND",
            {},
        )


@pytest.mark.rule("ST-04")
def test_the_last_instant_counts_and_midnight_does_not() -> None:
    in_time = Story(MORNING).checks_in(A, MORNING).checks_in(B, MIDNIGHT - INSTANT)
    assert in_time.streak.completed_days == 1

    late = Story(MORNING).both_check_in(MORNING).checks_in(A, MIDNIGHT)
    checked_in = late.last_events[-1]
    assert isinstance(checked_in, CheckedIn)
    assert (checked_in.day, checked_in.check_in_date) == (2, date(2026, 11, 23))


@pytest.mark.rule("ST-14")
@pytest.mark.parametrize("effort", list(Effort))
def test_a_check_in_carries_its_effort(effort: Effort) -> None:
    (checked_in,) = Story(MORNING).checks_in(B, MORNING, effort).last_events
    assert isinstance(checked_in, CheckedIn)
    assert (checked_in.user_id, checked_in.effort_signal, checked_in.occurred_at) == (B, effort, MORNING)
    assert (checked_in.previous_state, checked_in.state) == ("active", "active")
    assert (checked_in.day, checked_in.completed_days) == (1, 0)
    assert [e.value for e in Effort] == ["low", "medium", "high"]


@pytest.mark.rule("ST-05")
def test_the_day_counts_as_soon_as_both_have_checked_in_and_lasts_until_midnight() -> None:
    story = Story(MORNING).both_check_in(MORNING)
    assert story.names == ["CheckedIn", "CheckedIn", "DayCompleted"]
    second, counted = story.last_events[1:]
    assert (second.day, second.completed_days) == (1, 0)
    assert isinstance(counted, DayCompleted)
    assert (counted.day, counted.completed_days, counted.check_in_date) == (1, 1, date(2026, 11, 22))
    assert (story.streak.current_day, story.streak.completed_days) == (1, 1)

    (began,) = story.waits_until(MIDNIGHT).last_events
    assert isinstance(began, DayBegan)
    assert (began.day, began.completed_days, began.check_in_date) == (2, 1, date(2026, 11, 23))
    assert (began.occurred_at, began.day_ends_at) == (MIDNIGHT, MIDNIGHT + 24 * HOUR)
    assert (story.streak.current_day, story.streak.completed_days, story.streak.checked_in) == (2, 1, frozenset())


@pytest.mark.rule("ST-05")
def test_the_second_check_in_takes_the_day_out_of_risk() -> None:
    story = Story(MORNING).checks_in(A, EVENING).checks_in(B, EVENING + HOUR)
    assert [(type(e).__name__, e.previous_state, e.state) for e in story.last_events] == [
        ("CheckedIn", "at_risk", "at_risk"),
        ("DayCompleted", "at_risk", "active"),
    ]


@pytest.mark.rule("ST-06")
def test_at_risk_names_the_one_who_is_missing() -> None:
    for early, missing in ((A, B), (B, A)):
        (risk,) = Story(MORNING).checks_in(early, MORNING).waits_until(MIDNIGHT - 2 * HOUR).last_events
        assert isinstance(risk, StreakAtRisk)
        assert risk.missing_user_id == missing
        assert (risk.occurred_at, risk.recorded_at) == (MIDNIGHT - 6 * HOUR, MIDNIGHT - 2 * HOUR)
        assert (risk.day_ends_at, risk.check_in_date) == (MIDNIGHT, date(2026, 11, 22))


@pytest.mark.rule("ST-06")
def test_a_check_in_within_the_last_six_hours_is_at_risk_from_then_on() -> None:
    _, checked_in, risk = Story(MORNING).checks_in(A, EVENING).last_events  # the first says that the day ends soon
    assert (checked_in.previous_state, checked_in.state) == ("active", "active")
    assert (risk.previous_state, risk.state, risk.occurred_at) == ("active", "at_risk", EVENING)


@pytest.mark.rule("ST-06")
def test_six_hours_before_the_end_are_real_hours() -> None:
    """In Santiago clocks go back an hour at midnight, so on that long day the risk begins at 19:00 by the wall."""
    story = Story(utc("2026-04-04T12:00"), "America/Santiago").checks_in(A, utc("2026-04-04T13:00"))
    story.waits_until(story.streak.closes_at)
    assert [e.occurred_at for e in story.last_events] == [utc("2026-04-04T22:00"), utc("2026-04-05T04:00")]


@pytest.mark.rule("ST-06", "ST-08")
@pytest.mark.parametrize(("early", "breaker"), [(A, B), (B, A)])
def test_the_window_opens_for_the_one_who_missed(early: UUID, breaker: UUID) -> None:
    story = Story(MORNING).keeps(3).waits_until(utc("2026-11-25T00:00"))
    story.checks_in(early, utc("2026-11-25T10:00")).waits_until(utc("2026-11-26T07:00"))

    assert story.names == ["StreakAtRisk", "PaymentWindowOpened"]
    window = story.last_events[-1]
    assert isinstance(window, PaymentWindowOpened)
    assert window.breaker_user_id == story.streak.breaker_user_id == breaker
    assert (window.occurred_at, window.recorded_at) == (utc("2026-11-26T00:00"), utc("2026-11-26T07:00"))
    assert (window.day, window.completed_days, window.check_in_date) == (4, 3, date(2026, 11, 25))
    assert window.window_ends_at == story.streak.window_closes_at == utc("2026-11-27T00:00")
    # what a recovery will need is in the row: the count so far and the day that broke
    assert (story.streak.completed_days, story.streak.current_day) == (3, 4)
    assert (story.streak.check_in_date, story.streak.closes_at) == (date(2026, 11, 25), utc("2026-11-26T00:00"))


@pytest.mark.rule("ST-03", "ST-08")
def test_the_window_is_the_whole_next_day_however_long() -> None:
    story = Story(utc("2026-03-28T09:00"), "Europe/Berlin").checks_in(A, utc("2026-03-28T10:00"))
    story.waits_until(utc("2026-03-29T00:00"))
    assert story.streak.window_closes_at == story.streak.closes_at + 23 * HOUR


@pytest.mark.rule("ST-07")
def test_both_miss_and_the_count_is_lost() -> None:
    story = Story(MORNING).keeps(7)
    story.waits_until(story.streak.closes_at).waits_until(story.streak.closes_at)

    _, reset = story.last_events
    assert isinstance(reset, StreakReset)
    assert (reset.previous_state, reset.state, reset.lost_days) == ("active", "reset", 7)
    assert reset.occurred_at == utc("2026-11-30T00:00")
    assert (story.streak.cycle, story.streak.completed_days, story.streak.current_day) == (2, 0, 1)


@pytest.mark.rule("ST-09")
def test_no_recovery_in_time_and_the_count_is_lost_in_the_same_row() -> None:
    story = Story(MORNING).keeps(2).waits_until(utc("2026-11-24T00:00"))
    before = story.checks_in(B, utc("2026-11-24T10:00")).streak
    story.waits_until(utc("2026-11-26T00:00"))

    reset = story.last_events[-1]
    assert isinstance(reset, StreakReset)
    assert (reset.previous_state, reset.lost_days, reset.cycle, reset.completed_days) == ("payment_window", 2, 2, 0)
    assert story.streak == replace(
        before,
        state=State.RESET,
        cycle=2,
        completed_days=0,
        checked_in=frozenset(),
        next_due_at=None,
        version=before.version + 3,
    )


@pytest.mark.rule("ST-03", "ST-10")
@pytest.mark.parametrize("member", [A, B])
@pytest.mark.parametrize(
    ("now", "day"),
    [("2026-12-24T05:00", date(2026, 12, 24)), ("2026-12-24T21:00", date(2026, 12, 25))],
)
def test_the_next_check_in_of_either_begins_a_new_cycle(member: UUID, now: str, day: date) -> None:
    story = Story(MORNING).keeps(2)
    story.checks_in(member, utc(now))

    assert story.names == ["DayBegan", "DayEndsSoon", "StreakReset", "CycleBegan", "CheckedIn"]
    began, checked_in = story.last_events[3:]
    assert (began.previous_state, began.state, began.cycle, began.day) == ("reset", "active", 2, 1)
    assert (checked_in.cycle, checked_in.day, story.streak.check_in_date) == (2, 1, day)
    assert story.streak.checked_in == {member}
    assert story.streak.started_at == MORNING


@pytest.mark.rule("ST-11")
def test_the_fifteenth_day_completes_the_streak() -> None:
    story = Story(MORNING).keeps(15)
    when = story.streak.closes_at - 10 * HOUR

    assert story.names == ["CheckedIn", "CheckedIn", "DayCompleted", "StreakCompleted"]
    counted, completed = story.last_events[2:]
    assert (counted.completed_days, counted.state) == (15, "active")
    assert isinstance(completed, StreakCompleted)
    assert (completed.previous_state, completed.state) == ("active", "completed")
    assert (completed.day, completed.completed_days) == (15, 15)
    assert (completed.occurred_at, story.streak.ended_at) == (when, when)
    assert (story.streak.completed_days, story.streak.current_day) == (15, 15)
    assert [e.completed_days for e in story.events if isinstance(e, DayCompleted)] == list(range(1, 16))


@pytest.mark.rule("ST-11")
def test_completed_never_changes_again() -> None:
    story = Story(MORNING).keeps(15)
    done = story.streak
    story.waits_until(MORNING + timedelta(days=365)).ends(MORNING + timedelta(days=366))
    assert (story.streak, story.last_events) == (done, [])


@pytest.mark.rule("ST-12")
def test_the_ending_takes_effect_when_it_happened() -> None:
    story = Story(MORNING).checks_in(A, EVENING).ends(MIDNIGHT - HOUR, now=MIDNIGHT + 3 * HOUR)
    (ended,) = story.last_events  # the midnight before the message came closes nothing
    assert isinstance(ended, StreakTerminated)
    assert ended.previous_state == "at_risk"
    assert (ended.occurred_at, ended.recorded_at) == (MIDNIGHT - HOUR, MIDNIGHT + 3 * HOUR)
    assert story.streak.ended_at == MIDNIGHT - HOUR


@pytest.mark.rule("ST-12", "ST-16")
def test_the_ending_first_closes_the_days_before_it() -> None:
    story = Story(MORNING).checks_in(A, MORNING).ends(MIDNIGHT + HOUR, now=MIDNIGHT + 100 * HOUR)
    assert [to.value for _, to in transitions(story.last_events)] == ["at_risk", "payment_window", "terminated"]
    assert {e.recorded_at for e in story.last_events} == {MIDNIGHT + 100 * HOUR}
    assert (story.streak.breaker_user_id, story.streak.window_closes_at) == (None, None)


@pytest.mark.rule("ST-12")
def test_an_ending_that_comes_after_the_sweep_still_takes_effect_at_its_moment() -> None:
    story = Story(MORNING).checks_in(A, EVENING).waits_until(MIDNIGHT).ends(EVENING + HOUR, now=MIDNIGHT + HOUR)
    (ended,) = story.last_events
    assert ended.previous_state == "payment_window"
    assert (ended.occurred_at, ended.recorded_at) == (EVENING + HOUR, MIDNIGHT + HOUR)


@pytest.mark.rule("ST-12")
def test_an_ending_is_never_later_than_now() -> None:
    story = Story(MORNING).ends(MIDNIGHT + HOUR, now=EVENING)
    assert (story.names, story.streak.ended_at) == (["DayEndsSoon", "StreakTerminated"], EVENING)


@pytest.mark.rule("ST-03", "ST-06", "ST-11")
def test_the_numbers_are_policy() -> None:
    policy = Policy(final_day=2, at_risk=timedelta(hours=1), first_day=timedelta(hours=12))
    story = Story(utc("2026-11-22T13:00"), policy=policy)
    assert story.streak.check_in_date == date(2026, 11, 23)

    day_before_last = utc("2026-11-23T22:00")
    assert story.checks_in(A, day_before_last).state == "active"
    assert story.waits_until(day_before_last + HOUR).state == "at_risk"
    story.checks_in(B, day_before_last + HOUR)
    story.both_check_in(utc("2026-11-24T00:00"))
    assert (story.state, story.streak.completed_days) == ("completed", 2)


@pytest.mark.rule("ST-11")
def test_the_defaults_are_those_of_the_rules() -> None:
    assert Policy() == Policy(final_day=15, at_risk=timedelta(hours=6), first_day=timedelta(hours=6))


@pytest.mark.rule("ST-16")
@pytest.mark.parametrize("call", ["waits_until", "ends"])
def test_a_time_without_a_zone_is_refused(call: str) -> None:
    with pytest.raises(ValueError, match="naive"):
        getattr(Story(MORNING), call)(EVENING.replace(tzinfo=None))


@pytest.mark.rule("ST-16")
def test_the_zone_of_the_time_given_does_not_matter() -> None:
    here = Story(MORNING).checks_in(A, EVENING.astimezone(ZoneInfo("Asia/Tokyo")))
    there = Story(MORNING.astimezone(ZoneInfo("America/New_York"))).checks_in(A, EVENING)
    assert (here.streak, here.events) == (there.streak, there.events)
    assert all(e.occurred_at.tzinfo == MORNING.tzinfo for e in here.events)
