"""Batches, the one timer, and the two locks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from unora.common.v1.types_pb2 import TIER_FREE, TIER_PLUS, TIER_PRO, Tier
from unora.discovery.v1.discovery_service_pb2 import Screen
from unora.discovery.v1.events_pb2 import BatchRefreshed
from unora_discovery.use_cases import batches
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import FRIEND, GROWTH, PARTNER, Pool
from tests.support import Refusal, refusal


def opens_at(screen: Screen) -> datetime | None:
    if not screen.HasField("refresh_available_at"):
        return None
    return screen.refresh_available_at.ToDatetime(UTC)


async def refused(pool: Pool, member: Caller, *server: Any) -> Refusal:
    """The refusal of a refresh, which must have changed nothing (DI-02)."""
    before, events = await pool.stored_rows(member), await pool.world.events(BatchRefreshed, member.user)
    found = await refusal(pool.refresh(member, *server))
    assert await pool.stored_rows(member) == before
    assert await pool.world.events(BatchRefreshed, member.user) == events
    return found


@pytest.mark.rule("DI-02", "DI-03")
@pytest.mark.parametrize("tier", [TIER_FREE, TIER_PLUS, TIER_PRO])
async def test_a_batch_has_five_cards_whatever_the_tier_and_stays(pool: Pool, tier: Tier.ValueType) -> None:
    member = await pool.member()
    await pool.tier(member, 1, tier)
    others = await pool.members(9)
    assert not (await pool.screen(member)).HasField("batch")
    screen = await pool.refresh(member)
    assert [card.position for card in screen.batch.cards] == [1, 2, 3, 4, 5]
    shown = await pool.shown(member, screen.batch)
    assert len(set(shown)) == 5
    assert set(shown) <= {other.id for other in others}
    assert await pool.screen(member) == screen
    await pool.world.move_clock(timedelta(days=3))
    assert (await pool.screen(member)).batch == screen.batch


@pytest.mark.rule("DI-03")
async def test_a_refresh_replaces_the_batch_and_keeps_the_old_one_as_deleted(pool: Pool) -> None:
    member = await pool.member()
    await pool.members(10)
    first, second = (await pool.refresh(member)).batch, (await pool.refresh(member)).batch
    assert first.batch_id != second.batch_id
    assert (await pool.screen(member)).batch == second
    rows = {str(row["id"]): row for row in await pool.rows("discovery_batches", member.user)}
    assert set(rows) == {first.batch_id, second.batch_id}
    assert rows[first.batch_id]["deleted_at"] == rows[second.batch_id]["created_at"]
    assert rows[second.batch_id]["deleted_at"] is None


@pytest.mark.rule("DI-03")
async def test_servers_have_batches_of_their_own(pool: Pool) -> None:
    member = await pool.member()
    await pool.members(12)
    partner = await pool.refresh(member, PARTNER)
    friend = await pool.refresh(member, FRIEND)
    assert await pool.screen(member, PARTNER) == partner
    assert await pool.screen(member, FRIEND) == friend


@pytest.mark.rule("DI-04")
async def test_the_first_batch_of_each_server_is_free_and_any_other_spends_the_timer_for_all(
    world: World, pool: Pool
) -> None:
    member = await pool.member()
    await pool.members(30)
    assert opens_at(await pool.refresh(member, PARTNER)) is None
    assert opens_at(await pool.refresh(member, FRIEND)) is None
    spent = opens_at(await pool.refresh(member, PARTNER))
    assert spent is not None
    assert opens_at(await pool.screen(member, FRIEND)) == spent
    for server in (PARTNER, FRIEND):
        found = await refused(pool, member, server)
        assert (found.code, found.reason) == ("FAILED_PRECONDITION", "REFRESH_LOCKED")
        assert datetime.fromisoformat(found.metadata["refresh_available_at"]) == spent
    assert opens_at(await pool.screen(member, GROWTH)) is None
    assert opens_at(await pool.refresh(member, GROWTH)) == spent
    events = await world.events(BatchRefreshed, member.user)
    assert [(event.version, event.timer_spent) for event in events] == [(1, False), (2, False), (3, True), (4, False)]
    assert [event.HasField("last_global_refresh_at") for event in events] == [False, False, True, True]
    assert [event.refresh_available_at.ToDatetime(UTC) for event in events[2:]] == [spent, spent]


@pytest.mark.rule("DI-04", "DI-06")
@pytest.mark.parametrize(("tier", "hours"), [(TIER_FREE, 24), (TIER_PLUS, 12), (TIER_PRO, 6)])
async def test_the_timer_runs_for_the_hours_of_the_tier_to_the_second(
    pool: Pool, tier: Tier.ValueType, hours: int
) -> None:
    member = await pool.member()
    await pool.members(16)
    await pool.tier(member, 1, tier)
    await pool.refresh(member)
    screen = await pool.refresh(member)
    opens = opens_at(screen)
    assert opens == screen.batch.created_at.ToDatetime(UTC) + timedelta(hours=hours)
    await pool.world.move_clock(opens - timedelta(minutes=10))
    assert (await refused(pool, member)).reason == "REFRESH_LOCKED"
    await pool.world.move_clock(opens)
    assert opens_at(await pool.screen(member)) is None
    assert opens_at(await pool.refresh(member)) is not None


@pytest.mark.rule("DI-02")
async def test_a_pool_of_four_makes_no_batch_and_spends_nothing(pool: Pool) -> None:
    member = await pool.member()
    await pool.members(4)
    found = await refused(pool, member)
    assert (found.code, found.reason, found.metadata) == ("FAILED_PRECONDITION", "POOL_TOO_SMALL", {})
    (fifth,) = await pool.members(1)
    old = await pool.refresh(member)
    assert fifth.id in await pool.shown(member, old.batch)
    assert (await refused(pool, member)).reason == "POOL_TOO_SMALL"
    assert await pool.screen(member) == old
    assert (await pool.rows("refresh_timers", member.user))[0]["last_global_refresh_at"] is None


@pytest.mark.rule("DI-06")
async def test_at_capacity_discovery_is_closed_and_the_batch_hidden_until_a_slot_opens(pool: Pool) -> None:
    member = await pool.member()
    await pool.members(12)
    screen = await pool.refresh(member)
    await pool.inventory(member, 1, count=1)
    locked = await pool.screen(member)
    assert locked.capacity_locked
    assert not locked.HasField("batch")
    assert (await refused(pool, member)).reason == "CAPACITY_LOCKED"
    assert (await refused(pool, member, FRIEND)).reason == "CAPACITY_LOCKED"
    await pool.inventory(member, 2, count=0)
    assert await pool.screen(member) == screen


@pytest.mark.rule("DI-06")
async def test_a_higher_limit_opens_discovery(pool: Pool) -> None:
    member = await pool.member()
    await pool.inventory(member, 1, count=1, limit=2)
    assert not (await pool.screen(member)).capacity_locked


@pytest.mark.rule("DI-01")
async def test_only_members_of_a_server_see_and_refresh_it(pool: Pool) -> None:
    outsider, elsewhere = pool.world.caller(), await pool.member(servers=[FRIEND])
    await pool.members(6)
    for member in (outsider, elsewhere):
        assert (await refused(pool, member)).reason == "NOT_A_MEMBER"
        assert (await refusal(pool.screen(member))).reason == "NOT_A_MEMBER"


@pytest.mark.rule("PR-06")
async def test_a_member_who_is_not_discovery_ready_any_more_gets_no_new_batch(pool: Pool) -> None:
    """Identity, asked again, does not know this member."""
    member = await pool.member()
    await pool.members(6)
    await pool.world.superuser.execute(
        "UPDATE discovery.candidates SET discovery_ready = false WHERE user_id = $1", member.user
    )
    assert (await refused(pool, member)).reason == "NOT_DISCOVERY_READY"


@pytest.mark.rule("DI-02", "DI-03")
async def test_a_failure_after_the_writes_leaves_the_old_batch(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    member = await pool.member()
    await pool.members(12)
    screen = await pool.refresh(member)

    def broken(**_: object) -> None:
        raise RuntimeError("the process breaks down here")

    monkeypatch.setattr(batches, "BatchRefreshed", broken)
    found = await refused(pool, member)
    assert (found.code, found.reason, found.metadata) == ("INTERNAL", "INTERNAL", {})
    monkeypatch.undo()
    assert await pool.screen(member) == screen
    assert (await pool.refresh(member)).batch != screen.batch
