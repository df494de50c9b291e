"""What holds for every streak, whatever its members and the sweep do, in whatever zone."""

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from unora_streak.domain import (
    ALLOWED,
    PLAYING,
    TERMINAL,
    AlreadyCheckedIn,
    CheckedIn,
    CheckInClosed,
    DayCompleted,
    Effort,
    State,
    Streak,
    StreakReset,
    check_in,
    next_due,
    settle,
    transitions,
)

from tests.examples import examples

from .story import HOUR, INSTANT, POLICY, A, B, Story, timeless

# Plain ones, and those whose clocks change at or around midnight.
ZONES = [
    "UTC",
    "Europe/Berlin",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "America/Santiago",
    "America/Havana",
    "America/Nuuk",
    "Asia/Beirut",
    "Africa/Cairo",
    "Australia/Lord_Howe",
]
MEMBERS = st.sampled_from([A, B])
STARTS = st.datetimes(
    datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2027-12-01"), timezones=st.just(UTC)
)
WAITS = st.one_of(
    st.timedeltas(timedelta(0), timedelta(hours=30)),
    st.timedeltas(timedelta(0), timedelta(days=4)),
    st.sampled_from([timedelta(0), INSTANT, HOUR, 6 * HOUR, 24 * HOUR]),
)


class AnyStreak(RuleBasedStateMachine):
    """Two rows hear the same: `swept` is settled at every chance, `lazy` only by the writes of its members."""

    @initialize(start=STARTS, zone=st.sampled_from(ZONES))
    def connection_forms(self, start: datetime, zone: str) -> None:
        self.now = start
        self.swept = Story(start, zone)
        self.lazy = Story(start, zone)

    @rule(wait=WAITS, stops=st.lists(st.floats(0, 1), max_size=4))
    def time_passes(self, wait: timedelta, stops: list[float]) -> None:
        for stop in sorted(stops):
            self.swept.waits_until(self.now + wait * stop)
        self._comes_to(self.now + wait)

    @precondition(lambda self: next_due(self.swept.streak, POLICY) is not None)
    @rule(off=st.sampled_from([-INSTANT, timedelta(0), INSTANT]))
    def the_next_deadline_comes(self, off: timedelta) -> None:
        due = next_due(self.swept.streak, POLICY)
        assert due is not None
        self._comes_to(max(self.now, due + off))

    @rule(member=MEMBERS, effort=st.sampled_from(Effort), zone=st.sampled_from(ZONES))
    def one_checks_in(self, member: UUID, effort: Effort, zone: str) -> None:
        self.swept.zone = self.lazy.zone = zone
        before = self.swept.streak
        refused = before.state in TERMINAL | {State.PAYMENT_WINDOW}
        again = before.state in PLAYING and member in before.here
        for story in (self.swept, self.lazy):
            if refused or again:
                with pytest.raises(CheckInClosed if refused else AlreadyCheckedIn):
                    story.checks_in(member, self.now, effort)
            else:
                story.checks_in(member, self.now, effort)
        if not (refused or again):
            assert self.lazy.streak == self.swept.streak

    @precondition(lambda self: self.swept.state in PLAYING | {State.RESET})
    @rule(days=st.integers(1, 15), part=st.floats(0, 0.99))
    def both_keep_some_days(self, days: int, part: float) -> None:
        for _ in range(days):
            if self.swept.state not in PLAYING | {State.RESET}:
                return
            for member in {A, B} - self.swept.streak.here:
                self.one_checks_in(member, Effort.LOW, self.swept.zone)
            closes_at = self.swept.streak.closes_at
            self._comes_to(closes_at + part * 17 * HOUR)

    @precondition(lambda self: self.swept.state not in TERMINAL or self.swept.state is State.COMPLETED)
    @rule()
    def the_connection_ends(self) -> None:
        for story in (self.swept, self.lazy):
            story.ends(self.now)
        assert self.swept.state in TERMINAL

    def _comes_to(self, now: datetime) -> None:
        self.now = now
        self.swept.waits_until(now)

    @invariant()
    def one_jump_equals_many_small_steps(self) -> None:
        streak, events = settle(self.lazy.streak, self.now, POLICY)
        assert streak == self.swept.streak
        assert timeless(self.lazy.events + events) == timeless(self.swept.events)

    @invariant()
    def settling_again_changes_nothing(self) -> None:
        assert settle(self.swept.streak, self.now, POLICY) == (self.swept.streak, [])

    @invariant()
    def the_next_deadline_is_the_next_change(self) -> None:
        streak = self.swept.streak
        due = next_due(streak, POLICY)
        if due is None:
            assert streak.state in TERMINAL | {State.RESET}
            assert settle(streak, self.now + timedelta(days=99), POLICY) == (streak, [])
        else:
            assert due > self.now
            assert settle(streak, due - INSTANT, POLICY) == (streak, [])
            after, events = settle(streak, due, POLICY)
            assert after != streak
            assert [e.at for e in events] == [due]

    @invariant()
    def every_change_of_state_is_allowed_and_told(self) -> None:
        told = self.swept.events
        assert set(transitions(told)) <= ALLOWED
        assert all(later.was is earlier.state for earlier, later in pairwise(told))
        assert told[-1].state is self.swept.state
        assert self.swept.streak.version == len(told)
        assert all(earlier.at <= later.at <= later.recorded_at for earlier, later in pairwise(told))

    @invariant()
    def the_last_event_tells_the_row(self) -> None:
        last, streak = self.swept.events[-1], self.swept.streak
        told = (last.cycle, last.completed_days) + (() if isinstance(last, CheckedIn) else (last.day,))
        row = (streak.cycle, streak.completed_days) + (() if isinstance(last, CheckedIn) else (streak.current_day,))
        assert told == row

    @invariant()
    def check_ins_are_unique_in_time_and_counted_once(self) -> None:
        streak = self.swept.streak
        check_ins = [e for e in self.swept.events if isinstance(e, CheckedIn)]
        keys = [(e.user_id, e.cycle, e.check_in_date) for e in check_ins]
        assert len(keys) == len(set(keys))
        kept: dict[tuple[int, date], set[UUID]] = {}
        for e in check_ins:
            kept.setdefault((e.cycle, e.check_in_date), set()).add(e.user_id)
        both = sum(1 for (cycle, _), users in kept.items() if cycle == streak.cycle and users == {A, B})
        assert streak.completed_days == both <= POLICY.final_day
        assert (streak.state is State.COMPLETED) == (both == POLICY.final_day)
        if streak.state in PLAYING | {State.PAYMENT_WINDOW}:
            assert streak.here == kept.get((streak.cycle, streak.check_in_date), set())

    @invariant()
    def the_row_has_its_shape(self) -> None:
        streak = self.swept.streak
        in_window = streak.state is State.PAYMENT_WINDOW
        assert (streak.window_closes_at is not None) == (streak.breaker_user_id is not None) == in_window
        assert (streak.ended_at is not None) == (streak.state in TERMINAL)
        assert streak.here <= streak.pair
        assert 1 <= streak.current_day <= POLICY.final_day
        if in_window:
            assert streak.pair - streak.here == {streak.breaker_user_id}
            assert streak.closes_at <= self.now
            assert streak.window_closes_at is not None
            assert streak.window_closes_at > self.now
        if streak.state is State.AT_RISK:
            assert len(streak.here) == 1
            assert streak.closes_at - self.now <= POLICY.at_risk
        if streak.state in PLAYING:
            assert self.now < streak.closes_at
        if streak.state is State.RESET:
            assert streak.completed_days == len(streak.here) == 0
        assert all(
            value.tzinfo is UTC
            for field in fields(streak)
            if isinstance(value := getattr(streak, field.name), datetime)
        )


TestAnyStreak = pytest.mark.rule("ST-02", "ST-04", "ST-05", "ST-16", "ST-19")(AnyStreak.TestCase)
TestAnyStreak.settings = examples(80, steps=25)


@st.composite
def streaks(draw: st.DrawFn) -> Streak:
    """A streak somewhere on its way, last seen at some time that may be long ago."""
    story = Story(draw(STARTS), draw(st.sampled_from(ZONES)))
    story.keeps(draw(st.integers(0, 14)))
    if draw(st.booleans()):
        story.waits_until(story.streak.closes_at)
        if draw(st.booleans()):
            story.checks_in(draw(MEMBERS), story.streak.closes_at - draw(st.integers(1, 22)) * HOUR)
    return story.streak


@pytest.mark.rule("ST-16")
@examples(100)
@given(streaks(), st.lists(st.timedeltas(timedelta(0), timedelta(days=3)), max_size=8))
def test_a_sweep_after_an_outage_tells_what_many_sweeps_would_have_told(streak: Streak, waits: list[timedelta]) -> None:
    now = streak.closes_at - 23 * HOUR
    stepped, told = streak, []
    for wait in waits:
        now += wait
        stepped, events = settle(stepped, now, POLICY)
        told += events
    jumped, at_once = settle(streak, now, POLICY)
    assert jumped == stepped
    assert timeless(at_once) == timeless(told)


@pytest.mark.rule("ST-05")
@examples(100)
@given(streaks(), st.integers(0, 30), st.sampled_from(ZONES))
def test_who_checks_in_first_does_not_matter(streak: Streak, hours: int, zone: str) -> None:
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
    left, events = settle(streak, streak.closes_at + timedelta(days=4), POLICY)
    assert left.state is State.RESET
    lost = [(e.lost_days, e.cycle) for e in events if isinstance(e, StreakReset)]
    assert lost == ([] if streak.state is State.RESET else [(streak.completed_days, streak.cycle + 1)])
