"""The members on the cards: those who share the most come first, and ineligible members never appear."""

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

from tests.integration.discovery.pool import FRIEND, PARTNER, Pool, later, new_id
from tests.support import refusal

MINE = ("chess", "hiking", "singing")
OTHERS = ("poetry", "running")


async def first_shown(pool: Pool, member: Caller) -> list[str]:
    return await pool.shown(member, (await pool.refresh(member)).batch)


@pytest.fixture
async def me(pool: Pool) -> Caller:
    """A member among six others who share no hobby with them."""
    await pool.members(6, *OTHERS)
    return await pool.member(*MINE)


@pytest.fixture
async def best(pool: Pool, me: Caller) -> Caller:
    """A member who shares all hobbies with me, and so is the first on my cards unless we are kept apart."""
    return await pool.member(*MINE)


@pytest.mark.rule("DI-07")
async def test_members_who_share_more_hobbies_come_before_members_who_share_fewer(pool: Pool, me: Caller) -> None:
    one = await pool.member("chess", "poetry", "running")
    three = await pool.member("singing", "hiking", "chess")
    two = await pool.member("hiking", "running", "chess")
    screen = await pool.refresh(me)
    assert (await pool.shown(me, screen.batch))[:3] == [three.id, two.id, one.id]
    shared = [sorted(hobby.name for hobby in card.hobbies if hobby.shared) for card in screen.batch.cards]
    assert shared == [["Chess", "Hiking", "Singing"], ["Chess", "Hiking"], ["Chess"], [], []]


@pytest.mark.rule("DI-07")
async def test_the_order_among_equals_is_random(pool: Pool) -> None:
    """Four viewers share hobbies with the same twelve members, and none with each other. That all four see the same
    five in the same order has a probability of one in 95040 ** 3. The first three cards are ranked in any case; the
    other two may be drawn from all members.
    """
    viewers = [await pool.member(f"first {number}", f"second {number}") for number in range(4)]
    await pool.members(12, *(f"{which} {number}" for number in range(4) for which in ("first", "second")))
    seen = {tuple(await first_shown(pool, member)) for member in viewers}
    assert len(seen) > 1
    assert not {member.id for member in viewers} & {shown for five in seen for shown in five[:3]}


@pytest.mark.rule("DI-07")
async def test_the_best_candidate_is_the_first_card(pool: Pool, me: Caller, best: Caller) -> None:
    """A control: it shows that the tests below can fail."""
    assert (await first_shown(pool, me))[0] == best.id


@pytest.mark.rule("DI-09")
async def test_a_member_is_never_on_their_own_cards(pool: Pool, me: Caller) -> None:
    assert me.id not in await first_shown(pool, me)


@pytest.mark.rule("DI-09")
async def test_a_member_of_other_servers_only_is_never_shown(pool: Pool, me: Caller) -> None:
    elsewhere = await pool.member(*MINE, servers=[FRIEND, SERVER_TYPE_GROWTH])
    assert elsewhere.id not in await first_shown(pool, me)


@pytest.mark.rule("DI-09", "PR-06")
async def test_a_member_who_is_not_discovery_ready_is_never_shown(pool: Pool, me: Caller, best: Caller) -> None:
    await pool.world.superuser.execute(
        "UPDATE discovery.candidates SET discovery_ready = false WHERE user_id = $1", best.user
    )
    assert best.id not in await first_shown(pool, me)


@pytest.mark.rule("DI-09")
@pytest.mark.parametrize(("count", "limit", "shown"), [(1, 1, False), (2, 1, False), (1, 2, True), (0, 1, True)])
async def test_a_member_at_capacity_is_never_shown(
    pool: Pool, me: Caller, best: Caller, count: int, limit: int, shown: bool
) -> None:
    await pool.inventory(best, 1, count=count, limit=limit)
    assert (best.id in await first_shown(pool, me)) is shown


@pytest.mark.rule("DI-09")
@pytest.mark.parametrize(
    ("order", "reason"), [([[0]], "connected"), ([[0], [1]], "ended"), ([[1, 0]], "ended")], ids=str
)
async def test_neither_of_a_connected_or_ended_pair_is_shown_to_the_other(
    world: World, pool: Pool, me: Caller, best: Caller, order: list[list[int]], reason: str
) -> None:
    """In the last case the event of the end is applied before the event of the connection."""
    a, b = sorted((me, best), key=lambda member: member.user)
    connection, stamp = new_id(), await pool.stamp()
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
    assert best.id not in await first_shown(pool, me)
    assert me.id not in await first_shown(pool, best)
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
async def test_a_pending_interest_hides_its_receiver_from_its_sender_and_changes_nothing_for_the_receiver(
    world: World, pool: Pool, me: Caller, best: Caller
) -> None:
    await world.publish(await sent(pool, new_id(), me, best))
    assert best.id not in await first_shown(pool, me)
    assert (await first_shown(pool, best))[0] == me.id


@pytest.mark.rule("DI-09", "MA-04")
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_wiped_interest_hides_no_member_in_any_order_of_its_events(
    world: World, pool: Pool, me: Caller, best: Caller, order: tuple[int, int]
) -> None:
    interest = new_id()
    events = (
        await sent(pool, interest, me, best),
        await closed(pool, interest, me, best, INTEREST_CLOSURE_WIPED),
    )
    for index in order:
        await world.publish(events[index])
    assert (await first_shown(pool, me))[0] == best.id


@pytest.mark.rule("DI-09")
async def test_a_matched_interest_keeps_the_pair_apart_before_the_event_of_the_connection(
    world: World, pool: Pool, me: Caller, best: Caller
) -> None:
    interest = new_id()
    await world.publish(
        await sent(pool, interest, me, best),
        await closed(pool, interest, me, best, INTEREST_CLOSURE_MATCHED),
    )
    assert best.id not in await first_shown(pool, me)


@pytest.mark.rule("DI-09")
async def test_if_one_of_two_interests_is_wiped_the_other_still_counts(
    world: World, pool: Pool, me: Caller, best: Caller
) -> None:
    one, other = new_id(), new_id()
    await world.publish(
        await sent(pool, one, me, best),
        await sent(pool, other, me, best),
        await closed(pool, one, me, best, INTEREST_CLOSURE_WIPED),
    )
    assert best.id not in await first_shown(pool, me)


@pytest.mark.rule("DI-09")
async def test_a_shown_member_is_not_shown_again_for_seven_days_in_any_server(pool: Pool) -> None:
    me = await pool.member()
    await pool.members(10)
    first = await first_shown(pool, me)
    second = await pool.shown(me, (await pool.refresh(me)).batch)
    assert not set(first) & set(second)
    assert (await refusal(pool.refresh(me, FRIEND))).reason == "POOL_TOO_SMALL"
    await pool.world.move_clock(timedelta(days=7))
    assert set(await pool.shown(me, (await pool.refresh(me)).batch)) == set(first)


@pytest.mark.rule("DI-09", "DI-03")
async def test_a_member_of_the_replaced_batch_is_not_in_the_next_one_however_old_it_is(pool: Pool) -> None:
    me = await pool.member()
    await pool.members(9)
    await pool.refresh(me)
    await pool.world.move_clock(timedelta(days=30))
    assert (await refusal(pool.refresh(me))).reason == "POOL_TOO_SMALL"
    (tenth,) = await pool.members(1)
    assert tenth.id in await pool.shown(me, (await pool.refresh(me)).batch)
