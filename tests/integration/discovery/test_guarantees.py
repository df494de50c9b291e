"""What the database itself refuses to the service's own role."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC
from typing import TypeAlias
from uuid import UUID, uuid4

import asyncpg
import pytest
from unora_testing.world import World

from tests.integration.discovery.pool import Pool
from tests.roles import role_of

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
BATCH = """
    INSERT INTO discovery.discovery_batches (id, user_id, server_type, created_at)
    VALUES ($1, $2, 'partner', clock.now())"""
CARD = """
    INSERT INTO discovery.discovery_cards (
        id, batch_id, position, shown_user_id, age_band, city, trust_level, hobbies)
    VALUES (gen_random_uuid(), $1, $2, $3, '30_34', 'Lisbon', 2, '[]')"""


@pytest.fixture
async def role(world: World) -> AsyncIterator[Connection]:
    """A connection in the role that the service runs in."""
    async with role_of(world, "discovery") as connection:
        yield connection


async def make(role: Connection, cards: int, shown: UUID | None = None) -> tuple[object, object]:
    """Creates a batch of so many cards (all of one member, if given) in one transaction; returns its id and owner."""
    batch, user = uuid4(), uuid4()
    async with role.transaction():
        await role.execute(BATCH, batch, user)
        for position in range(1, cards + 1):
            await role.execute(CARD, batch, position, shown or uuid4())
    return batch, user


@pytest.mark.rule("DI-02")
@pytest.mark.parametrize("cards", [0, 1, 4])
async def test_a_batch_with_fewer_than_five_cards_does_not_commit(role: Connection, cards: int) -> None:
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await make(role, cards)
    assert refused.value.constraint_name == "batch_of_five"


@pytest.mark.rule("DI-02")
@pytest.mark.parametrize("position", [0, 6, 5])
async def test_there_is_no_place_for_a_sixth_card(role: Connection, position: int) -> None:
    batch, _ = await make(role, 5)
    with pytest.raises((asyncpg.CheckViolationError, asyncpg.UniqueViolationError)) as refused:
        await role.execute(CARD, batch, position, uuid4())
    names = ("ck_discovery_cards_position", "uq_discovery_cards_batch_id_position")
    assert refused.value.constraint_name in names


@pytest.mark.rule("DI-02")
async def test_a_member_is_not_twice_in_a_batch(role: Connection) -> None:
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await make(role, 5, shown=uuid4())
    assert refused.value.constraint_name == "uq_discovery_cards_batch_id_shown_user_id"


@pytest.mark.rule("DI-02", "DI-03")
@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM discovery.discovery_cards WHERE batch_id = $1 AND position = 3",
        "UPDATE discovery.discovery_cards SET deleted_at = clock.now() WHERE batch_id = $1 AND position = 3",
    ],
)
async def test_no_card_of_an_active_batch_goes_alone(role: Connection, sql: str) -> None:
    batch, _ = await make(role, 5)
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await role.execute(sql, batch)
    assert refused.value.constraint_name == "batch_of_five"


@pytest.mark.rule("DI-03")
async def test_a_second_active_batch_in_a_server_is_refused(role: Connection) -> None:
    _, user = await make(role, 5)
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await role.execute(BATCH, uuid4(), user)
    assert refused.value.constraint_name == "uq_discovery_batches_one_active"


@pytest.mark.rule("DI-03")
@pytest.mark.parametrize(
    "change",
    [
        "city = 'Porto'",
        "place_id = '2'",
        "hobbies = '[]'",
        "position = 1",
        "shown_user_id = gen_random_uuid()",
        "trust_level = 5",
    ],
)
async def test_a_card_stays_as_it_was_made(role: Connection, change: str) -> None:
    batch, _ = await make(role, 5)
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await role.execute(f"UPDATE discovery.discovery_cards SET {change} WHERE batch_id = $1 AND position = 1", batch)
    assert refused.value.constraint_name == "card_immutable"


@pytest.mark.rule("DI-01")
async def test_a_batch_belongs_to_one_of_the_three_servers(world: World, role: Connection) -> None:
    for row in (
        "server_memberships (user_id, server_type, joined_at) VALUES (gen_random_uuid(), 'elsewhere', clock.now())",
        """discovery_batches (id, user_id, server_type, created_at)
        VALUES (gen_random_uuid(), gen_random_uuid(), 'elsewhere', clock.now())""",
    ):
        with pytest.raises(asyncpg.CheckViolationError, match="server_type"):
            await role.execute(f"INSERT INTO discovery.{row}")
    async with role_of(world, "discovery_owner") as owner:
        for connection, refusal in ((owner, asyncpg.CheckViolationError), (role, asyncpg.InsufficientPrivilegeError)):
            with pytest.raises(refusal):
                await connection.execute("INSERT INTO discovery.servers VALUES ('elsewhere', 'Elsewhere', '', 4)")


@pytest.mark.rule("DI-04")
@pytest.mark.parametrize("times", [("clock.now()", "NULL"), ("NULL", "clock.now()"), ("clock.now()", "'2000-01-01'")])
async def test_the_two_times_of_a_timer_belong_together(role: Connection, times: tuple[str, str]) -> None:
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await role.execute(
            f"""INSERT INTO discovery.refresh_timers (user_id, last_global_refresh_at, refresh_available_at)
            VALUES (gen_random_uuid(), {times[0]}, {times[1]})"""
        )
    assert refused.value.constraint_name == "ck_refresh_timers_times"


@pytest.mark.rule("DI-04")
async def test_the_first_batch_of_a_server_is_the_first_for_ever(role: Connection, pool: Pool) -> None:
    member = await pool.member()
    await pool.members(12)
    first = (await pool.refresh(member)).batch.created_at.ToDatetime(UTC)
    await pool.refresh(member)
    kept = {row["server_type"]: row["first_batch_at"] for row in await pool.rows("server_memberships", member.user)}
    assert kept == {"partner": first, "friend": None, "growth": None}
    for change, constraint in (
        ("NULL", "first_batch_once"),
        ("clock.now()", "first_batch_once"),
        ("joined_at - interval '1 second'", "ck_server_memberships_joined_before"),
    ):
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await role.execute(
                f"""UPDATE discovery.server_memberships SET first_batch_at = {change} WHERE user_id = $1
                AND server_type = $2""",
                *(member.user, "partner" if constraint == "first_batch_once" else "friend"),
            )
        assert refused.value.constraint_name == constraint


@pytest.mark.rule("DI-08", "PR-06")
async def test_a_discovery_ready_member_of_the_pool_has_all_that_a_card_shows(role: Connection, pool: Pool) -> None:
    member = await pool.member()
    for change in (
        "age_band = NULL",
        "gender = NULL",
        "trust_level = 0",
        "hobby_option_ids = '{chess}', hobbies = '[{}]'",
    ):
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await role.execute(f"UPDATE discovery.candidates SET {change} WHERE user_id = $1", member.user)
        assert refused.value.constraint_name == "ck_candidates_ready_is_whole"


async def test_the_role_reaches_no_other_schema_and_no_other_role_reaches_this(world: World, role: Connection) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await role.fetch("SELECT phone_hash FROM identity.users")
    async with role_of(world, "matching") as other:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await other.fetch("SELECT shown_user_id FROM discovery.discovery_cards")


@pytest.mark.rule("DI-09", "XX-03")
@pytest.mark.parametrize(
    "row",
    [
        "exclusions VALUES (gen_random_uuid(), $1, gen_random_uuid(), 'connected', 1)",
        "exclusions VALUES (gen_random_uuid(), $1, gen_random_uuid(), 'ended', 1)",
        "member_blocks VALUES ($1, gen_random_uuid(), true, clock.now())",
    ],
)
async def test_what_keeps_two_members_apart_cannot_be_deleted(role: Connection, row: str) -> None:
    member = uuid4()
    await role.execute(f"INSERT INTO discovery.{row}", member)
    table = row.split()[0]
    key = "user_id" if table == "exclusions" else "blocker_id"
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await role.execute(f"DELETE FROM discovery.{table} WHERE {key} = $1", member)
    assert refused.value.constraint_name == "kept_apart"
