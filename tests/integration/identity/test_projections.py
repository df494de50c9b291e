"""XX-05: the columns of `users` that other contexts decide; the newest version counts, also if events are late."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from unora.billing.v1.events_pb2 import TierChanged
from unora.common.v1.types_pb2 import TIER_FREE, TIER_PLUS, TIER_PRO
from unora.discovery.v1.events_pb2 import BatchRefreshed, RefreshTimerChanged
from unora.identity.v1.account_service_pb2 import Account, GetAccountRequest
from unora.matching.v1.events_pb2 import InventoryChanged
from unora_common.database import Session
from unora_identity.store import members
from unora_testing.world import World

from tests.integration.identity.people import People, Signed, apply
from tests.roles import role_of

EARLY, LATE = datetime(2026, 1, 10, 12, tzinfo=UTC), datetime(2026, 1, 11, 12, tzinfo=UTC)


async def account(people: People, signed: Signed) -> Account:
    return (await people.accounts.GetAccount(GetAccountRequest(), metadata=signed.metadata)).account


@pytest.mark.rule("XX-05")
async def test_a_new_account_is_free_and_has_spent_nothing(people: People) -> None:
    shown = await account(people, await people.sign_in())
    assert (shown.tier, shown.active_connection_count) == (TIER_FREE, 0)
    for unknown in ("connection_limit", "last_global_refresh_at", "refresh_available_at"):
        assert not shown.HasField(unknown)


@pytest.mark.rule("XX-05", "XX-02")
async def test_slots_follow_matching(world: World, people: People) -> None:
    signed = await people.sign_in()
    newer = InventoryChanged(
        user_id=signed.member.id, version=5, tier=TIER_PLUS, active_connection_count=2, connection_limit=2
    )
    older = InventoryChanged(
        user_id=signed.member.id, version=4, tier=TIER_FREE, active_connection_count=1, connection_limit=1
    )
    for event in (newer, older):
        event.occurred_at.FromDatetime(EARLY)
        await world.publish(event)
    shown = await account(people, signed)
    assert (shown.active_connection_count, shown.connection_limit) == (2, 2)
    assert shown.tier == TIER_FREE  # billing decides the tier
    (user,) = await people.rows("users", id=signed.member.user)
    assert (user["tier"], user["inventory_version"]) == ("free", 5)
    assert user["version"] == 2  # the member's own events have their own versions


@pytest.mark.rule("MA-06", "XX-05")
async def test_identity_does_not_limit_the_number_of_slots(world: World, people: People) -> None:
    signed = await people.sign_in()
    event = InventoryChanged(
        user_id=signed.member.id, version=1, tier=TIER_PRO, active_connection_count=7, connection_limit=12
    )
    event.occurred_at.FromDatetime(EARLY)
    await world.publish(event)
    shown = await account(people, signed)
    assert (shown.active_connection_count, shown.connection_limit) == (7, 12)
    async with role_of(world, "identity") as connection:
        for column in ("active_connection_count", "connection_limit"):
            with pytest.raises(asyncpg.CheckViolationError) as refused:
                await connection.execute(f"UPDATE identity.users SET {column} = -1 WHERE id = $1", signed.member.user)
            assert refused.value.constraint_name == f"ck_users_{column}"


@pytest.mark.rule("XX-05", "XX-02")
async def test_the_timer_follows_discovery(world: World, people: People) -> None:
    signed = await people.sign_in()
    newer, older = (BatchRefreshed(user_id=signed.member.id, version=version) for version in (3, 2))
    newer.last_global_refresh_at.FromDatetime(EARLY)
    newer.refresh_available_at.FromDatetime(LATE)
    for event in (newer, older):
        event.occurred_at.FromDatetime(EARLY)
        await world.publish(event)
    shown = await account(people, signed)
    last_at, available_at = shown.last_global_refresh_at, shown.refresh_available_at
    assert (last_at.ToDatetime(UTC), available_at.ToDatetime(UTC)) == (EARLY, LATE)
    (user,) = await people.rows("users", id=signed.member.user)
    assert user["refresh_version"] == 3


@pytest.mark.rule("XX-05", "XX-02")
async def test_the_tier_follows_billing(world: World, people: People) -> None:
    signed = await people.sign_in()
    events = [
        TierChanged(user_id=signed.member.id, version=version, tier=tier)
        for version, tier in ((2, TIER_PLUS), (7, TIER_PRO), (5, TIER_FREE))
    ]
    for event in events:
        event.occurred_at.FromDatetime(EARLY)
        await apply(world, event)
    assert (await account(people, signed)).tier == TIER_PRO
    (user,) = await people.rows("users", id=signed.member.user)
    assert (user["tier_version"], user["inventory_version"]) == (7, 0)


@pytest.mark.rule("DI-14", "XX-02")
async def test_a_timer_that_a_tier_moved_counts_by_its_version(world: World, people: People) -> None:
    signed = await people.sign_in()
    spent, moved = BatchRefreshed(user_id=signed.member.id, version=3), RefreshTimerChanged(user_id=signed.member.id)
    moved.version = 4
    spent.last_global_refresh_at.FromDatetime(EARLY)
    spent.refresh_available_at.FromDatetime(LATE)
    moved.last_global_refresh_at.FromDatetime(EARLY)
    moved.refresh_available_at.FromDatetime(EARLY)
    for event in (moved, spent):  # the newer one first
        event.occurred_at.FromDatetime(EARLY)
        await apply(world, event)
    assert (await account(people, signed)).refresh_available_at.ToDatetime(UTC) == EARLY


@pytest.mark.rule("XX-05")
async def test_the_home_screen_is_one_statement(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    signed, asked = await people.sign_in(), []
    for name in ("rows", "row", "value"):
        ask = getattr(Session, name)

        async def counted(self: Session, sql: str, *arguments: object, ask: Any = ask) -> Any:
            asked.append(sql)
            return await ask(self, sql, *arguments)

        monkeypatch.setattr(Session, name, counted)
    await account(people, signed)
    assert asked == [members.READ]
