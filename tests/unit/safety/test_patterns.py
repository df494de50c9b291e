"""Patterns, pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_safety.domain.patterns import (
    Baseline,
    History,
    OutlierPolicy,
    Pattern,
    Rule,
    Sighting,
    densest_window,
    find_patterns,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
POLICY = OutlierPolicy()
OUTLIER = Rule(Pattern.OUTLIER, 6.0, timedelta(days=7))


@pytest.mark.rule("SA-04")
@given(st.lists(st.integers(0, 60), max_size=30), st.integers(1, 30), st.randoms())
def test_the_densest_window_is_the_best_of_all_windows(minutes: list[int], width: int, random: object) -> None:
    seen = [Sighting(NOW + timedelta(minutes=each), UUID(int=i)) for i, each in enumerate(minutes)]
    window = timedelta(minutes=width)
    best = max((sum(0 <= other - each < width for other in minutes) for each in minutes), default=0)
    found = densest_window(seen, window)
    assert len(found) == best
    assert found == densest_window(seen[::-1], window)
    assert all(each.seen_at - found[0].seen_at < window for each in found)


def history(pattern: Pattern, count: int, threshold: float, **more: object) -> History:
    seen = [Sighting(NOW + timedelta(minutes=each), uuid4()) for each in range(count)]
    rule = Rule(pattern, threshold, timedelta(hours=1), enabled=bool(more.pop("enabled", True)))
    return History(uuid4(), NOW, [rule], {pattern: seen}, **more)  # type: ignore[arg-type]


@pytest.mark.rule("SA-04")
def test_a_rule_finds_new_sightings_from_its_threshold_on_unless_flagged() -> None:
    pattern = Pattern.MANY_BLOCKS
    (found,) = find_patterns(history(pattern, 8, 4.0), POLICY)
    assert (found.pattern, found.score, len(found.ids)) == (pattern, 2.0, 8)
    assert found.numbers == {"count": 8.0, "threshold": 4.0, "window_hours": 1.0}
    assert find_patterns(history(pattern, 3, 4.0), POLICY) == []
    assert find_patterns(history(pattern, 8, 4.0, enabled=False), POLICY) == []
    assert find_patterns(history(pattern, 8, 4.0, flagged=frozenset({pattern})), POLICY) == []
    assert len(find_patterns(history(pattern, 8, 4.0, decided={pattern: NOW + timedelta(minutes=3)}), POLICY)) == 1
    assert find_patterns(history(pattern, 8, 4.0, decided={pattern: NOW + timedelta(minutes=4)}), POLICY) == []


@pytest.mark.rule("SA-04")
def test_a_flag_keeps_at_most_a_hundred_ids() -> None:
    many = [Sighting(NOW, uuid4()) for _ in range(500)]
    rule = Rule(Pattern.INTEREST_FLOOD, 10.0, timedelta(hours=1))
    (found,) = find_patterns(History(uuid4(), NOW, [rule], {Pattern.INTEREST_FLOOD: many}), POLICY)
    assert (len(found.ids), found.numbers["count"], found.score) == (100, 500.0, 50.0)


def history_of_activity(count: int, usual: Baseline, **more: object) -> History:
    return History(uuid4(), NOW, [OUTLIER], {}, {"endings": count}, {"endings": usual}, **more)  # type: ignore[arg-type]


@pytest.mark.rule("SA-09")
def test_an_outlier_is_far_above_many_others_and_judged_once_per_window() -> None:
    usual = Baseline(members=200, median=1.0, deviation=0.4)
    (found,) = find_patterns(history_of_activity(90, usual), POLICY)
    assert (found.pattern, dict(found.numbers)) == (Pattern.OUTLIER, {"endings": 90.0, "threshold": 6.0})
    assert found.score > 6
    assert find_patterns(history_of_activity(20, usual), POLICY) == []
    assert find_patterns(history_of_activity(90, Baseline(49, 1.0, 0.4)), POLICY) == []
    assert find_patterns(history_of_activity(9, Baseline(200, 0.0, 0.0)), POLICY) == []  # far away, but a small count
    judged = {Pattern.OUTLIER: NOW - timedelta(days=6)}
    assert find_patterns(history_of_activity(90, usual, decided=judged), POLICY) == []
    judged = {Pattern.OUTLIER: NOW - timedelta(days=7)}
    assert len(find_patterns(history_of_activity(90, usual, decided=judged), POLICY)) == 1


@pytest.mark.rule("SA-09")
def test_where_all_do_the_same_a_small_difference_is_none() -> None:
    assert find_patterns(history_of_activity(12, Baseline(1000, 2.3, 0.0)), POLICY) == []
