"""Who is kept apart by blocks, interests and standing, however the messages come (DI-09, MA-11, MA-12, SA-08)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import asyncpg
import pytest
from google.protobuf.message import Message
from unora.matching.v1.events_pb2 import (
    INTEREST_CLOSURE_EXPIRED,
    INTEREST_CLOSURE_VOID,
    INTEREST_CLOSURE_WIPED,
    INTEREST_CLOSURE_WITHDRAWN,
    ConnectionEnded,
    InterestClosed,
    InterestClosure,
    InterestSent,
)
from unora.safety.v1.events_pb2 import MemberBlocked, MemberUnblocked
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import FRIEND, PARTNER, Pool, an_id, later
from tests.roles import role_of
from tests.support import refusal

MINE = ("chess", "hiking", "singing")


@pytest.fixture
async def me(pool: Pool) -> Caller:
    """A member among eleven who share nothing with them."""
    await pool.members(11, "poetry", "running")
    return await pool.member(*MINE)


@pytest.fixture
async def star(pool: Pool, me: Caller) -> Caller:
    """Who is the first on my cards, unless something keeps us apart."""
    return await pool.member(*MINE)


async def sees(pool: Pool, who: Caller, whom: Caller) -> bool:
    """Whether someone is on the next cards of a member."""
    return whom.id in await pool.shown(who, (await pool.refresh(who)).batch)


def lifting(block: MemberBlocked, *, block_id: str = "") -> MemberUnblocked:
    """A second later; of the same block, or of another of the same direction."""
    lifted = MemberUnblocked(
        block_id=block_id or block.block_id,
        version=2,
        blocker_id=block.blocker_id,
        blocked_id=block.blocked_id,
        occurred_at=block.occurred_at,
    )
    lifted.occurred_at.seconds += 1
    return lifted


@pytest.mark.rule("DI-09", "MA-12")
async def test_a_block_hides_each_from_the_other(pool: Pool, me: Caller, star: Caller) -> None:
    await pool.block(me, star)
    assert not await sees(pool, me, star)
    assert not await sees(pool, star, me)


@pytest.mark.rule("DI-09", "MA-12")
async def test_a_block_that_is_lifted_hides_nobody(pool: Pool, me: Caller, star: Caller) -> None:
    await pool.world.publish(lifting(await pool.block(me, star)))
    assert await sees(pool, me, star)
    assert await sees(pool, star, me)


@pytest.mark.rule("DI-09", "MA-12")
async def test_each_of_two_who_block_each_other_has_to_lift_it(pool: Pool, me: Caller, star: Caller) -> None:
    mine, theirs = await pool.block(me, star), await pool.block(star, me)
    await pool.world.publish(lifting(mine))
    assert not await sees(pool, me, star)
    await pool.world.publish(lifting(theirs))
    assert await sees(pool, star, me)


@pytest.mark.rule("DI-09", "MA-12")
async def test_the_lifting_may_be_told_of_another_block_than_the_first(pool: Pool, me: Caller, star: Caller) -> None:
    """Safety tells of the first of a member's blocks of another, and of the end of the last."""
    await pool.world.publish(lifting(await pool.block(me, star), block_id=an_id()))
    assert await sees(pool, me, star)


@pytest.mark.rule("DI-09", "XX-02")
@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
async def test_of_blocks_and_liftings_the_newest_counts_in_whatever_order_they_come(
    pool: Pool, me: Caller, star: Caller, order: Sequence[int]
) -> None:
    first = MemberBlocked(
        block_id=an_id(), version=1, blocker_id=me.id, blocked_id=star.id, occurred_at=await pool.stamp()
    )
    second = MemberBlocked()
    second.CopyFrom(first)
    second.block_id = an_id()
    second.occurred_at.seconds += 2
    told: tuple[Message, ...] = (first, lifting(first), second)
    for index in order:
        await pool.world.publish(told[index])
    assert not await sees(pool, me, star)
    lifted = lifting(second)
    await pool.world.publish(lifted)
    assert await sees(pool, me, star)


@pytest.mark.rule("DI-03", "XX-04")
async def test_who_is_blocked_keeps_the_card_and_learns_nothing(pool: Pool, me: Caller, star: Caller) -> None:
    screen = await pool.refresh(star)
    assert me.id in await pool.shown(star, screen.batch)
    await pool.block(me, star)
    assert await pool.screen(star) == screen


@pytest.mark.rule("DI-09", "DI-03")
async def test_a_block_during_a_refresh_is_before_it_or_after_it(pool: Pool, me: Caller, star: Caller) -> None:
    """Whatever comes first, the next batch is without them, and this one whole."""
    connection, transaction = await pool.hold(me)
    call = asyncio.ensure_future(pool.refresh(me))
    await pool.blocked_calls(1)
    await pool.block(me, star)  # applied while the refresh waits for its lock, so that the search comes after
    await transaction.rollback()
    await connection.close()
    screen = await call
    shown = await pool.shown(me, screen.batch)
    assert len(set(shown)) == 5
    assert star.id not in shown
    assert not await sees(pool, me, star)


@pytest.mark.rule("DI-09", "MA-12")
async def test_a_pair_that_has_ended_is_not_shown_again_when_its_block_is_lifted(
    pool: Pool, me: Caller, star: Caller
) -> None:
    a, b = sorted((me, star), key=lambda member: member.user)
    block = await pool.block(me, star)
    ended = ConnectionEnded(
        connection_id=an_id(),
        version=2,
        user_a_id=a.id,
        user_b_id=b.id,
        server_type=PARTNER,
        ended_by_id=me.id,
        occurred_at=await pool.stamp(),
    )
    await pool.world.publish(ended, lifting(block))
    assert not await sees(pool, me, star)
    assert not await sees(pool, star, me)


# Interests


async def interest(
    pool: Pool, me: Caller, star: Caller, *why: InterestClosure.ValueType, lives: timedelta = timedelta(days=14)
) -> list[Message]:
    """An interest of mine, and how it was closed, each an hour after the one before."""
    now = await pool.stamp()
    sent = InterestSent(
        interest_id=an_id(),
        version=1,
        sender_id=me.id,
        receiver_id=star.id,
        server_type=PARTNER,
        occurred_at=now,
        expires_at=later(now, lives),
    )
    told: list[Message] = [sent]
    for number, closure in enumerate(why, start=1):
        closed = InterestClosed(
            interest_id=sent.interest_id,
            version=number + 1,
            sender_id=me.id,
            receiver_id=star.id,
            server_type=PARTNER,
            closure=closure,
            occurred_at=sent.occurred_at,
        )
        closed.occurred_at.seconds += 3600 * number
        told.append(closed)
    return told


@pytest.mark.rule("DI-09", "MA-11")
@pytest.mark.parametrize(
    ("why", "shown"),
    [
        ((), False),
        ((INTEREST_CLOSURE_WITHDRAWN,), True),
        ((INTEREST_CLOSURE_EXPIRED,), True),
        ((INTEREST_CLOSURE_WIPED,), True),
        ((INTEREST_CLOSURE_VOID,), False),
        ((INTEREST_CLOSURE_VOID, INTEREST_CLOSURE_WITHDRAWN), True),
        ((INTEREST_CLOSURE_VOID, INTEREST_CLOSURE_EXPIRED), True),
        ((INTEREST_CLOSURE_VOID, INTEREST_CLOSURE_WIPED), True),
    ],
)
async def test_who_has_my_interest_comes_back_when_it_looks_over_and_not_before_in_whatever_order_it_is_told(
    pool: Pool, me: Caller, star: Caller, why: tuple[InterestClosure.ValueType, ...], shown: bool
) -> None:
    """A void interest looks pending to me: so must my cards."""
    for order in permutations(range(1 + len(why))):
        told = await interest(pool, me, star, *why)
        for index in order:
            await pool.world.publish(told[index])
    kept = {(row["version"], row["reason"]) for row in await pool.rows("exclusions", me.user)}
    assert kept == {(1 + len(why), "lifted" if shown else "interest_pending")}
    assert await sees(pool, me, star) is shown


@pytest.mark.rule("DI-09", "MA-11")
@pytest.mark.parametrize("why", [(), (INTEREST_CLOSURE_VOID,)], ids=["pending", "void"])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("days", [14, 21])
async def test_a_void_interest_and_one_that_pends_let_the_other_come_back_at_the_same_moment(
    pool: Pool, me: Caller, star: Caller, why: tuple[InterestClosure.ValueType, ...], backwards: bool, days: int
) -> None:
    """When matching said that it expires, though nothing is told of it then; how many days those are is its own."""
    lives = timedelta(days=days)
    told = await interest(pool, me, star, *why, lives=lives)
    for event in reversed(told) if backwards else told:
        await pool.world.publish(event)
    await pool.world.move_clock(lives - timedelta(minutes=5))
    assert not await sees(pool, me, star)
    await pool.world.move_clock(timedelta(minutes=5))
    assert await sees(pool, me, star)


@pytest.mark.rule("DI-09", "MA-11")
async def test_an_interest_that_does_not_say_when_it_expires_is_over_when_that_is_told(
    pool: Pool, me: Caller, star: Caller
) -> None:
    """As a matching of the version before sends it."""
    sent, expired = await interest(pool, me, star, INTEREST_CLOSURE_EXPIRED)
    sent.ClearField("expires_at")
    await pool.world.publish(sent)
    await pool.world.move_clock(timedelta(days=20))
    assert not await sees(pool, me, star)
    await pool.world.publish(expired)
    await pool.world.move_clock(timedelta(days=2))
    assert await sees(pool, me, star)


@pytest.mark.rule("DI-09")
async def test_an_interest_in_one_server_hides_its_receiver_in_all(pool: Pool, me: Caller, star: Caller) -> None:
    await pool.world.publish(*await interest(pool, me, star))
    screen = await pool.refresh(me, FRIEND)
    assert star.id not in await pool.shown(me, screen.batch)


# Standing


@pytest.mark.rule("DI-09", "SA-08", "SA-06")
@pytest.mark.parametrize("why", ["restricted", "suspended"])
async def test_who_is_restricted_or_suspended_is_on_no_cards_until_it_is_lifted(
    pool: Pool, me: Caller, star: Caller, why: str
) -> None:
    await pool.standing(star, 1, **{why: True})
    assert not await sees(pool, me, star)
    await pool.standing(star, 2)
    assert await sees(pool, me, star)


@pytest.mark.rule("DI-09", "XX-02")
async def test_of_a_members_standing_the_newest_counts(pool: Pool, me: Caller, star: Caller) -> None:
    await pool.standing(star, 3)
    await pool.standing(star, 2, restricted=True)
    assert await sees(pool, me, star)


@pytest.mark.rule("SA-03", "SA-08")
async def test_who_is_restricted_sees_what_they_saw_before(pool: Pool, me: Caller, star: Caller) -> None:
    screen = await pool.refresh(star)
    await pool.standing(star, 1, restricted=True, reduced_visibility=True)
    assert await pool.screen(star) == screen
    again = await pool.refresh(star)
    assert len(again.batch.cards) == 5
    assert again.HasField("refresh_available_at")


@pytest.mark.rule("DI-09")
@pytest.mark.parametrize(
    ("sql", "constraint"),
    [
        ("INSERT INTO discovery.member_blocks VALUES ($1, $1, true, clock.now())", "ck_member_blocks_two"),
        (
            """INSERT INTO discovery.waiting_interests
            VALUES (gen_random_uuid(), 1, $1, $1, 'partner', true, clock.now())""",
            "ck_waiting_interests_two",
        ),
        (
            """INSERT INTO discovery.waiting_interests
            VALUES (gen_random_uuid(), 1, $1, gen_random_uuid(), 'elsewhere', true, clock.now())""",
            "fk_waiting_interests_server_type",
        ),
    ],
)
async def test_the_database_refuses_pairs_of_no_meaning(world: World, sql: str, constraint: str) -> None:
    async with role_of(world, "discovery") as role:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
            await role.execute(sql, world.caller().user)
        assert refused.value.constraint_name == constraint


@pytest.mark.rule("DI-09", "DI-02")
async def test_if_too_few_are_left_nothing_is_spent_and_it_is_not_told_why(pool: Pool, me: Caller) -> None:
    await pool.empty()
    who, *others = [await pool.member() for _ in range(7)]
    await pool.block(who, others[0])
    await pool.standing(others[1], 1, suspended=True)
    found = await refusal(pool.refresh(who))
    assert (found.reason, found.metadata) == ("POOL_TOO_SMALL", {})
    assert (await pool.rows("refresh_timers", who.user))[0]["version"] == 0
