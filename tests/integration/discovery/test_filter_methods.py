"""GetFilters and UpdateFilters, and that filters are mutual (DI-05, DI-12)."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from unora.discovery.v1.discovery_service_pb2 import Filters, UpdateFiltersRequest
from unora.identity.v1.profile_service_pb2 import GENDER_MAN, GENDER_NON_BINARY, GENDER_WOMAN
from unora_testing.places import LISBON
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import FRIEND, PARTNER, Pool
from tests.roles import role_of
from tests.support import refusal, request_id

ANYONE = Filters(min_age=18, max_age=99)


@pytest.fixture
async def me(pool: Pool) -> Caller:
    """A woman of 30 to 34 in Lisbon, like the twelve other members of the pool."""
    await pool.members(12, "poetry", "running")
    return await pool.member("chess", "singing")


@pytest.fixture
async def best(pool: Pool, me: Caller) -> Caller:
    """A man of 40 to 49 in Porto, the first on my cards unless a filter excludes him."""
    best = await pool.member("chess", "singing", city="Porto")
    await pool.world.superuser.execute(
        "UPDATE discovery.candidates SET gender = 'man', age_band = '40_49' WHERE user_id = $1", best.user
    )
    return best


async def is_shown(pool: Pool, member: Caller, other: Caller) -> bool:
    return other.id in await pool.shown(member, (await pool.refresh(member)).batch)


@pytest.mark.rule("DI-05")
async def test_filters_let_everyone_pass_until_they_are_set_and_are_stored_per_server(pool: Pool) -> None:
    member = await pool.member()
    assert await pool.get_filters(member) == ANYONE
    set_to = await pool.update_filters(
        member, genders=[GENDER_MAN, GENDER_NON_BINARY], min_age=30, max_age=44, same_city_only=True
    )
    assert set_to == Filters(genders=[GENDER_MAN, GENDER_NON_BINARY], min_age=30, max_age=44, same_city_only=True)
    assert await pool.get_filters(member) == set_to
    assert await pool.get_filters(member, FRIEND) == ANYONE
    (row,) = await pool.rows("filters", member.user)
    assert (row["genders"], row["age_bands"]) == (["man", "non_binary"], ["30_34", "35_39", "40_49"])


@pytest.mark.rule("DI-05")
async def test_only_what_the_mask_names_changes(pool: Pool) -> None:
    member = await pool.member()
    await pool.update_filters(member, genders=[GENDER_MAN], min_age=30, max_age=44)
    changed = await pool.update_filters(member, PARTNER, "max_age", genders=[GENDER_WOMAN], min_age=20, max_age=50)
    assert changed == Filters(genders=[GENDER_MAN], min_age=30, max_age=50)
    assert await pool.update_filters(member, PARTNER, "genders") == Filters(min_age=30, max_age=50)
    assert await pool.update_filters(member, PARTNER, "*") == ANYONE


@pytest.mark.rule("DI-05")
@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"min_age": 17}, "filters.min_age"),
        ({"min_age": 0}, "filters.min_age"),
        ({"max_age": 100}, "filters.max_age"),
        ({"genders": [0]}, "filters.genders[0]"),
        ({"genders": [9]}, "filters.genders[0]"),
        ({"genders": [1, 1]}, "filters.genders"),
        ({"min_age": 40, "max_age": 39}, "filters.max_age"),
    ],
)
async def test_invalid_filters_are_refused_by_their_field_and_change_nothing(
    pool: Pool, fields: dict[str, Any], field: str
) -> None:
    member = await pool.member()
    before = await pool.update_filters(member, min_age=20)
    refused = await refusal(pool.update_filters(member, **fields))
    assert (refused.code, list(refused.violations)) == ("INVALID_ARGUMENT", [field])
    assert await pool.get_filters(member) == before


@pytest.mark.rule("DI-05")
async def test_a_first_change_that_is_refused_leaves_no_row(pool: Pool) -> None:
    member = await pool.member()
    assert (await refusal(pool.update_filters(member, min_age=40, max_age=39))).code == "INVALID_ARGUMENT"
    assert await pool.rows("filters", member.user) == []


@pytest.mark.rule("DI-05", "BI-08")
async def test_a_repeat_gets_the_first_answer_and_undoes_nothing(pool: Pool) -> None:
    member = await pool.member()
    request = UpdateFiltersRequest(
        request_id=request_id(),
        server_type=PARTNER,
        filters=Filters(min_age=30),
        update_mask=FieldMask(paths=["min_age"]),
    )
    first = await pool.discovery.UpdateFilters(request, metadata=member.metadata)
    await pool.update_filters(member, min_age=50)
    assert await pool.discovery.UpdateFilters(request, metadata=member.metadata) == first
    assert (await pool.get_filters(member)).min_age == 50


@pytest.mark.rule("DI-05")
async def test_changes_of_different_fields_at_once_all_count(pool: Pool) -> None:
    member = await pool.member()
    changes: list[dict[str, Any]] = [
        {"genders": [GENDER_MAN]},
        {"min_age": 25},
        {"max_age": 60},
        {"same_city_only": True},
    ]
    await asyncio.gather(*(pool.update_filters(member, **change) for change in changes * 3))
    assert await pool.get_filters(member) == Filters(genders=[GENDER_MAN], min_age=25, max_age=60, same_city_only=True)


@pytest.mark.rule("DI-05")
async def test_filters_may_be_set_before_joining_and_stay_after_leaving(pool: Pool) -> None:
    member = await pool.member(servers=())
    await pool.update_filters(member, min_age=40)
    await pool.join(member)
    await pool.leave(member)
    assert (await pool.get_filters(member)).min_age == 40


@pytest.mark.rule("DI-05", "DI-03")
async def test_a_change_during_a_refresh_is_before_it_or_after_it_and_the_cards_stay(
    pool: Pool, me: Caller, best: Caller
) -> None:
    connection, transaction = await pool.lock_timer(me)
    call = asyncio.ensure_future(pool.refresh(me))
    await pool.wait_for_blocked_calls(1)
    await pool.update_filters(me, genders=[GENDER_WOMAN])  # the refresh has begun, but not its search
    await transaction.rollback()
    await connection.close()
    screen = await call
    assert best.id not in await pool.shown(me, screen.batch)
    await pool.update_filters(me, genders=[GENDER_MAN])
    assert await pool.screen(me) == screen


@pytest.mark.rule("DI-12")
@pytest.mark.parametrize(
    ("owner", "fields", "shown"),
    [
        ("me", {}, True),
        ("me", {"genders": [GENDER_MAN]}, True),
        ("me", {"genders": [GENDER_WOMAN]}, False),
        ("me", {"min_age": 45}, True),
        ("me", {"max_age": 39}, False),
        ("me", {"same_city_only": True}, False),
        ("best", {"genders": [GENDER_WOMAN, GENDER_NON_BINARY]}, True),
        ("best", {"genders": [GENDER_MAN]}, False),
        ("best", {"min_age": 34, "max_age": 34}, True),
        ("best", {"min_age": 35}, False),
        ("best", {"max_age": 29}, False),
        ("best", {"same_city_only": True}, False),
    ],
)
async def test_each_must_fit_the_filters_of_the_other(
    pool: Pool, me: Caller, best: Caller, owner: str, fields: dict[str, Any], shown: bool
) -> None:
    """If one does not, neither is shown to the other. The pool is large enough that nothing else decides."""
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
    if fields:
        await pool.update_filters(me if owner == "me" else best, **fields)
    assert await is_shown(pool, me, best) is shown
    assert await is_shown(pool, best, me) is shown


@pytest.mark.rule("DI-12", "DI-05")
async def test_filters_of_another_server_do_not_count(pool: Pool, me: Caller, best: Caller) -> None:
    await pool.update_filters(best, FRIEND, genders=[GENDER_MAN])
    assert await is_shown(pool, me, best)


@pytest.mark.rule("DI-12", "PR-11")
@pytest.mark.parametrize(
    ("city", "place", "same"),
    [
        ("Lisbon", LISBON, True),
        ("Lisboa", LISBON, True),  # a later list calls it so
        ("Lisbon", "5738164", False),  # another place of this name
        ("Lisbon", "", False),  # written, and not told for certain
    ],
)
async def test_two_live_in_the_same_city_if_it_is_the_same_place(
    pool: Pool, me: Caller, best: Caller, city: str, place: str, same: bool
) -> None:
    await pool.world.superuser.execute(
        "UPDATE discovery.candidates SET city = $2, place_id = $3 WHERE user_id = $1", best.user, city, place
    )
    await pool.update_filters(me, same_city_only=True)
    assert await is_shown(pool, me, best) is same


@pytest.mark.rule("DI-12", "PR-11")
async def test_who_has_no_place_is_in_the_same_city_as_nobody(pool: Pool) -> None:
    await pool.empty()
    several = [await pool.member(city="") for _ in range(7)]
    assert (await pool.refresh(several[0])).batch.cards
    await pool.update_filters(several[1], same_city_only=True)
    assert (await refusal(pool.refresh(several[1]))).reason == "POOL_TOO_SMALL"


@pytest.mark.rule("DI-02", "XX-04")
async def test_the_hint_of_a_pool_that_is_too_small_is_of_the_own_filters_alone(pool: Pool) -> None:
    """It is the same for an empty pool, for one without anybody who fits, and for one with four who do."""
    await pool.empty()
    me = await pool.member()
    assert (await refusal(pool.refresh(me))).metadata == {}
    await pool.update_filters(me, min_age=19, max_age=70, same_city_only=True)
    found = [await refusal(pool.refresh(me))]
    for city, count in (("Porto", 6), ("Lisbon", 4)):
        for _ in range(count):
            await pool.member(city=city)
        found.append(await refusal(pool.refresh(me)))
    await pool.update_filters(me, FRIEND, genders=[GENDER_WOMAN])  # of another server
    found.append(await refusal(pool.refresh(me)))
    assert found == [found[0]] * 4
    assert found[0].metadata == {"filters": "min_age,max_age,same_city_only"}


@pytest.mark.rule("DI-02", "DI-12")
async def test_filters_that_no_member_fits_spend_nothing(pool: Pool, me: Caller) -> None:
    await pool.refresh(me)
    await pool.update_filters(me, genders=[GENDER_NON_BINARY], min_age=60)
    before = await pool.stored_rows(me)
    for _ in range(2):
        found = await refusal(pool.refresh(me))
        assert (found.reason, found.metadata) == ("POOL_TOO_SMALL", {"filters": "genders,min_age"})
    assert await pool.stored_rows(me) == before


@pytest.mark.rule("DI-05")
@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("min_age = 17", "ck_filters_min_age"),
        ("max_age = 100", "ck_filters_max_age"),
        ("min_age = 50, max_age = 49", "ck_filters_max_age"),
    ],
)
async def test_the_database_refuses_invalid_ages(world: World, pool: Pool, change: str, constraint: str) -> None:
    member = await pool.member()
    await pool.update_filters(member, min_age=20)
    async with role_of(world, "discovery") as role:
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await role.execute(f"UPDATE discovery.filters SET {change} WHERE user_id = $1", member.user)
        assert refused.value.constraint_name == constraint


@pytest.mark.rule("DI-12", "XX-04")
async def test_no_member_can_see_the_filters_of_another(pool: Pool) -> None:
    """The request has no field for another member, and cards have none for filters."""
    assert [field.name for field in UpdateFiltersRequest.DESCRIPTOR.fields] == [
        "request_id",
        "server_type",
        "filters",
        "update_mask",
    ]
    one, other = await pool.members(2)
    await pool.update_filters(one, min_age=40)
    assert await pool.get_filters(other) == ANYONE
