"""DI-13: members whose interest waits for the viewer are drawn for cards, and no answer reveals it."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import asyncpg
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from unora.discovery.v1.discovery_service_pb2 import Batch
from unora.matching.v1.events_pb2 import (
    INTEREST_CLOSURE_EXPIRED,
    INTEREST_CLOSURE_MATCHED,
    INTEREST_CLOSURE_VOID,
    INTEREST_CLOSURE_WIPED,
    INTEREST_CLOSURE_WITHDRAWN,
    InterestClosed,
    InterestClosure,
    InterestSent,
)
from unora_discovery.use_cases import batches
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import FRIEND, PARTNER, Pool, Server, later, new_id
from tests.roles import role_of
from tests.support import refusal

MINE = ("chess", "hiking", "singing")
OTHERS = ("poetry", "running")
CLOSURES = (
    INTEREST_CLOSURE_MATCHED,
    INTEREST_CLOSURE_WIPED,
    INTEREST_CLOSURE_VOID,
    INTEREST_CLOSURE_WITHDRAWN,
    INTEREST_CLOSURE_EXPIRED,
)


class Always(Random):
    """Both places are drawn. If no interest waits, they go to the members who share the most."""

    def random(self) -> float:
        return 0.0

    def choice(self, seq: Any) -> Any:
        return max(seq, key=lambda each: each.shares(MINE))


class Never(Random):
    """No place is drawn."""

    def random(self) -> float:
        return 0.999


@pytest.fixture
async def me(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """A member among 31 who share all hobbies with them, so that a member who shares nothing is not ranked."""
    monkeypatch.setattr(batches, "RANDOM", Always(1))
    await pool.members(31, *MINE)
    return await pool.member(*MINE)


@pytest.fixture
async def admirer(pool: Pool, me: Caller) -> Caller:
    """A member who shares no hobby with me."""
    return await pool.member(*OTHERS)


def sent(sender: Caller, receiver: Caller, stamp: Timestamp, server: Server = PARTNER) -> InterestSent:
    return InterestSent(
        interest_id=new_id(),
        version=1,
        sender_id=sender.id,
        receiver_id=receiver.id,
        server_type=server,
        occurred_at=stamp,
        expires_at=later(stamp, timedelta(days=14)),
    )


def closed(interest: InterestSent, why: InterestClosure.ValueType) -> InterestClosed:
    return InterestClosed(
        interest_id=interest.interest_id,
        version=2,
        sender_id=interest.sender_id,
        receiver_id=interest.receiver_id,
        server_type=interest.server_type,
        closure=why,
        occurred_at=interest.occurred_at,
    )


async def send_interest(pool: Pool, sender: Caller, receiver: Caller, server: Server = PARTNER) -> InterestSent:
    """Publishes an interest that waits."""
    interest = sent(sender, receiver, await pool.stamp(), server)
    await pool.world.publish(interest)
    return interest


async def batch(pool: Pool, member: Caller, server: Server = PARTNER) -> tuple[Batch, list[str]]:
    """New cards, and the ids of the members on them."""
    screen = await pool.refresh(member, server)
    return screen.batch, await pool.shown(member, screen.batch)


@pytest.mark.rule("DI-13")
async def test_an_admirer_is_among_the_five_although_others_share_more(pool: Pool, me: Caller, admirer: Caller) -> None:
    await send_interest(pool, admirer, me)
    assert admirer.id in (await batch(pool, me))[1]


@pytest.mark.rule("DI-13")
async def test_without_an_interest_or_without_a_drawn_place_the_member_is_not_shown(
    pool: Pool, me: Caller, admirer: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control: it shows that the other tests can fail."""
    assert admirer.id not in (await batch(pool, me))[1]
    await send_interest(pool, admirer, me)
    monkeypatch.setattr(batches, "RANDOM", Never(1))
    assert admirer.id not in (await batch(pool, me))[1]


@pytest.mark.rule("DI-13")
async def test_two_of_many_admirers_are_shown(pool: Pool, me: Caller) -> None:
    admirers = await pool.members(5, *OTHERS)
    for each in admirers:
        await send_interest(pool, each, me)
    _, shown = await batch(pool, me)
    assert len(set(shown)) == 5
    assert len({each.id for each in admirers} & set(shown)) == 2


@pytest.mark.rule("DI-13", "DI-07", "MA-10")
async def test_the_card_of_an_admirer_has_the_same_fields_and_the_same_order_as_others(
    pool: Pool, me: Caller, admirer: Caller
) -> None:
    await send_interest(pool, admirer, me)
    cards, shown = await batch(pool, me)
    shared = [sum(hobby.shared for hobby in card.hobbies) for card in cards.cards]
    assert shared == sorted(shared, reverse=True)
    theirs = cards.cards[shown.index(admirer.id)]
    for card in cards.cards:
        assert [each.name for each, _ in card.ListFields()] == [each.name for each, _ in theirs.ListFields()]
    row = await pool.world.superuser.fetchrow(
        "SELECT * FROM discovery.discovery_cards WHERE id = $1::text::uuid", theirs.card_id
    )
    assert row is not None
    assert {name for name in row.keys() if "wait" in name or "admir" in name or "interest" in name} == set()  # noqa: SIM118


@pytest.mark.rule("DI-13", "MA-05", "MA-11", "SA-08")
@pytest.mark.parametrize("why", CLOSURES)
@pytest.mark.parametrize("backwards", [False, True])
async def test_a_closed_interest_draws_no_member_in_any_order_of_its_events(
    pool: Pool, me: Caller, admirer: Caller, why: InterestClosure.ValueType, backwards: bool
) -> None:
    interest = sent(admirer, me, await pool.stamp())
    events = (closed(interest, why), interest) if backwards else (interest, closed(interest, why))
    for event in events:
        await pool.world.publish(event)
    assert admirer.id not in (await batch(pool, me))[1]


@pytest.mark.rule("DI-13", "MA-11")
async def test_an_expired_interest_draws_no_member_even_before_the_event_of_its_closing(
    pool: Pool, me: Caller, admirer: Caller
) -> None:
    await send_interest(pool, admirer, me)
    await pool.world.move_clock(timedelta(days=14))
    assert admirer.id not in (await batch(pool, me))[1]


@pytest.mark.rule("DI-13")
async def test_one_waiting_interest_of_two_is_enough(pool: Pool, me: Caller, admirer: Caller) -> None:
    over = await send_interest(pool, admirer, me)
    await send_interest(pool, admirer, me)
    await pool.world.publish(closed(over, INTEREST_CLOSURE_WITHDRAWN))
    assert admirer.id in (await batch(pool, me))[1]


@pytest.mark.rule("DI-13")
async def test_an_interest_waits_in_its_own_server_and_for_its_own_receiver(
    pool: Pool, me: Caller, admirer: Caller
) -> None:
    other = await pool.member(*MINE)
    await send_interest(pool, admirer, other)
    await send_interest(pool, admirer, me, FRIEND)
    assert admirer.id not in (await batch(pool, me))[1]
    assert admirer.id in (await batch(pool, me, FRIEND))[1]


@pytest.mark.rule("DI-13", "DI-09", "DI-12")
@pytest.mark.parametrize("hindrance", ["block", "restricted", "full", "unready", "left", "filter", "shown"])
async def test_an_admirer_must_be_eligible_like_any_other_member(
    pool: Pool, me: Caller, admirer: Caller, hindrance: str
) -> None:
    await send_interest(pool, admirer, me)
    match hindrance:
        case "block":
            await pool.block(admirer, me)
        case "restricted":
            await pool.restrict(admirer, 1, restricted=True)
        case "full":
            await pool.inventory(admirer, 1, count=1)
        case "unready":
            await pool.world.superuser.execute(
                "UPDATE discovery.candidates SET discovery_ready = false WHERE user_id = $1", admirer.user
            )
        case "left":
            await pool.leave(admirer)
        case "filter":
            await pool.update_filters(admirer, max_age=29)
        case "shown":
            assert admirer.id in (await batch(pool, me))[1]
    assert admirer.id not in (await batch(pool, me))[1]


@pytest.mark.rule("DI-13", "DI-02")
async def test_in_a_pool_of_five_with_an_admirer_each_member_is_on_one_card(pool: Pool) -> None:
    """With the service's own random source."""
    me, admirer, *others = await pool.members(6)
    await send_interest(pool, admirer, me)
    _, shown = await batch(pool, me)
    assert sorted(shown) == sorted(each.id for each in (admirer, *others))


@pytest.mark.rule("DI-02", "DI-13", "MA-10")
async def test_an_admirer_does_not_make_a_pool_of_four_large_enough(pool: Pool, me: Caller) -> None:
    await pool.empty()
    member, admirer, *_ = await pool.members(5)
    await send_interest(pool, admirer, member)
    assert (await refusal(pool.refresh(member))).reason == "POOL_TOO_SMALL"


@pytest.mark.rule("DI-13", "MA-10")
async def test_only_discovery_can_read_waiting_interests(world: World) -> None:
    for context in ("identity", "matching", "streak", "reveal", "billing", "safety"):
        async with role_of(world, context) as role:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await role.fetch("SELECT * FROM discovery.waiting_interests")


@pytest.mark.rule("DI-13", "MA-10")
async def test_old_waiting_interests_are_deleted_when_no_event_of_them_can_come(
    pool: Pool, me: Caller, admirer: Caller
) -> None:
    fresh, old = await send_interest(pool, admirer, me), await send_interest(pool, admirer, me)
    await pool.world.superuser.execute(
        "UPDATE discovery.waiting_interests SET waits_until = clock_timestamp() - interval '31 days'"
        " WHERE interest_id = $1::text::uuid",
        old.interest_id,
    )
    await pool.world.drain(clock_moved=True)
    left = await pool.world.superuser.fetch(
        "SELECT interest_id::text FROM discovery.waiting_interests WHERE sender_id = $1", admirer.user
    )
    assert [row["interest_id"] for row in left] == [fresh.interest_id]
