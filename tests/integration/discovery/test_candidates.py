"""Who is on the cards: the most alike first, and never those who must not be."""

from __future__ import annotations

from datetime import timedelta

import pytest
from unora.common.v1.types_pb2 import SERVER_TYPE_GROWTH
from unora.matching.v1.events_pb2 import (
    INTEREST_CLOSURE_MATCHED,
    INTEREST_CLOSURE_WIPED,
    ConnectionEnded,
    ConnectionFormed,
    InterestClosed,
    InterestClosure,
    InterestSent,
)
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import FRIEND, PARTNER, Pool, an_id, later
from tests.support import refusal

MINE = ("chess", "hiking", "singing")
OTHERS = ("poetry", "running")


async def first_shown(pool: Pool, who: Caller) -> list[str]:
    return await pool.shown(who, (await pool.refresh(who)).batch)


@pytest.fixture
async def me(pool: Pool) -> Caller:
    """A member among six who share nothing with them."""
    await pool.members(6, *OTHERS)
    return await pool.member(*MINE)


@pytest.fixture
async def star(pool: Pool, me: Caller) -> Caller:
    """Who shares all hobbies with me, and so is the first on my cards unless something keeps us apart."""
    return await pool.member(*MINE)


@pytest.mark.rule("DI-07")
async def test_who_shares_more_hobbies_stands_before_who_shares_fewer(pool: Pool, me: Caller) -> None:
    one = await pool.member("chess", "poetry", "running")
    three = await pool.member("singing", "hiking", "chess")
    two = await pool.member("hiking", "running", "chess")
    screen = await pool.refresh(me)
    assert (await pool.shown(me, screen.batch))[:3] == [three.id, two.id, one.id]
    shared = [sorted(hobby.name for hobby in card.hobbies if hobby.shared) for card in screen.batch.cards]
    assert shared == [["Chess", "Hiking", "Singing"], ["Chess", "Hiking"], ["Chess"], [], []]


@pytest.mark.rule("DI-07")
async def test_among_equals_chance_decides(pool: Pool) -> None:
    """Four viewers, alike to the same twelve and not to each other: the same five in the same order for all would
    be one in 95040 ** 3. The first three are of the best in any case; who is drawn beside them may be anybody.
    """
    viewers = [await pool.member(f"first {number}", f"second {number}") for number in range(4)]
    await pool.members(12, *(f"{which} {number}" for number in range(4) for which in ("first", "second")))
    seen = {tuple(await first_shown(pool, who)) for who in viewers}
    assert len(seen) > 1
    assert not {who.id for who in viewers} & {shown for five in seen for shown in five[:3]}


@pytest.mark.rule("DI-07")
async def test_nothing_keeps_the_star_away(pool: Pool, me: Caller, star: Caller) -> None:
    """So that the tests below can fail."""
    assert (await first_shown(pool, me))[0] == star.id


@pytest.mark.rule("DI-09")
async def test_never_oneself(pool: Pool, me: Caller) -> None:
    assert me.id not in await first_shown(pool, me)


@pytest.mark.rule("DI-09")
async def test_never_a_member_of_other_servers_only(pool: Pool, me: Caller) -> None:
    elsewhere = await pool.member(*MINE, servers=[FRIEND, SERVER_TYPE_GROWTH])
    assert elsewhere.id not in await first_shown(pool, me)


@pytest.mark.rule("DI-09", "PR-06")
async def test_never_who_is_not_discovery_ready(pool: Pool, me: Caller, star: Caller) -> None:
    await pool.world.superuser.execute(
        "UPDATE discovery.candidates SET discovery_ready = false WHERE user_id = $1", star.user
    )
    assert star.id not in await first_shown(pool, me)


@pytest.mark.rule("DI-09")
@pytest.mark.parametrize(("count", "limit", "shown"), [(1, 1, False), (2, 1, False), (1, 2, True), (0, 1, True)])
async def test_never_who_is_at_capacity(
    pool: Pool, me: Caller, star: Caller, count: int, limit: int, shown: bool
) -> None:
    await pool.inventory(star, 1, count=count, limit=limit)
    assert (star.id in await first_shown(pool, me)) is shown


@pytest.mark.rule("DI-09")
@pytest.mark.parametrize(
    ("order", "reason"), [([[0]], "connected"), ([[0], [1]], "ended"), ([[1, 0]], "ended")], ids=str
)
async def test_never_who_is_or_was_connected_and_neither_to_the_other(
    world: World, pool: Pool, me: Caller, star: Caller, order: list[list[int]], reason: str
) -> None:
    """In the last case the ending is applied before the beginning."""
    a, b = sorted((me, star), key=lambda member: member.user)
    connection, stamp = an_id(), await pool.stamp()
    events = [
        kind(
            connection_id=connection,
            version=version,
            user_a_id=a.id,
            user_b_id=b.id,
            server_type=PARTNER,
            occurred_at=stamp,
        )
        for version, kind in ((1, ConnectionFormed), (2, ConnectionEnded))
    ]
    for together in order:
        await world.publish(*(events[index] for index in together))
    assert star.id not in await first_shown(pool, me)
    assert me.id not in await first_shown(pool, star)
    assert [row["reason"] for row in await pool.rows("exclusions", me.user)] == [reason]


async def sent(pool: Pool, interest: str, sender: Caller, receiver: Caller) -> InterestSent:
    return InterestSent(
        interest_id=interest,
        version=1,
        sender_id=sender.id,
        receiver_id=receiver.id,
        server_type=PARTNER,
        occurred_at=(now := await pool.stamp()),
        expires_at=later(now, timedelta(days=14)),
    )


async def closed(
    pool: Pool, interest: str, sender: Caller, receiver: Caller, why: InterestClosure.ValueType
) -> InterestClosed:
    return InterestClosed(
        interest_id=interest,
        version=2,
        sender_id=sender.id,
        receiver_id=receiver.id,
        server_type=PARTNER,
        closure=why,
        occurred_at=await pool.stamp(),
    )


@pytest.mark.rule("DI-09", "MA-10")
async def test_an_interest_that_pends_hides_its_receiver_from_its_sender_and_changes_nothing_for_the_receiver(
    world: World, pool: Pool, me: Caller, star: Caller
) -> None:
    await world.publish(await sent(pool, an_id(), me, star))
    assert star.id not in await first_shown(pool, me)
    assert (await first_shown(pool, star))[0] == me.id


@pytest.mark.rule("DI-09", "MA-04")
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_wiped_interest_hides_nobody_in_whatever_order_it_is_heard_of(
    world: World, pool: Pool, me: Caller, star: Caller, order: tuple[int, int]
) -> None:
    interest = an_id()
    events = (await sent(pool, interest, me, star), await closed(pool, interest, me, star, INTEREST_CLOSURE_WIPED))
    for index in order:
        await world.publish(events[index])
    assert (await first_shown(pool, me))[0] == star.id


@pytest.mark.rule("DI-09")
async def test_an_interest_that_matched_keeps_the_pair_apart_before_the_connection_is_heard_of(
    world: World, pool: Pool, me: Caller, star: Caller
) -> None:
    interest = an_id()
    await world.publish(
        await sent(pool, interest, me, star), await closed(pool, interest, me, star, INTEREST_CLOSURE_MATCHED)
    )
    assert star.id not in await first_shown(pool, me)


@pytest.mark.rule("DI-09")
async def test_one_of_two_interests_wiped_leaves_the_other(world: World, pool: Pool, me: Caller, star: Caller) -> None:
    one, other = an_id(), an_id()
    await world.publish(
        await sent(pool, one, me, star),
        await sent(pool, other, me, star),
        await closed(pool, one, me, star, INTEREST_CLOSURE_WIPED),
    )
    assert star.id not in await first_shown(pool, me)


@pytest.mark.rule("DI-09")
async def test_who_was_shown_is_not_shown_again_for_seven_days_in_any_server(pool: Pool) -> None:
    me = await pool.member()
    await pool.members(10)
    first = await first_shown(pool, me)
    second = await pool.shown(me, (await pool.refresh(me)).batch)
    assert not set(first) & set(second)
    assert (await refusal(pool.refresh(me, FRIEND))).reason == "POOL_TOO_SMALL"
    await pool.world.move_clock(timedelta(days=7))
    assert set(await pool.shown(me, (await pool.refresh(me)).batch)) == set(first)


@pytest.mark.rule("DI-09", "DI-03")
async def test_who_was_on_the_cards_until_now_is_not_on_the_next_however_long_ago_they_were_made(pool: Pool) -> None:
    me = await pool.member()
    await pool.members(9)
    await pool.refresh(me)
    await pool.world.move_clock(timedelta(days=30))
    assert (await refusal(pool.refresh(me))).reason == "POOL_TOO_SMALL"
    (tenth,) = await pool.members(1)
    assert tenth.id in await pool.shown(me, (await pool.refresh(me)).batch)
