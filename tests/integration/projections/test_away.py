"""Members who went away, as a rebuild tells of them: closed, hidden, back or erased (XX-08, ID-09, ID-13)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from unora.identity.v1.events_pb2 import AccountClosed
from unora_common.ids import uuid7
from unora_testing.world import World

from tests.integration.projections.test_command import command
from tests.roles import without_triggers

pytestmark = pytest.mark.rule("XX-08")

ACCOUNT = """
    INSERT INTO identity.users (
        id, phone_hash, phone_sealed, data_key, created_at, version, closed_at, hidden_at, erase_after)
    VALUES ($1, CASE WHEN $4::timestamptz IS NULL THEN sha256(uuid_send($1)) END,
        CASE WHEN $4::timestamptz IS NULL THEN ''::bytea END, '', clock.now(), $2, $3, $4,
        coalesce($3, $4) + interval '30 days')"""
MONEY = """
    INSERT INTO billing.accounts (user_id, tier, balance, suspended, standing_version, version)
    VALUES ($1, 'free', 0, false, 0, 1)"""
SLOTS = """
    INSERT INTO matching.inventory (user_id, tier, active_connection_count, connection_limit, tier_limit, version)
    VALUES ($1, 'free', $2, greatest(1, $2), 1, 1)"""
CONNECTION = """
    INSERT INTO matching.connections (id, user_a_id, user_b_id, server_type, connection_status, formed_at, version)
    VALUES ($1, least($2::uuid, $3), greatest($2::uuid, $3), 'partner', 'active', $4, 1)"""


async def add_account(
    world: World, version: int = 7, closed_at: datetime | None = None, hidden_at: datetime | None = None
) -> UUID:
    member = uuid7()
    await world.superuser.execute(ACCOUNT, member, version, closed_at, hidden_at)
    return member


async def connect(world: World, one: UUID, other: UUID, formed_at: datetime) -> UUID:
    connection = uuid7()
    await insert(world, CONNECTION, connection, one, other, formed_at)
    return connection


async def insert(world: World, sql: str, *values: object) -> None:
    """A row alone: no trigger compares the slots with the connections."""
    async with without_triggers(world.superuser) as superuser:
        await superuser.execute(sql, *values)


@pytest.mark.rule("ID-09", "ID-13")
async def test_a_hidden_account_keeps_its_credits_and_a_closed_one_does_not(world: World) -> None:
    now = await world.now()
    closed, hidden = await add_account(world, closed_at=now), await add_account(world, hidden_at=now)
    closed_first = await add_account(world, closed_at=now, hidden_at=now)
    for member in (closed, hidden, closed_first):
        await world.superuser.execute(MONEY, member)
    assert await command(world, "billing", "--only", "closings") == 0
    told = "SELECT closed, keeps_credits, life_version FROM billing.accounts WHERE user_id = $1"
    found = {member: await world.superuser.fetchrow(told, member) for member in (closed, hidden, closed_first)}
    assert tuple(found[closed] or ()) == (True, False, 7)
    assert tuple(found[hidden] or ()) == (True, True, 7)
    assert tuple(found[closed_first] or ()) == (True, False, 7), "hiding told nobody anything new"


@pytest.mark.rule("ID-09")
async def test_a_late_closing_of_a_member_who_is_back_ends_what_is_older_than_itself(world: World) -> None:
    """Since when the member is back, no rebuild can know."""
    now = await world.now()
    member, before, since = await add_account(world), uuid7(), uuid7()
    for each, count in ((member, 2), (before, 1), (since, 1)):
        await insert(world, SLOTS, each, count)
    older = await connect(world, member, before, now - timedelta(hours=2))
    newer = await connect(world, member, since, now)
    assert await command(world, "matching", "--only", "away") == 0
    closing = Timestamp()
    closing.FromDatetime(now - timedelta(hours=1))
    await world.publish(AccountClosed(user_id=str(member), version=5, occurred_at=closing))
    await world.drain()
    status = "SELECT connection_status FROM matching.connections WHERE id = $1"
    assert [await world.superuser.fetchval(status, each) for each in (older, newer)] == ["ended", "active"]
    row = await world.superuser.fetchrow(
        "SELECT closed, away_version FROM matching.inventory WHERE user_id = $1", member
    )
    assert tuple(row or ()) == (False, 7), "the member is back"


@pytest.mark.rule("ID-09")
async def test_the_card_of_a_partner_who_is_erased_is_not_made_again(world: World) -> None:
    now = await world.now()
    one, other, erased, partner = (uuid7() for _ in range(4))
    lives, gone = await connect(world, one, other, now), await connect(world, erased, partner, now)
    await world.superuser.execute(
        "INSERT INTO discovery.erased_members (user_id, erasure_id) VALUES ($1, $2)", erased, uuid7()
    )
    assert await command(world, "discovery", "--only", "partners") == 0
    count = "SELECT count(*) FROM discovery.partner_cards WHERE connection_id = $1"
    assert [await world.superuser.fetchval(count, each) for each in (lives, gone)] == [2, 0]
