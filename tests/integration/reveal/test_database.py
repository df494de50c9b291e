"""The rules that the database itself enforces, tried by direct SQL in the role of the service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeAlias

import asyncpg
import pytest
from unora_common.ids import uuid7
from unora_testing.world import World

from tests.integration.reveal.reveal_pair import RevealPair, make_reveal_pair
from tests.roles import role_of, without_triggers

Sql: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
SET = "UPDATE reveal.reveals SET reveal_status = $2, completed_days = $3, unlocked_at = $4 WHERE id = $1"
PURCHASE = "INSERT INTO reveal.purchases (payment_id, reveal_id, given, decided_at) VALUES ($1, $2, $3, clock.now())"
TEXT = """{"title": "A", "text": "B"}"""


@pytest.fixture
async def sql(world: World) -> AsyncIterator[Sql]:
    """A connection in the role of the service."""
    async with role_of(world, "reveal") as connection:
        yield connection


@pytest.fixture
async def pair(world: World) -> RevealPair:
    return await make_reveal_pair(world)


async def refused(sql: Sql, rule: str, statement: str, *arguments: object) -> None:
    """The statement violates this rule, and changes nothing."""
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as caught:
        await _attempt(sql, statement, *arguments)
    assert caught.value.constraint_name == rule


async def _attempt(sql: Sql, statement: str, *arguments: object) -> None:
    async with sql.transaction():
        await sql.execute(statement, *arguments)


@pytest.mark.rule("RE-02", "RE-11")
async def test_the_milestones_are_fifteen_rows_that_the_service_cannot_change(sql: Sql) -> None:
    rows = await sql.fetch("SELECT * FROM reveal.reveal_milestones ORDER BY tier, reveal_number")
    days: dict[str, list[int | None]] = {
        "free": [5, 10, None, None, 15],
        "plus": [4, 8, 12, None, 15],
        "pro": [3, 6, 9, 12, 15],
    }
    assert [tuple(row) for row in rows] == [
        (tier, number, day) for tier in days for number, day in enumerate(days[tier], 1)
    ]
    for statement in (
        "UPDATE reveal.reveal_milestones SET reveal_day_required = 1",
        "DELETE FROM reveal.reveal_milestones",
        "INSERT INTO reveal.reveal_milestones VALUES ('gold', 1, 1)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await sql.execute(statement)


@pytest.mark.rule("RE-04")
async def test_no_milestone_brings_the_identity_sooner(world: World) -> None:
    async with role_of(world, "reveal_owner") as owner:
        for day in (14, None):
            await refused(
                owner,
                "ck_reveal_milestones_identity_is_day_15",
                "UPDATE reveal.reveal_milestones SET reveal_day_required = $1 WHERE reveal_number = 5",
                day,
            )


@pytest.mark.rule("RE-01")
async def test_a_member_has_five_reveals_and_no_more(pair: RevealPair, sql: Sql) -> None:
    insert = """INSERT INTO reveal.reveals (id, streak_id, connection_id, user_id, partner_id, reveal_number)
                VALUES ($1, $2, $3, $4, $5, $6)"""
    ids = (pair.streak_id, pair.connection_id, pair.a.user, pair.b.user)
    for number in (0, 6):
        await refused(sql, "ck_reveals_reveal_number", insert, uuid7(), *ids, number)
    for number in range(1, 6):
        await refused(sql, "uq_reveals_streak_id_user_id_reveal_number", insert, uuid7(), *ids, number)


@pytest.mark.rule("RE-11")
@pytest.mark.parametrize("status", ["earned", "purchased", "unlocked", "given"])
async def test_a_reveal_begins_locked(pair: RevealPair, sql: Sql, status: str) -> None:
    await refused(
        sql,
        "reveal_transition",
        """INSERT INTO reveal.reveals
               (id, streak_id, connection_id, user_id, partner_id, reveal_number, reveal_status, completed_days)
           VALUES ($1, $2, $3, $4, $5, 1, $6, 15)""",
        *(uuid7(), pair.streak_id, pair.connection_id, pair.a.user, pair.b.user, status),
    )


@pytest.mark.rule("RE-11")
async def test_a_status_changes_one_step_forward_only(pair: RevealPair, sql: Sql) -> None:
    await pair.apply(pair.day_completed(10))
    now = await pair.world.now()
    first, second, fourth = [(await pair.stored_reveal(pair.a, number))["id"] for number in (1, 2, 4)]
    for status in ("locked", "purchased"):
        await refused(sql, "reveal_transition", SET, first, status, 10, None)
    await refused(sql, "reveal_transition", SET, fourth, "unlocked", 10, now)
    await pair.set_tier(pair.a, "plus")
    async with sql.transaction():
        await sql.execute(PURCHASE, uuid7(), fourth, True)
        await sql.execute(SET, fourth, "purchased", 10, None)
    await refused(sql, "reveal_transition", SET, fourth, "earned", 10, None)
    for opened in (first, second, fourth):
        await sql.execute(SET, opened, "unlocked", 10, now)
        for status in ("locked", "earned", "purchased"):
            await refused(sql, "reveal_transition", SET, opened, status, 10, None)


@pytest.mark.rule("RE-02", "RE-03", "RE-11")
async def test_a_reveal_is_not_earned_without_its_days_and_tier(pair: RevealPair, sql: Sql) -> None:
    await pair.set_tier(pair.b, "pro")
    await pair.apply(pair.day_completed(9))
    second, third = (await pair.stored_reveal(pair.a, 2))["id"], (await pair.stored_reveal(pair.a, 3))["id"]
    await refused(sql, "reveal_unearned", SET, second, "earned", 9, None)  # the milestone is 10
    await refused(sql, "reveal_unearned", SET, second, "earned", 10, None)  # which the pair has not reached
    await refused(sql, "reveal_unearned", SET, third, "earned", 9, None)  # pro earns it, and only the other is pro
    assert await pair.statuses(pair.b) == ["EARNED", "EARNED", "EARNED", "LOCKED", "LOCKED"]


@pytest.mark.rule("RE-04")
async def test_the_identity_is_neither_earned_before_day_15_nor_bought(pair: RevealPair, sql: Sql) -> None:
    for tier in ("free", "plus", "pro"):
        await pair.set_tier(pair.a, tier)
        await pair.apply(pair.day_completed(14))
        identity = (await pair.stored_reveal(pair.a, 5))["id"]
        for days in range(16):
            await refused(sql, "reveal_unearned", SET, identity, "earned", days, None)
        await refused(sql, "reveal_unearned", SET, identity, "purchased", 15, None)
        await refused(sql, "reveal_not_for_sale", SET, identity, "purchased", 14, None)
    await pair.apply(pair.streak_completed())
    assert (await pair.stored_reveal(pair.b, 5))["reveal_status"] == "earned"


@pytest.mark.rule("RE-04")
async def test_the_check_alone_refuses_the_identity(pair: RevealPair, world: World) -> None:
    """Also without the triggers."""
    identity = (await pair.stored_reveal(pair.a, 5))["id"]
    check = "ck_reveals_identity_needs_day_15"
    async with without_triggers(world.superuser):
        for status, days, at in (("earned", 14, None), ("purchased", 15, None), ("unlocked", 0, await world.now())):
            await refused(world.superuser, check, SET, identity, status, days, at)
        with pytest.raises(asyncpg.NotNullViolationError):
            await _attempt(world.superuser, SET, identity, "earned", None, None)


@pytest.mark.rule("RE-08", "RE-10")
async def test_days_never_decrease_and_an_end_is_never_undone(pair: RevealPair, sql: Sql) -> None:
    await pair.apply(pair.day_completed(5))
    where = "WHERE connection_id = $1"
    await refused(sql, "pair_days_fall", f"UPDATE reveal.pairs SET completed_days = 4 {where}", pair.connection_id)
    await pair.apply(pair.connection_ended())
    for change in ("ended_at = NULL", "completed_days = 15", "ended_at = clock.now() + interval '1 day'"):
        await refused(sql, "pair_ended", f"UPDATE reveal.pairs SET {change} {where}", pair.connection_id)
    await refused(sql, "pair_fixed", f"UPDATE reveal.pairs SET streak_id = NULL {where}", pair.connection_id)
    async with role_of(pair.world, "reveal_owner") as owner:
        await refused(owner, "pair_kept", f"DELETE FROM reveal.pairs {where}", pair.connection_id)


@pytest.mark.rule("RE-10")
async def test_no_reveal_changes_after_the_end(pair: RevealPair, sql: Sql) -> None:
    await pair.apply(pair.day_completed(5), pair.connection_ended())
    first, second = (await pair.stored_reveal(pair.a, 1))["id"], (await pair.stored_reveal(pair.a, 2))["id"]
    await refused(sql, "reveal_after_end", SET, first, "unlocked", 5, await pair.world.now())
    await refused(sql, "reveal_after_end", SET, second, "purchased", 5, None)


@pytest.mark.rule("RE-03", "RE-11")
async def test_a_reveal_keeps_its_member_its_number_and_its_days(pair: RevealPair, sql: Sql) -> None:
    await pair.apply(pair.day_completed(5))
    first = (await pair.stored_reveal(pair.a, 1))["id"]
    for change in ("user_id = partner_id, partner_id = user_id", "reveal_number = 2", "completed_days = 15"):
        await refused(sql, "reveal_fixed", f"UPDATE reveal.reveals SET {change} WHERE id = $1", first)


@pytest.mark.rule("RE-05", "RE-11")
async def test_a_reveal_is_bought_only_if_it_is_for_sale_the_lowest_and_paid(pair: RevealPair, sql: Sql) -> None:
    third, fourth = (await pair.stored_reveal(pair.a, 3))["id"], (await pair.stored_reveal(pair.a, 4))["id"]
    first = (await pair.stored_reveal(pair.a, 1))["id"]
    buy = "UPDATE reveal.reveals SET reveal_status = 'purchased' WHERE id = $1"
    for wrong in (first, fourth):
        await refused(sql, "reveal_not_for_sale", buy, wrong)
    await refused(sql, "reveal_unpaid", buy, third)
    await sql.execute(PURCHASE, uuid7(), third, False)
    await refused(sql, "reveal_unpaid", buy, third)
    await pair.set_tier(pair.a, "pro")
    await refused(sql, "reveal_not_for_sale", buy, third)


@pytest.mark.rule("BI-11")
async def test_the_outcome_of_a_payment_is_decided_once_and_must_be_true(pair: RevealPair, sql: Sql) -> None:
    third = (await pair.stored_reveal(pair.a, 3))["id"]
    await refused(sql, "purchase_given", PURCHASE, uuid7(), third, True)
    payment = pair.payment_succeeded(pair.a, 3)
    await pair.apply(payment)
    await refused(sql, "pk_purchases", PURCHASE, payment.payment_id, third, False)
    await refused(sql, "uq_purchases_one_given_per_reveal", PURCHASE, uuid7(), third, True)
    async with role_of(pair.world, "reveal_owner") as owner:
        for statement in ("UPDATE reveal.purchases SET given = false", "DELETE FROM reveal.purchases"):
            await refused(owner, "purchase_fixed", f"{statement} WHERE reveal_id = $1", third)
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await _attempt(sql, f"{statement} WHERE reveal_id = $1", third)


CONTENT = "INSERT INTO reveal.reveal_contents VALUES ($1, $2, $3, $4, clock.now())"


@pytest.mark.rule("RE-04", "RE-06")
async def test_the_identity_has_no_stored_content_but_photo_ids(pair: RevealPair, sql: Sql) -> None:
    await pair.apply(pair.streak_completed())
    identity, first = (await pair.stored_reveal(pair.a, 5))["id"], (await pair.stored_reveal(pair.a, 1))["id"]
    now = await pair.world.now()
    await refused(sql, "content_of_unlocked", CONTENT, first, 1, TEXT, None)
    for opened in (identity, first):
        await sql.execute(SET, opened, "unlocked", 15, now)
    never = "ck_reveal_contents_identity_is_never_stored"
    await refused(sql, never, CONTENT, identity, 5, TEXT, None)
    await refused(sql, never, CONTENT, identity, 5, TEXT, [uuid7()])
    await refused(sql, never, CONTENT, identity, 5, None, None)
    await refused(sql, never, CONTENT, first, 1, TEXT, [uuid7()])
    await refused(sql, "fk_reveal_contents_reveal_id_reveal_number", CONTENT, identity, 1, TEXT, None)
    for odd in ('{"title": "A"}', '{"title": "A", "text": "B", "name": "C"}', '{"title": 1, "text": "B"}', '"A"'):
        await refused(sql, "ck_reveal_contents_content_json", CONTENT, first, 1, odd, None)


@pytest.mark.rule("RE-09", "RE-12")
async def test_stored_content_is_not_changed(pair: RevealPair, sql: Sql) -> None:
    await pair.apply(pair.streak_completed())
    now = await pair.world.now()
    identity, first = (await pair.stored_reveal(pair.a, 5))["id"], (await pair.stored_reveal(pair.a, 1))["id"]
    for opened, number, text, photos in ((identity, 5, None, [uuid7()]), (first, 1, TEXT, None)):
        await sql.execute(SET, opened, "unlocked", 15, now)
        await sql.execute(CONTENT, opened, number, text, photos)
    other = '{"title": "A", "text": "C"}'
    where = "WHERE reveal_id = $1"
    await refused(sql, "content_fixed", f"UPDATE reveal.reveal_contents SET content_json = $2 {where}", first, other)
    await refused(sql, "content_fixed", f"UPDATE reveal.reveal_contents SET photo_ids = '{{}}' {where}", identity)
    await refused(sql, "pk_reveal_contents", CONTENT, first, 1, other, None)


@pytest.mark.rule("XX-05")
async def test_the_read_path_of_the_requirement_runs_as_it_stands(pair: RevealPair, sql: Sql) -> None:
    await pair.apply(pair.day_completed(5))
    rows = await sql.fetch(
        """SELECT r.reveal_number, r.reveal_status, r.unlocked_at, rm.reveal_day_required,
               CASE WHEN r.reveal_status = 'unlocked' THEN rc.content_json ELSE NULL END AS content
           FROM reveal.reveals r
           JOIN reveal.reveal_milestones rm ON rm.reveal_number = r.reveal_number AND rm.tier = $1
           LEFT JOIN reveal.reveal_contents rc ON rc.reveal_id = r.id
           WHERE r.streak_id = $2 AND r.user_id = $3 ORDER BY 1""",
        *("free", pair.streak_id, pair.a.user),
    )
    assert [tuple(row) for row in rows] == [
        (1, "earned", None, 5, None),
        (2, "locked", None, 10, None),
        (3, "locked", None, None, None),
        (4, "locked", None, None, None),
        (5, "locked", None, 15, None),
    ]
