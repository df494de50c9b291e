"""GetFilters and UpdateFilters, and that filters are mutual (DI-05, DI-12)."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from unora.discovery.v1.discovery_service_pb2 import Filters, UpdateFiltersRequest
from unora.identity.v1.profile_service_pb2 import GENDER_MAN, GENDER_NON_BINARY, GENDER_WOMAN
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import FRIEND, PARTNER, Pool
from tests.roles import role_of
from tests.support import refusal, request_id

ANYONE = Filters(min_age=18, max_age=99)


@pytest.fixture
async def me(pool: Pool) -> Caller:
    """A woman of 30 to 34 in Lisbon, as are the twelve in whose pool she is."""
    await pool.members(12, "poetry", "running")
    return await pool.member("chess", "singing")


@pytest.fixture
async def star(pool: Pool, me: Caller) -> Caller:
    """A man of 40 to 49 in Porto, the first on my cards unless a filter is in the way."""
    star = await pool.member("chess", "singing", city="Porto")
    await pool.world.superuser.execute(
        "UPDATE discovery.candidates SET gender = 'man', age_band = '40_49' WHERE user_id = $1", star.user
    )
    return star


async def sees(pool: Pool, who: Caller, whom: Caller) -> bool:
    return whom.id in await pool.shown(who, (await pool.refresh(who)).batch)


@pytest.mark.rule("DI-05")
async def test_filters_let_everyone_pass_until_they_are_set_and_are_kept_per_server(pool: Pool) -> None:
    who = await pool.member()
    assert await pool.filters(who) == ANYONE
    set_to = await pool.filter(
        who, genders=[GENDER_MAN, GENDER_NON_BINARY], min_age=30, max_age=44, same_city_only=True
    )
    assert set_to == Filters(genders=[GENDER_MAN, GENDER_NON_BINARY], min_age=30, max_age=44, same_city_only=True)
    assert await pool.filters(who) == set_to
    assert await pool.filters(who, FRIEND) == ANYONE
    (row,) = await pool.rows("filters", who.user)
    assert (row["genders"], row["age_bands"]) == (["man", "non_binary"], ["30_34", "35_39", "40_49"])


@pytest.mark.rule("DI-05")
async def test_only_what_the_mask_names_changes(pool: Pool) -> None:
    who = await pool.member()
    await pool.filter(who, genders=[GENDER_MAN], min_age=30, max_age=44)
    changed = await pool.filter(who, PARTNER, "max_age", genders=[GENDER_WOMAN], min_age=20, max_age=50)
    assert changed == Filters(genders=[GENDER_MAN], min_age=30, max_age=50)
    assert await pool.filter(who, PARTNER, "genders") == Filters(min_age=30, max_age=50)
    assert await pool.filter(who, PARTNER, "*") == ANYONE


@pytest.mark.rule("DI-05")
@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"min_age": 17}, "filters.min_age"),
        ({"min_age": 0}, "filters.min_age"),
        ({"max_age": 100}, "filters.max_age"),
        ({"genders": [0]}, "filters.genders"),
        ({"genders": [9]}, "filters.genders"),
        ({"genders": [1, 1]}, "filters.genders"),
        ({"min_age": 40, "max_age": 39}, "filters.max_age"),
    ],
)
async def test_filters_of_no_meaning_are_refused_by_their_field_and_change_nothing(
    pool: Pool, told: dict[str, Any], field: str
) -> None:
    who = await pool.member()
    before = await pool.filter(who, min_age=20)
    refused = await refusal(pool.filter(who, **told))
    assert (refused.code, list(refused.violations)) == ("INVALID_ARGUMENT", [field])
    assert await pool.filters(who) == before


@pytest.mark.rule("DI-05")
async def test_a_first_change_that_is_refused_leaves_no_row(pool: Pool) -> None:
    who = await pool.member()
    assert (await refusal(pool.filter(who, min_age=40, max_age=39))).code == "INVALID_ARGUMENT"
    assert await pool.rows("filters", who.user) == []


@pytest.mark.rule("DI-05", "BI-08")
async def test_a_repeat_gets_the_first_answer_and_undoes_nothing(pool: Pool) -> None:
    who = await pool.member()
    asked = UpdateFiltersRequest(
        request_id=request_id(),
        server_type=PARTNER,
        filters=Filters(min_age=30),
        update_mask=FieldMask(paths=["min_age"]),
    )
    first = await pool.discovery.UpdateFilters(asked, metadata=who.metadata)
    await pool.filter(who, min_age=50)
    assert await pool.discovery.UpdateFilters(asked, metadata=who.metadata) == first
    assert (await pool.filters(who)).min_age == 50


@pytest.mark.rule("DI-05")
async def test_changes_of_different_fields_at_once_all_count(pool: Pool) -> None:
    who = await pool.member()
    changes: list[dict[str, Any]] = [
        {"genders": [GENDER_MAN]},
        {"min_age": 25},
        {"max_age": 60},
        {"same_city_only": True},
    ]
    await asyncio.gather(*(pool.filter(who, **change) for change in changes * 3))
    assert await pool.filters(who) == Filters(genders=[GENDER_MAN], min_age=25, max_age=60, same_city_only=True)


@pytest.mark.rule("DI-05")
async def test_filters_may_be_set_before_joining_and_outlive_the_leaving(pool: Pool) -> None:
    who = await pool.member(servers=())
    await pool.filter(who, min_age=40)
    await pool.join(who)
    await pool.leave(who)
    assert (await pool.filters(who)).min_age == 40


@pytest.mark.rule("DI-05", "DI-03")
async def test_a_change_during_a_refresh_is_before_it_or_after_it_and_the_cards_stay(
    pool: Pool, me: Caller, star: Caller
) -> None:
    connection, transaction = await pool.hold(me)
    call = asyncio.ensure_future(pool.refresh(me))
    await pool.blocked_calls(1)
    await pool.filter(me, genders=[GENDER_WOMAN])  # the refresh has begun; its search has not
    await transaction.rollback()
    await connection.close()
    screen = await call
    assert star.id not in await pool.shown(me, screen.batch)
    await pool.filter(me, genders=[GENDER_MAN])
    assert await pool.screen(me) == screen


@pytest.mark.rule("DI-12")
@pytest.mark.parametrize(
    ("whose", "told", "shown"),
    [
        ("mine", {}, True),
        ("mine", {"genders": [GENDER_MAN]}, True),
        ("mine", {"genders": [GENDER_WOMAN]}, False),
        ("mine", {"min_age": 45}, True),
        ("mine", {"max_age": 39}, False),
        ("mine", {"same_city_only": True}, False),
        ("theirs", {"genders": [GENDER_WOMAN, GENDER_NON_BINARY]}, True),
        ("theirs", {"genders": [GENDER_MAN]}, False),
        ("theirs", {"min_age": 34, "max_age": 34}, True),
        ("theirs", {"min_age": 35}, False),
        ("theirs", {"max_age": 29}, False),
        ("theirs", {"same_city_only": True}, False),
    ],
)
async def test_each_must_fit_the_filters_of_the_other(
    pool: Pool, me: Caller, star: Caller, whose: str, told: dict[str, Any], shown: bool
) -> None:
    """And where one does not, neither is shown to the other. The pool is filled so that nothing else decides."""
    for city in ("Lisbon", "Porto"):
        for gender, band in (
            ("woman", "40_49"),
            ("woman", "30_34"),
            ("man", "30_34"),
            ("man", "40_49"),
            ("woman", "18_24"),
        ):
            others = [await pool.member("poetry", "running", city=city) for _ in range(5)]
            await pool.world.superuser.execute(
                "UPDATE discovery.candidates SET gender = $2, age_band = $3 WHERE user_id = ANY ($1)",
                *([each.user for each in others], gender, band),
            )
    if told:
        await pool.filter(me if whose == "mine" else star, **told)
    assert await sees(pool, me, star) is shown
    assert await sees(pool, star, me) is shown


@pytest.mark.rule("DI-12", "DI-05")
async def test_filters_of_another_server_do_not_count(pool: Pool, me: Caller, star: Caller) -> None:
    await pool.filter(star, FRIEND, genders=[GENDER_MAN])
    assert await sees(pool, me, star)


@pytest.mark.rule("DI-12")
async def test_a_city_is_the_same_however_it_is_written(pool: Pool, me: Caller, star: Caller) -> None:
    await pool.world.superuser.execute("UPDATE discovery.candidates SET city = 'LISBON' WHERE user_id = $1", star.user)
    await pool.filter(me, same_city_only=True)
    assert await sees(pool, me, star)


@pytest.mark.rule("DI-02", "DI-12")
async def test_filters_that_nobody_fits_spend_nothing(pool: Pool, me: Caller) -> None:
    await pool.refresh(me)
    await pool.filter(me, genders=[GENDER_NON_BINARY], min_age=60)
    before = await pool.kept(me)
    for _ in range(2):
        found = await refusal(pool.refresh(me))
        assert (found.reason, found.metadata) == ("POOL_TOO_SMALL", {})
    assert await pool.kept(me) == before


@pytest.mark.rule("DI-05")
@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("min_age = 17", "ck_filters_min_age"),
        ("max_age = 100", "ck_filters_max_age"),
        ("min_age = 50, max_age = 49", "ck_filters_max_age"),
    ],
)
async def test_the_database_refuses_ages_of_no_meaning(world: World, pool: Pool, change: str, constraint: str) -> None:
    who = await pool.member()
    await pool.filter(who, min_age=20)
    async with role_of(world, "discovery") as role:
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await role.execute(f"UPDATE discovery.filters SET {change} WHERE user_id = $1", who.user)
        assert refused.value.constraint_name == constraint


@pytest.mark.rule("DI-12", "XX-04")
async def test_nobody_can_see_the_filters_of_another(pool: Pool) -> None:
    """There is no field for a member in what is asked, and cards have none for filters."""
    assert [field.name for field in UpdateFiltersRequest.DESCRIPTOR.fields] == [
        "request_id",
        "server_type",
        "filters",
        "update_mask",
    ]
    one, other = await pool.members(2)
    await pool.filter(one, min_age=40)
    assert await pool.filters(other) == ANYONE
