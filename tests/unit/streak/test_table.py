"""ST-19, row by row. A day here is the 22nd of November 2026, UTC: at risk from 18:00, over at midnight."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from unora_streak.domain.due import next_due
from unora_streak.domain.errors import CheckInClosed
from unora_streak.domain.events import transitions
from unora_streak.domain.machine import advance, check_in
from unora_streak.domain.state import ALLOWED, INITIAL, PLAYING, TERMINAL, Effort, State

from .story import HOUR, INSTANT, MINUTE, POLICY, A, B, Story, utc

MORNING, AT_RISK, EVENING, MIDNIGHT = (
    utc(t) for t in ("2026-11-22T09:00", "2026-11-22T18:00", "2026-11-22T20:00", "2026-11-23T00:00")
)
WINDOW_ENDS = MIDNIGHT + 24 * HOUR
HOLD_ENDS = WINDOW_ENDS + 9 * MINUTE  # of a hold that begins a minute before the deadline


def none_in() -> Story:
    return Story(MORNING)


def told() -> Story:
    """It was told that the day ends soon (ST-23)."""
    return none_in().waits_until(AT_RISK)


def one_in() -> Story:
    return none_in().checks_in(A, MORNING)


def both_in() -> Story:
    return one_in().checks_in(B, MORNING)


def at_risk() -> Story:
    return one_in().waits_until(AT_RISK)


def payment_window() -> Story:
    return at_risk().waits_until(MIDNIGHT)


def held() -> Story:
    return payment_window().holds(MIDNIGHT + HOUR)


def held_past_it() -> Story:
    """Held past the deadline of the window."""
    return payment_window().holds(WINDOW_ENDS - MINUTE)


def reset() -> Story:
    return none_in().waits_until(MIDNIGHT)


def terminated() -> Story:
    return none_in().ends(MORNING + HOUR)


def last_day() -> Story:
    """The 15th day, before any check-in."""
    story = none_in().keeps(14)
    return story.waits_until(story.streak.closes_at)


def completed() -> Story:
    return none_in().keeps(15)


@pytest.mark.rule("ST-19")
@pytest.mark.parametrize(
    ("given", "step", "path"),
    [
        pytest.param(none_in, lambda s: s.checks_in(A, AT_RISK - INSTANT), [], id="first check-in, more than 6 h left"),
        pytest.param(none_in, lambda s: s.checks_in(A, AT_RISK), ["at_risk"], id="first check-in, 6 h left"),
        pytest.param(none_in, lambda s: s.checks_in(B, EVENING), ["at_risk"], id="first check-in, less than 6 h left"),
        pytest.param(one_in, lambda s: s.waits_until(AT_RISK - INSTANT), [], id="one in, more than 6 h left"),
        pytest.param(one_in, lambda s: s.waits_until(AT_RISK), ["at_risk"], id="one in, 6 h left"),
        pytest.param(none_in, lambda s: s.waits_until(AT_RISK), [], id="none in, 6 h left"),
        pytest.param(one_in, lambda s: s.checks_in(B, MORNING), [], id="second check-in from active"),
        pytest.param(one_in, lambda s: s.checks_in(B, EVENING), ["at_risk", "active"], id="second, seen late"),
        pytest.param(at_risk, lambda s: s.checks_in(B, EVENING), ["active"], id="second check-in from at_risk"),
        pytest.param(both_in, lambda s: s.waits_until(AT_RISK), [], id="both in, 6 h left"),
        pytest.param(both_in, lambda s: s.waits_until(MIDNIGHT), [], id="both in, day ends"),
        pytest.param(none_in, lambda s: s.waits_until(MIDNIGHT), ["reset"], id="none in, day ends"),
        pytest.param(
            one_in, lambda s: s.waits_until(MIDNIGHT), ["at_risk", "payment_window"], id="one in, day ends, seen late"
        ),
        pytest.param(at_risk, lambda s: s.waits_until(MIDNIGHT - INSTANT), [], id="at_risk, day not over"),
        pytest.param(at_risk, lambda s: s.waits_until(MIDNIGHT), ["payment_window"], id="at_risk, day ends"),
        pytest.param(payment_window, lambda s: s.waits_until(WINDOW_ENDS - INSTANT), [], id="window, not over"),
        pytest.param(payment_window, lambda s: s.waits_until(WINDOW_ENDS), ["reset"], id="window, deadline passes"),
        pytest.param(payment_window, lambda s: s.holds(MIDNIGHT + HOUR), [], id="window, held"),
        pytest.param(held, lambda s: s.pays(MIDNIGHT + HOUR + MINUTE), ["active"], id="window, breaker's recovery"),
        pytest.param(held, lambda s: s.pays(MIDNIGHT + 2 * HOUR), ["active"], id="window, recovery after the hold"),
        pytest.param(held, lambda s: s.waits_until(MIDNIGHT + 2 * HOUR), [], id="window, hold ends"),
        pytest.param(held, lambda s: s.waits_until(WINDOW_ENDS), ["reset"], id="window, hold ends, deadline passes"),
        pytest.param(held_past_it, lambda s: s.waits_until(HOLD_ENDS - INSTANT), [], id="window, held past it"),
        pytest.param(held_past_it, lambda s: s.waits_until(HOLD_ENDS), ["reset"], id="window, that hold ends"),
        pytest.param(held_past_it, lambda s: s.pays(HOLD_ENDS - INSTANT), ["active"], id="window, recovery past it"),
        pytest.param(held_past_it, lambda s: s.pays(HOLD_ENDS), ["reset"], id="window, recovery too late"),
        pytest.param(held_past_it, lambda s: s.fails(WINDOW_ENDS), ["reset"], id="window, payment fails late"),
        pytest.param(held, lambda s: s.fails(MIDNIGHT + HOUR + MINUTE), [], id="window, payment fails"),
        pytest.param(held, lambda s: s.ends(MIDNIGHT + HOUR + MINUTE), ["terminated"], id="held, connection ends"),
        pytest.param(reset, lambda s: s.pays(MIDNIGHT + HOUR), [], id="reset, a recovery that is too late"),
        pytest.param(reset, lambda s: s.checks_in(B, MIDNIGHT + HOUR), ["active"], id="reset, check-in"),
        pytest.param(
            reset, lambda s: s.checks_in(B, MIDNIGHT + 18 * HOUR), ["active", "at_risk"], id="reset, check-in, 6 h left"
        ),
        pytest.param(reset, lambda s: s.waits_until(MIDNIGHT + timedelta(days=900)), [], id="reset, time passes"),
        pytest.param(none_in, lambda s: s.ends(EVENING), ["terminated"], id="active, connection ends"),
        pytest.param(at_risk, lambda s: s.ends(EVENING), ["terminated"], id="at_risk, connection ends"),
        pytest.param(payment_window, lambda s: s.ends(MIDNIGHT + HOUR), ["terminated"], id="window, connection ends"),
        pytest.param(reset, lambda s: s.ends(MIDNIGHT + HOUR), ["terminated"], id="reset, connection ends"),
        pytest.param(terminated, lambda s: s.ends(EVENING), [], id="terminated, connection ends again"),
        pytest.param(completed, lambda s: s.ends(s.streak.closes_at + HOUR), [], id="completed, connection ends"),
        pytest.param(completed, lambda s: s.waits_until(s.streak.closes_at + HOUR), [], id="completed, time passes"),
        pytest.param(terminated, lambda s: s.waits_until(WINDOW_ENDS), [], id="terminated, time passes"),
    ],
)
def test_row(given: Callable[[], Story], step: Callable[[Story], Story], path: list[str]) -> None:
    story = given()
    before = story.state
    step(story)
    assert [to.value for _, to in transitions(story.last_events)] == path
    assert story.state == (path[-1] if path else before)
    if before in TERMINAL:
        assert story.last_events == []


@pytest.mark.rule("ST-05", "ST-11", "ST-19")
def test_day_15_completes_from_active() -> None:
    story = last_day()
    story.both_check_in(story.streak.closes_at - 20 * HOUR)
    assert transitions(story.last_events) == [(State.ACTIVE, State.COMPLETED)]


@pytest.mark.rule("ST-05", "ST-11", "ST-19")
def test_day_15_completes_from_at_risk() -> None:
    story = last_day()
    story.checks_in(B, story.streak.closes_at - HOUR)
    assert story.state is State.AT_RISK
    story.checks_in(A, story.streak.closes_at - INSTANT)
    assert transitions(story.last_events) == [(State.AT_RISK, State.COMPLETED)]


@pytest.mark.rule("ST-19")
@pytest.mark.parametrize("given", [payment_window, held, completed, terminated])
def test_a_check_in_elsewhere_is_refused_by_name(given: Callable[[], Story]) -> None:
    story = given()
    before = story.streak
    for member in (A, B):
        with pytest.raises(CheckInClosed) as refused:
            story.checks_in(member, MIDNIGHT + HOUR + MINUTE)
        assert (refused.value.code, refused.value.reason) == ("FAILED_PRECONDITION", "CHECK_IN_CLOSED")
        assert refused.value.metadata == {"state": before.state.value}
    assert story.streak == before


@pytest.mark.rule("ST-02", "ST-19")
def test_the_moves_there_are() -> None:
    assert {(a.value, b.value) for a, b in ALLOWED} == {
        ("active", "at_risk"),
        ("active", "reset"),
        ("active", "completed"),
        ("active", "terminated"),
        ("at_risk", "active"),
        ("at_risk", "payment_window"),
        ("at_risk", "completed"),
        ("at_risk", "terminated"),
        ("payment_window", "active"),
        ("payment_window", "reset"),
        ("payment_window", "terminated"),
        ("reset", "active"),
        ("reset", "terminated"),
    }


@pytest.mark.rule("ST-02", "ST-11", "ST-12")
def test_nothing_leaves_a_terminal_state_and_every_other_can_be_reached_and_terminated() -> None:
    assert {a for a, _ in ALLOWED} == set(State) - TERMINAL
    assert {b for _, b in ALLOWED} == set(State)
    assert {a for a, b in ALLOWED if b is State.TERMINATED} == set(State) - TERMINAL
    assert INITIAL in PLAYING


@pytest.mark.rule("ST-16")
@pytest.mark.parametrize(
    ("given", "due"),
    [
        (none_in, AT_RISK),
        (told, MIDNIGHT),
        (one_in, AT_RISK),
        (both_in, MIDNIGHT),
        (at_risk, MIDNIGHT),
        (payment_window, WINDOW_ENDS),
        (held, MIDNIGHT + HOUR + 10 * MINUTE),
        (held_past_it, HOLD_ENDS),
        (reset, None),
        (completed, None),
        (terminated, None),
    ],
)
def test_the_row_says_when_it_is_due(given: Callable[[], Story], due: object) -> None:
    streak = given().streak
    assert streak.next_due_at == next_due(streak, POLICY) == due
    if due is None:
        assert advance(streak, MIDNIGHT + timedelta(days=900), POLICY) == (streak, [])


@pytest.mark.rule("ST-04", "ST-16")
def test_a_write_first_closes_what_is_due() -> None:
    """No sweep has run since the morning; the check-in comes two days later."""
    streak, events = check_in(one_in().streak, A, Effort.LOW, WINDOW_ENDS + HOUR, "UTC", POLICY)
    assert [to.value for _, to in transitions(events)] == ["at_risk", "payment_window", "reset", "active"]
    assert [e.occurred_at for e in events] == [AT_RISK, MIDNIGHT, WINDOW_ENDS, WINDOW_ENDS + HOUR, WINDOW_ENDS + HOUR]
    assert {e.recorded_at for e in events} == {WINDOW_ENDS + HOUR}
    assert (streak.cycle, streak.current_day, streak.checked_in) == (2, 1, frozenset({A}))
