"""How a refresh applies stored filters. test_filter_methods.py tests how members set them."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import FRIEND, NAMES, PARTNER, Pool, Server
from tests.roles import role_of
from tests.support import refusal

SAVE = """
    INSERT INTO discovery.filters (user_id, server_type, genders, age_bands, updated_at)
    VALUES ($1, $2, $3, $4, clock.now())
    ON CONFLICT (user_id, server_type) DO UPDATE
    SET genders = excluded.genders, age_bands = excluded.age_bands, updated_at = clock.now(), deleted_at = NULL"""


async def save(
    pool: Pool, member: Caller, server: Server = PARTNER, *, genders: tuple[str, ...] = (), ages: tuple[str, ...] = ()
) -> None:
    """Saves filters in the service's own role."""
    async with role_of(pool.world, "discovery") as role:
        await role.execute(SAVE, member.user, NAMES[server], genders, ages)


async def people(pool: Pool, count: int, gender: str = "woman", age_band: str = "30_34") -> set[str]:
    """The ids of new members of this gender and age band."""
    members = await pool.members(count)
    await pool.world.superuser.execute(
        "UPDATE discovery.candidates SET gender = $2, age_band = $3 WHERE user_id = ANY($1)",
        *([member.user for member in members], gender, age_band),
    )
    return {member.id for member in members}


async def shown(pool: Pool, member: Caller, server: Server = PARTNER) -> set[str]:
    """The ids of the members on the cards after a refresh."""
    return set(await pool.shown(member, (await pool.refresh(member, server)).batch))


@pytest.mark.rule("DI-05")
@pytest.mark.parametrize(
    ("genders", "ages"),
    [
        (("non_binary",), ()),
        ((), ("50_59",)),
        (("non_binary",), ("50_59",)),
        (("non_binary", "man"), ("50_59", "18_24")),
    ],
)
async def test_a_refresh_shows_only_members_who_pass_the_filters(
    pool: Pool, genders: tuple[str, ...], ages: tuple[str, ...]
) -> None:
    member = await pool.member()
    await people(pool, 15)
    wanted = await people(pool, 5, "non_binary", "50_59")
    await save(pool, member, genders=genders, ages=ages)
    assert await shown(pool, member) == wanted


@pytest.mark.rule("DI-05")
async def test_both_filters_must_be_passed(pool: Pool) -> None:
    member = await pool.member()
    wanted = await people(pool, 5, "man", "25_29")
    await people(pool, 5, "man", "60_plus")
    await people(pool, 5, "woman", "25_29")
    await save(pool, member, genders=("man",), ages=("25_29",))
    assert await shown(pool, member) == wanted


@pytest.mark.rule("DI-03", "DI-05")
async def test_a_changed_filter_leaves_the_existing_cards_and_narrows_the_next_refresh(pool: Pool) -> None:
    member = await pool.member()
    women = await people(pool, 5)
    screen = await pool.refresh(member)
    men = await people(pool, 5, "man")
    await people(pool, 5)
    await save(pool, member, genders=("man",))
    assert await pool.screen(member) == screen
    assert set(await pool.shown(member, screen.batch)) == women
    assert await shown(pool, member) == men


@pytest.mark.rule("DI-05")
async def test_filters_count_in_their_own_server_and_for_their_own_member(pool: Pool) -> None:
    member, other = await pool.member(), await pool.member()
    women = await people(pool, 5)
    await save(pool, member, FRIEND, genders=("man",))
    await save(pool, other, PARTNER, genders=("man",))
    assert await shown(pool, member, PARTNER) <= women | {other.id}
    men = await people(pool, 5, "man")
    assert await shown(pool, member, FRIEND) == men


@pytest.mark.rule("DI-02", "DI-05")
async def test_filters_that_are_too_narrow_leave_the_batch_and_the_timer(pool: Pool) -> None:
    member = await pool.member()
    await people(pool, 20)
    await pool.refresh(member)
    await pool.refresh(member)
    await pool.world.move_clock(timedelta(days=8))
    await people(pool, 4, "man")
    await save(pool, member, genders=("man",))
    screen, kept = await pool.screen(member), await pool.stored_rows(member)
    refused = await refusal(pool.refresh(member))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "POOL_TOO_SMALL")
    assert refused.metadata == {"filters": "genders"}
    assert (await pool.stored_rows(member), await pool.screen(member)) == (kept, screen)
    await save(pool, member, genders=("man", "woman"))
    assert (await pool.refresh(member)).batch != screen.batch


@pytest.mark.rule("DI-05")
async def test_empty_and_deleted_filters_narrow_nothing(pool: Pool) -> None:
    member = await pool.member()
    await people(pool, 10)
    await save(pool, member)
    assert len(await shown(pool, member)) == 5
    await save(pool, member, genders=("man",))
    await pool.world.superuser.execute(
        "UPDATE discovery.filters SET deleted_at = clock.now() WHERE user_id = $1", member.user
    )
    assert len(await shown(pool, member)) == 5


@pytest.mark.rule("DI-05")
@pytest.mark.parametrize(
    ("server", "genders", "ages", "constraint"),
    [
        ("partner", ["robot"], [], "ck_filters_genders"),
        ("partner", [None], [], "ck_filters_genders"),
        ("partner", ["man"] * 4, [], "ck_filters_genders"),
        ("partner", [], ["30"], "ck_filters_age_bands"),
        ("partner", [], ["30_34", None], "ck_filters_age_bands"),
        ("partner", [], ["30_34"] * 8, "ck_filters_age_bands"),
        ("elsewhere", [], [], "ck_filters_server_type"),
    ],
)
async def test_the_database_refuses_invalid_filters(
    world: World, server: str, genders: list[str | None], ages: list[str | None], constraint: str
) -> None:
    async with role_of(world, "discovery") as role:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
            await role.execute(SAVE, world.caller().user, server, genders, ages)
        assert refused.value.constraint_name == constraint


@pytest.mark.rule("DI-05")
async def test_a_member_has_one_row_of_filters_per_server(world: World) -> None:
    member, insert = world.caller(), SAVE.partition("ON CONFLICT")[0]
    async with role_of(world, "discovery") as role:
        await role.execute(insert, member.user, "partner", [], [])
        await role.execute(insert, member.user, "friend", [], [])
        with pytest.raises(asyncpg.UniqueViolationError) as refused:
            await role.execute(insert, member.user, "partner", [], [])
        assert refused.value.constraint_name == "pk_filters"
