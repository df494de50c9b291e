"""XX-05: what `users` carries of other contexts; the newest version counts, in whatever order they come."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from unora.common.v1.types_pb2 import TIER_FREE, TIER_PLUS
from unora.discovery.v1.events_pb2 import BatchRefreshed
from unora.matching.v1.events_pb2 import InventoryChanged
from unora_local.inprocess import World

from tests.integration.identity.people import People

EARLY, LATE = datetime(2026, 1, 10, 12, tzinfo=UTC), datetime(2026, 1, 11, 12, tzinfo=UTC)


@pytest.mark.rule("XX-05", "XX-02")
async def test_slots_and_tier_follow_matching(world: World, people: People) -> None:
    who = await people.sign_in()
    newer = InventoryChanged(user_id=who.member.id, version=5, tier=TIER_PLUS, active_connection_count=2)
    older = InventoryChanged(user_id=who.member.id, version=4, tier=TIER_FREE, active_connection_count=1)
    for event in (newer, older):
        event.occurred_at.FromDatetime(EARLY)
        await world.tell(event)
    (user,) = await people.rows("users", id=who.member.user)
    assert (user["tier"], user["active_connection_count"], user["inventory_version"]) == ("plus", 2, 5)
    assert user["version"] == 2  # the member's own events are counted apart


@pytest.mark.rule("XX-05", "XX-02")
async def test_the_timer_follows_discovery(world: World, people: People) -> None:
    who = await people.sign_in()
    newer, older = (BatchRefreshed(user_id=who.member.id, version=version) for version in (3, 2))
    newer.last_global_refresh_at.FromDatetime(EARLY)
    newer.refresh_available_at.FromDatetime(LATE)
    for event in (newer, older):
        event.occurred_at.FromDatetime(EARLY)
        await world.tell(event)
    (user,) = await people.rows("users", id=who.member.user)
    assert (user["last_global_refresh_at"], user["refresh_available_at"]) == (EARLY, LATE)
    assert user["refresh_version"] == 3
