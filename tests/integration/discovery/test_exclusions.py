"""Members kept apart by blocks, interests and restrictions, in any order of the events (DI-09, MA-11, MA-12, SA-08)."""

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

from tests.integration.discovery.pool import FRIEND, PARTNER, Pool, later, new_id
from tests.roles import role_of
from tests.support import refusal

MINE = ("chess", "hiking", "singing")


@pytest.fixture
async def me(pool: Pool) -> Caller:
    """A member among eleven others who share no hobby with them."""
    await pool.members(11, "poetry", "running")
    return await pool.member(*MINE)


@pytest.fixture
async def best(pool: Pool, me: Caller) -> Caller:
    """The member who is the first on my cards, unless we are kept apart."""
    return await pool.member(*MINE)


async def is_shown(pool: Pool, member: Caller, other: Caller) -> bool:
    """Whether the second member is on the next cards of the first."""
    return other.id in await pool.shown(member, (await pool.refresh(member)).batch)


def lifting(block: MemberBlocked, *, block_id: str = "") -> MemberUnblocked:
    """The event that lifts the block a second later, or another block of the same direction."""
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
async def test_a_block_hides_each_from_the_other(pool: Pool, me: Caller, best: Caller) -> None:
    await pool.block(me, best)
    assert not await is_shown(pool, me, best)
    assert not await is_shown(pool, best, me)


@pytest.mark.rule("DI-09", "MA-12")
async def test_a_block_that_is_lifted_hides_no_member(pool: Pool, me: Caller, best: Caller) -> None:
    await pool.world.publish(lifting(await pool.block(me, best)))
    assert await is_shown(pool, me, best)
    assert await is_shown(pool, best, me)


@pytest.mark.rule("DI-09", "MA-12")
async def test_if_two_members_block_each_other_both_must_lift_it(pool: Pool, me: Caller, best: Caller) -> None:
    mine, theirs = await pool.block(me, best), await pool.block(best, me)
    await pool.world.publish(lifting(mine))
    assert not await is_shown(pool, me, best)
    await pool.world.publish(lifting(theirs))
    assert await is_shown(pool, best, me)


@pytest.mark.rule("DI-09", "MA-12")
async def test_the_lifting_of_another_block_than_the_first_counts(pool: Pool, me: Caller, best: Caller) -> None:
    """Safety publishes the first block of one member by another, and the lifting of the last."""
    await pool.world.publish(lifting(await pool.block(me, best), block_id=new_id()))
    assert await is_shown(pool, me, best)


@pytest.mark.rule("DI-09", "XX-02")
@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
async def test_of_blocks_and_liftings_the_newest_counts_in_any_order(
    pool: Pool, me: Caller, best: Caller, order: Sequence[int]
) -> None:
    first = MemberBlocked(
        block_id=new_id(), version=1, blocker_id=me.id, blocked_id=best.id, occurred_at=await pool.stamp()
    )
    second = MemberBlocked()
    second.CopyFrom(first)
    second.block_id = new_id()
    second.occurred_at.seconds += 2
    events: tuple[Message, ...] = (first, lifting(first), second)
    for index in order:
        await pool.world.publish(events[index])
    assert not await is_shown(pool, me, best)
    lifted = lifting(second)
    await pool.world.publish(lifted)
    assert await is_shown(pool, me, best)


@pytest.mark.rule("DI-03", "XX-04")
async def test_a_blocked_member_keeps_the_card_and_learns_nothing(pool: Pool, me: Caller, best: Caller) -> None:
    screen = await pool.refresh(best)
    assert me.id in await pool.shown(best, screen.batch)
    await pool.block(me, best)
    assert await pool.screen(best) == screen


@pytest.mark.rule("DI-09", "DI-03")
async def test_a_block_during_a_refresh_is_before_it_or_after_it(pool: Pool, me: Caller, best: Caller) -> None:
    """This batch is complete, and the blocked member is not in the next one."""
    connection, transaction = await pool.lock_timer(me)
    call = asyncio.ensure_future(pool.refresh(me))
    await pool.wait_for_blocked_calls(1)
    await pool.block(me, best)  # applied while the refresh waits for its lock, so before its search
    await transaction.rollback()
    await connection.close()
    screen = await call
    shown = await pool.shown(me, screen.batch)
    assert len(set(shown)) == 5
    assert best.id not in shown
    assert not await is_shown(pool, me, best)


@pytest.mark.rule("DI-09", "MA-12")
async def test_a_pair_that_has_ended_is_not_shown_again_when_its_block_is_lifted(
    pool: Pool, me: Caller, best: Caller
) -> None:
    a, b = sorted((me, best), key=lambda member: member.user)
    block = await pool.block(me, best)
    ended = ConnectionEnded(
        connection_id=new_id(),
        version=2,
        user_a_id=a.id,
        user_b_id=b.id,
        server_type=PARTNER,
        ended_by_id=me.id,
        occurred_at=await pool.stamp(),
    )
    await pool.world.publish(ended, lifting(block))
    assert not await is_shown(pool, me, best)
    assert not await is_shown(pool, best, me)


# Interests


async def interest(
    pool: Pool,
    me: Caller,
    best: Caller,
    *why: InterestClosure.ValueType,
    lives: timedelta = timedelta(days=14),
) -> list[Message]:
    """The events of an interest of mine: its sending, then its closures, with an hour between them."""
    now = await pool.stamp()
    sent = InterestSent(
        interest_id=new_id(),
        version=1,
        sender_id=me.id,
        receiver_id=best.id,
        server_type=PARTNER,
        occurred_at=now,
        expires_at=later(now, lives),
    )
    events: list[Message] = [sent]
    for number, closure in enumerate(why, start=1):
        closed = InterestClosed(
            interest_id=sent.interest_id,
            version=number + 1,
            sender_id=me.id,
            receiver_id=best.id,
            server_type=PARTNER,
            closure=closure,
            occurred_at=sent.occurred_at,
        )
        closed.occurred_at.seconds += 3600 * number
        events.append(closed)
    return events


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
async def test_the_receiver_of_my_interest_is_shown_again_when_it_looks_closed_in_any_order_of_its_events(
    pool: Pool, me: Caller, best: Caller, why: tuple[InterestClosure.ValueType, ...], shown: bool
) -> None:
    """A void interest looks pending to me, so my cards must not differ."""
    for order in permutations(range(1 + len(why))):
        events = await interest(pool, me, best, *why)
        for index in order:
            await pool.world.publish(events[index])
    kept = {(row["version"], row["reason"]) for row in await pool.rows("exclusions", me.user)}
    assert kept == {(1 + len(why), "lifted" if shown else "interest_pending")}
    assert await is_shown(pool, me, best) is shown


@pytest.mark.rule("DI-09", "MA-11")
@pytest.mark.parametrize("why", [(), (INTEREST_CLOSURE_VOID,)], ids=["pending", "void"])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("days", [14, 21])
async def test_after_a_void_and_a_pending_interest_the_receiver_is_shown_again_at_the_same_time(
    pool: Pool,
    me: Caller,
    best: Caller,
    why: tuple[InterestClosure.ValueType, ...],
    backwards: bool,
    days: int,
) -> None:
    """At the expiry time that matching sent, without another event. The number of days is matching's decision."""
    lives = timedelta(days=days)
    events = await interest(pool, me, best, *why, lives=lives)
    for event in reversed(events) if backwards else events:
        await pool.world.publish(event)
    await pool.world.move_clock(lives - timedelta(minutes=5))
    assert not await is_shown(pool, me, best)
    await pool.world.move_clock(timedelta(minutes=5))
    assert await is_shown(pool, me, best)


@pytest.mark.rule("DI-09", "MA-11")
async def test_an_interest_without_an_expiry_time_ends_with_the_event_of_its_closing(
    pool: Pool, me: Caller, best: Caller
) -> None:
    """As an earlier version of matching sends it."""
    sent, expired = await interest(pool, me, best, INTEREST_CLOSURE_EXPIRED)
    sent.ClearField("expires_at")
    await pool.world.publish(sent)
    await pool.world.move_clock(timedelta(days=20))
    assert not await is_shown(pool, me, best)
    await pool.world.publish(expired)
    await pool.world.move_clock(timedelta(days=2))
    assert await is_shown(pool, me, best)


@pytest.mark.rule("DI-09")
async def test_an_interest_in_one_server_hides_its_receiver_in_all(pool: Pool, me: Caller, best: Caller) -> None:
    await pool.world.publish(*await interest(pool, me, best))
    screen = await pool.refresh(me, FRIEND)
    assert best.id not in await pool.shown(me, screen.batch)


# Restrictions


@pytest.mark.rule("DI-09", "SA-08", "SA-06")
@pytest.mark.parametrize("why", ["restricted", "suspended"])
async def test_a_restricted_or_suspended_member_is_on_no_cards_until_it_is_lifted(
    pool: Pool, me: Caller, best: Caller, why: str
) -> None:
    await pool.restrict(best, 1, **{why: True})
    assert not await is_shown(pool, me, best)
    await pool.restrict(best, 2)
    assert await is_shown(pool, me, best)


@pytest.mark.rule("DI-09", "XX-02")
async def test_the_newest_restriction_of_a_member_counts(pool: Pool, me: Caller, best: Caller) -> None:
    await pool.restrict(best, 3)
    await pool.restrict(best, 2, restricted=True)
    assert await is_shown(pool, me, best)


@pytest.mark.rule("SA-03", "SA-08")
async def test_a_restricted_member_sees_the_same_as_before(pool: Pool, me: Caller, best: Caller) -> None:
    screen = await pool.refresh(best)
    await pool.restrict(best, 1, restricted=True, reduced_visibility=True)
    assert await pool.screen(best) == screen
    again = await pool.refresh(best)
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
            "ck_waiting_interests_server_type",
        ),
    ],
)
async def test_the_database_refuses_pairs_without_meaning(world: World, sql: str, constraint: str) -> None:
    async with role_of(world, "discovery") as role:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
            await role.execute(sql, world.caller().user)
        assert refused.value.constraint_name == constraint


@pytest.mark.rule("DI-09", "DI-02")
async def test_if_too_few_are_left_nothing_is_spent_and_the_reason_is_not_revealed(pool: Pool, me: Caller) -> None:
    await pool.empty()
    member, *others = [await pool.member() for _ in range(7)]
    await pool.block(member, others[0])
    await pool.restrict(others[1], 1, suspended=True)
    found = await refusal(pool.refresh(member))
    assert (found.reason, found.metadata) == ("POOL_TOO_SMALL", {})
    assert (await pool.rows("refresh_timers", member.user))[0]["version"] == 0
