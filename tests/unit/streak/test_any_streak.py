"""What holds for every streak, with any actions of its members, billing and the sweep, in any zone."""

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from unora_streak.domain.due import next_due
from unora_streak.domain.errors import (
    AlreadyCheckedIn,
    CheckInClosed,
    HeldForAnotherPayment,
    NotInPaymentWindow,
    NotTheBreaker,
)
from unora_streak.domain.events import (
    CheckedIn,
    DayEndsSoon,
    PaymentWindowOpened,
    RecoveryHeld,
    RecoveryRejected,
    RecoveryReleased,
    StreakRecovered,
    transitions,
)
from unora_streak.domain.machine import advance
from unora_streak.domain.state import ALLOWED, PLAYING, TERMINAL, Effort, State, Streak

from tests.examples import examples

from .story import HOUR, INSTANT, MINUTE, POLICY, A, B, Story, timeless
from .strategies import MEMBERS, PAYMENTS, STARTS, WAITS, ZONES

LATE = (StreakRecovered, RecoveryReleased)
"""These may take effect before events that were recorded earlier."""


class AnyStreak(RuleBasedStateMachine):
    """Two rows get the same input: `swept` is advanced at every chance, `lazy` only by the writes of its members."""

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
        again = before.state in PLAYING and member in before.checked_in
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
            for member in {A, B} - self.swept.streak.checked_in:
                self.one_checks_in(member, Effort.LOW, self.swept.zone)
            closes_at = self.swept.streak.closes_at
            self._comes_to(closes_at + part * 17 * HOUR)

    @rule(member=MEMBERS, payment=PAYMENTS)
    def one_asks_to_recover(self, member: UUID, payment: UUID) -> None:
        before = self.swept.streak
        refusal = self._refusal_to_hold(before, member, payment)
        for story in (self.swept, self.lazy):
            if refusal:
                with pytest.raises(refusal):
                    story.holds(self.now, payment, member)
            else:
                story.holds(self.now, payment, member)
        if not refusal:
            assert self.lazy.streak == self.swept.streak
            assert self.swept.streak.hold is not None
            assert self.swept.streak.hold.payment_id == payment

    @staticmethod
    def _refusal_to_hold(before: Streak, member: UUID, payment: UUID) -> type[Exception] | None:
        if before.state is not State.PAYMENT_WINDOW:
            return NotInPaymentWindow
        if member != before.breaker_user_id:
            return NotTheBreaker
        other = before.hold is not None and before.hold.payment_id != payment
        return HeldForAnotherPayment if other else None

    @rule(member=MEMBERS, payment=PAYMENTS, late=st.sampled_from([0, 1, 5, 30, 600]))
    def a_payment_succeeds(self, member: UUID, payment: UUID, late: int) -> None:
        self._catches_up(late)
        before = self.swept.streak
        due = before.break_key is not None and self.swept.authorized.get(payment) == before.break_key
        for story in (self.swept, self.lazy):
            story.pays(self.now - late * MINUTE, payment, member, self.now)
        recovered = due and member == before.breaker_user_id
        assert isinstance(self.swept.last_events[-1], StreakRecovered if recovered else RecoveryRejected)
        if recovered:
            assert self.swept.streak.completed_days == before.completed_days
            assert self.swept.streak.closes_at - self.now >= POLICY.first_day
        else:
            assert self.swept.streak.state is before.state

    @rule(payment=PAYMENTS, late=st.sampled_from([0, 1, 5, 30]))
    def a_payment_fails(self, payment: UUID, late: int) -> None:
        self._catches_up(late)
        for story in (self.swept, self.lazy):
            story.fails(self.now - late * MINUTE, payment, self.now).waits_until(self.now)
        held = self.swept.streak.hold
        assert held is None or held.payment_id != payment

    def _catches_up(self, late: int) -> None:
        """What is stored before a late event comes is not undone, so both rows must have come equally far."""
        if late:
            self.lazy.waits_until(self.now)

    @rule(member=MEMBERS)
    def one_pays_for_a_nudge(self, member: UUID) -> None:
        before = self.swept.streak
        for story in (self.swept, self.lazy):
            story.buys_a_nudge(member, self.now)
        sent = before.state is State.AT_RISK and member in before.checked_in
        assert self.swept.names == ["NudgeSent" if sent else "NudgeRejected"]

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
        streak, events = advance(self.lazy.streak, self.now, POLICY)
        assert streak == self.swept.streak
        assert timeless(self.lazy.events + events) == timeless(self.swept.events)

    @invariant()
    def advancing_again_changes_nothing(self) -> None:
        assert advance(self.swept.streak, self.now, POLICY) == (self.swept.streak, [])

    @invariant()
    def the_next_deadline_is_the_next_change(self) -> None:
        streak = self.swept.streak
        due = next_due(streak, POLICY)
        if due is None:
            assert streak.state in TERMINAL | {State.RESET}
            assert advance(streak, self.now + timedelta(days=99), POLICY) == (streak, [])
        else:
            assert due > self.now
            assert advance(streak, due - INSTANT, POLICY) == (streak, [])
            after, events = advance(streak, due, POLICY)
            assert after != streak
            assert {e.occurred_at for e in events} == {due}

    @invariant()
    def the_row_holds_the_next_deadline(self) -> None:
        for story in (self.swept, self.lazy):
            assert story.streak.next_due_at == next_due(story.streak, POLICY)

    @invariant()
    def every_change_of_state_is_allowed_and_has_an_event(self) -> None:
        events = self.swept.events
        assert set(transitions(events)) <= ALLOWED
        assert all(later.previous_state is earlier.state for earlier, later in pairwise(events))
        assert events[-1].state is self.swept.state
        assert self.swept.streak.version == len(events)
        assert [event.version for event in events] == list(range(1, len(events) + 1))
        assert all(event.occurred_at <= event.recorded_at for event in events)
        # A recovery takes effect when it was paid for, which may be before events that were recorded until then.
        assert all(
            earlier.occurred_at <= later.occurred_at or isinstance(later, LATE) for earlier, later in pairwise(events)
        )

    @invariant()
    def the_last_event_describes_the_row(self) -> None:
        last, streak = self.swept.events[-1], self.swept.streak
        assert (last.cycle, last.completed_days) == (streak.cycle, streak.completed_days)
        if not isinstance(last, CheckedIn):
            assert last.day == streak.current_day

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
            assert streak.checked_in == kept.get((streak.cycle, streak.check_in_date), set())

    @invariant()
    def the_row_has_its_shape(self) -> None:
        streak = self.swept.streak
        in_window = streak.state is State.PAYMENT_WINDOW
        assert (streak.window_closes_at is not None) == (streak.breaker_user_id is not None) == in_window
        assert (streak.ended_at is not None) == (streak.state in TERMINAL)
        assert streak.checked_in <= streak.pair
        assert 1 <= streak.current_day <= POLICY.final_day
        if in_window:
            assert streak.pair - streak.checked_in == {streak.breaker_user_id}
            assert streak.closes_at <= self.now
            assert streak.window_closes_at is not None
            assert (streak.hold.until if streak.hold else streak.window_closes_at) > self.now
        if streak.hold:
            assert streak.long_hold_used
        assert in_window or not streak.long_hold_used
        if streak.state is State.AT_RISK:
            assert len(streak.checked_in) == 1
            assert streak.closes_at - self.now <= POLICY.at_risk
        if streak.state in PLAYING:
            assert self.now < streak.closes_at
        if streak.state is State.RESET:
            assert streak.completed_days == len(streak.checked_in) == 0
        assert all(
            value.tzinfo is UTC
            for field in fields(streak)
            if isinstance(value := getattr(streak, field.name), datetime)
        )

    @invariant()
    def a_day_without_a_check_in_is_told_of_once_when_little_time_remains(self) -> None:
        """ST-23. It is told of each day that came so far without a check-in."""
        told = [e for e in self.swept.events if isinstance(e, DayEndsSoon)]
        days = [(e.cycle, e.check_in_date, e.day_ends_at) for e in told]
        assert len(days) == len(set(days))
        assert all(e.occurred_at == e.day_ends_at - POLICY.ends_soon for e in told)
        check_ins = [e for e in self.swept.events if isinstance(e, CheckedIn)]
        before = [(c.cycle, c.check_in_date, e.version) for e in told for c in check_ins if c.version < e.version]
        assert not {(e.cycle, e.check_in_date, e.version) for e in told} & set(before)
        streak = self.swept.streak
        quiet = streak.state is State.ACTIVE and not streak.checked_in
        if quiet:
            assert streak.told_ends_soon == (self.now >= streak.closes_at - POLICY.ends_soon)

    @invariant()
    def a_break_has_one_hold_past_its_deadline_at_most(self) -> None:
        by_break: dict[tuple[int, object], list[RecoveryHeld]] = {}
        window = None
        for event in self.swept.events:
            if isinstance(event, PaymentWindowOpened):
                window = event
            if isinstance(event, RecoveryHeld):
                assert window is not None
                by_break.setdefault((window.cycle, window.check_in_date), []).append(event)
                past = event.held_until > window.window_ends_at
                first = len(by_break[window.cycle, window.check_in_date]) == 1
                assert first or not past
                assert event.occurred_at < event.held_until <= event.occurred_at + POLICY.hold


RULES = ("ST-02", "ST-04", "ST-05", "ST-08", "ST-16", "ST-17", "ST-19", "ST-20", "ST-23")
TestAnyStreak = pytest.mark.rule(*RULES)(AnyStreak.TestCase)
TestAnyStreak.settings = examples(80, steps=25)
