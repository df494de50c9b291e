"""When a batch may be replaced, and how that changes the timer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from unora_common.errors import DomainError
from unora_discovery.domain.errors import CapacityLocked, NotAMember, NotDiscoveryReady, RefreshLocked
from unora_discovery.domain.policy import Odds, Policy
from unora_discovery.domain.pool import Tier
from unora_discovery.domain.refresh import Timer, Viewer, apply_tier, next_refresh_at, refresh

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
POLICY = Policy(
    {Tier.FREE: 24 * HOUR, Tier.PLUS: 12 * HOUR, Tier.PRO: 6 * HOUR},
    timedelta(days=7),
    Odds(0.7, 0.1),
)
VIEWER = Viewer(
    joined=True,
    discovery_ready=True,
    tier=Tier.FREE,
    active_connection_count=0,
    connection_limit=1,
    hobby_option_ids=frozenset({"chess"}),
    had_batch=True,
    batch_id=None,
    timer=Timer(),
)
RUNNING = Timer(NOW - HOUR, NOW + HOUR)


@pytest.mark.rule("DI-04")
@pytest.mark.parametrize(("tier", "hours"), [(Tier.FREE, 24), (Tier.PLUS, 12), (Tier.PRO, 6)])
def test_a_refresh_spends_the_timer_for_the_hours_of_the_tier(tier: Tier, hours: int) -> None:
    assert refresh(replace(VIEWER, tier=tier), NOW, POLICY) == Timer(NOW, NOW + hours * HOUR)


@pytest.mark.rule("DI-04")
@pytest.mark.parametrize("timer", [Timer(), RUNNING, Timer(NOW - 9 * HOUR, NOW - HOUR)])
def test_the_first_batch_of_a_server_leaves_the_timer_as_it_is(timer: Timer) -> None:
    assert refresh(replace(VIEWER, had_batch=False, timer=timer), NOW, POLICY) == timer


@pytest.mark.rule("DI-06")
def test_a_running_timer_refuses_and_says_when_it_ends() -> None:
    with pytest.raises(RefreshLocked) as refused:
        refresh(replace(VIEWER, timer=RUNNING), NOW, POLICY)
    assert refused.value.metadata == {"refresh_available_at": "2026-03-01T13:00:00+00:00"}


@pytest.mark.rule("DI-06")
def test_the_timer_ends_exactly_at_its_time() -> None:
    viewer = replace(VIEWER, timer=Timer(NOW - 24 * HOUR, NOW))
    assert refresh(viewer, NOW, POLICY).last_global_refresh_at == NOW
    with pytest.raises(RefreshLocked):
        refresh(viewer, NOW - timedelta(microseconds=1), POLICY)


@pytest.mark.rule("DI-06")
@pytest.mark.parametrize(("count", "limit"), [(1, 1), (2, 2), (4, 4), (2, 1)])
def test_capacity_locks_also_where_the_limit_fell_below_the_count(count: int, limit: int) -> None:
    with pytest.raises(CapacityLocked):
        refresh(replace(VIEWER, active_connection_count=count, connection_limit=limit), NOW, POLICY)


@pytest.mark.rule("DI-06")
def test_an_open_slot_is_enough() -> None:
    assert not replace(VIEWER, active_connection_count=3, connection_limit=4).at_capacity


@pytest.mark.rule("DI-01", "PR-06", "DI-06")
def test_refusals_come_in_one_order() -> None:
    """So that a refusal says nothing about the later checks."""
    viewer = replace(VIEWER, joined=False, discovery_ready=False, active_connection_count=1, timer=RUNNING)
    refusals: list[type[DomainError]] = []
    for changes in ({"joined": True}, {"discovery_ready": True}, {"active_connection_count": 0}, {"timer": Timer()}):
        with pytest.raises(DomainError) as refused:
            refresh(viewer, NOW, POLICY)
        refusals.append(refused.type)
        viewer = replace(viewer, **changes)
    assert refusals == [NotAMember, NotDiscoveryReady, CapacityLocked, RefreshLocked]
    assert refresh(viewer, NOW, POLICY).last_global_refresh_at == NOW


@pytest.mark.rule("DI-04", "DI-06")
def test_the_screen_says_when_this_server_can_be_refreshed() -> None:
    assert next_refresh_at(VIEWER, NOW) is None
    assert next_refresh_at(replace(VIEWER, timer=RUNNING), NOW) == NOW + HOUR
    assert next_refresh_at(replace(VIEWER, timer=RUNNING), NOW + HOUR) is None
    assert next_refresh_at(replace(VIEWER, timer=RUNNING, had_batch=False), NOW) is None


@pytest.mark.rule("DI-14")
@pytest.mark.parametrize(("tier", "hours"), [(Tier.FREE, 24), (Tier.PLUS, 12), (Tier.PRO, 6)])
def test_a_tier_counts_from_the_refresh_that_spent_the_timer(tier: Tier, hours: int) -> None:
    assert apply_tier(Timer(NOW, NOW + 99 * HOUR), tier, POLICY) == Timer(NOW, NOW + hours * HOUR)


@pytest.mark.rule("DI-14")
def test_a_timer_that_was_never_spent_stays_so() -> None:
    assert apply_tier(Timer(), Tier.PRO, POLICY) == Timer()
