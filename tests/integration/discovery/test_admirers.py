"""DI-13: members whose interest waits for the viewer come among the cards, and nothing says so."""

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

from tests.integration.discovery.pool import FRIEND, PARTNER, Pool, Server, an_id, later
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
    """Both places that may be drawn are; where nobody waits, for whoever shares most of those drawn from."""

    def random(self) -> float:
        return 0.0

    def choice(self, seq: Any) -> Any:
        return max(seq, key=lambda each: each.shares(MINE))


class Never(Random):
    """Neither is."""

    def random(self) -> float:
        return 0.999


@pytest.fixture
async def me(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """A member among 31 who all share everything with them: whoever shares nothing is none of the best."""
    monkeypatch.setattr(batches, "RANDOM", Always(1))
    await pool.members(31, *MINE)
    return await pool.member(*MINE)


@pytest.fixture
async def admirer(pool: Pool, me: Caller) -> Caller:
    """Who shares nothing with me."""
    return await pool.member(*OTHERS)


def sent(sender: Caller, receiver: Caller, stamp: Timestamp, server: Server = PARTNER) -> InterestSent:
    return InterestSent(
        interest_id=an_id(),
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


async def waits(pool: Pool, sender: Caller, receiver: Caller, server: Server = PARTNER) -> InterestSent:
    """An interest that waits."""
    interest = sent(sender, receiver, await pool.stamp(), server)
    await pool.world.publish(interest)
    return interest


async def batch(pool: Pool, who: Caller, server: Server = PARTNER) -> tuple[Batch, list[str]]:
    """New cards, and who is on them."""
    screen = await pool.refresh(who, server)
    return screen.batch, await pool.shown(who, screen.batch)


@pytest.mark.rule("DI-13")
async def test_whoever_waits_comes_among_the_five_although_others_share_more(
    pool: Pool, me: Caller, admirer: Caller
) -> None:
    await waits(pool, admirer, me)
    assert admirer.id in (await batch(pool, me))[1]


@pytest.mark.rule("DI-13")
async def test_without_an_interest_or_without_luck_they_do_not(
    pool: Pool, me: Caller, admirer: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the others can fail."""
    assert admirer.id not in (await batch(pool, me))[1]
    await waits(pool, admirer, me)
    monkeypatch.setattr(batches, "RANDOM", Never(1))
    assert admirer.id not in (await batch(pool, me))[1]


@pytest.mark.rule("DI-13")
async def test_of_many_who_wait_two_come(pool: Pool, me: Caller) -> None:
    admirers = await pool.members(5, *OTHERS)
    for each in admirers:
        await waits(pool, each, me)
    _, shown = await batch(pool, me)
    assert len(set(shown)) == 5
    assert len({each.id for each in admirers} & set(shown)) == 2


@pytest.mark.rule("DI-13", "DI-07", "MA-10")
async def test_their_card_has_nothing_of_its_own_and_stands_where_it_belongs(
    pool: Pool, me: Caller, admirer: Caller
) -> None:
    await waits(pool, admirer, me)
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
async def test_an_interest_that_is_over_brings_nobody_in_whatever_order_it_is_told(
    pool: Pool, me: Caller, admirer: Caller, why: InterestClosure.ValueType, backwards: bool
) -> None:
    interest = sent(admirer, me, await pool.stamp())
    events = (closed(interest, why), interest) if backwards else (interest, closed(interest, why))
    for event in events:
        await pool.world.publish(event)
    assert admirer.id not in (await batch(pool, me))[1]


@pytest.mark.rule("DI-13", "MA-11")
async def test_an_interest_that_is_too_old_brings_nobody_before_its_end_is_told(
    pool: Pool, me: Caller, admirer: Caller
) -> None:
    await waits(pool, admirer, me)
    await pool.world.move_clock(timedelta(days=14))
    assert admirer.id not in (await batch(pool, me))[1]


@pytest.mark.rule("DI-13")
async def test_of_two_interests_one_that_waits_is_enough(pool: Pool, me: Caller, admirer: Caller) -> None:
    over = await waits(pool, admirer, me)
    await waits(pool, admirer, me)
    await pool.world.publish(closed(over, INTEREST_CLOSURE_WITHDRAWN))
    assert admirer.id in (await batch(pool, me))[1]


@pytest.mark.rule("DI-13")
async def test_an_interest_waits_in_its_own_server_and_for_its_own_receiver(
    pool: Pool, me: Caller, admirer: Caller
) -> None:
    other = await pool.member(*MINE)
    await waits(pool, admirer, other)
    await waits(pool, admirer, me, FRIEND)
    assert admirer.id not in (await batch(pool, me))[1]
    assert admirer.id in (await batch(pool, me, FRIEND))[1]


@pytest.mark.rule("DI-13", "DI-09", "DI-12")
@pytest.mark.parametrize("hindrance", ["block", "restricted", "full", "unready", "left", "filter", "shown"])
async def test_whoever_waits_must_be_eligible_like_any_other(
    pool: Pool, me: Caller, admirer: Caller, hindrance: str
) -> None:
    await waits(pool, admirer, me)
    match hindrance:
        case "block":
            await pool.block(admirer, me)
        case "restricted":
            await pool.standing(admirer, 1, restricted=True)
        case "full":
            await pool.inventory(admirer, 1, count=1)
        case "unready":
            await pool.world.superuser.execute(
                "UPDATE discovery.candidates SET discovery_ready = false WHERE user_id = $1", admirer.user
            )
        case "left":
            await pool.leave(admirer)
        case "filter":
            await pool.filter(admirer, max_age=29)
        case "shown":
            assert admirer.id in (await batch(pool, me))[1]
    assert admirer.id not in (await batch(pool, me))[1]


@pytest.mark.rule("DI-13", "DI-02")
async def test_in_a_pool_of_five_with_one_who_waits_each_is_on_one_card(pool: Pool) -> None:
    """With the chance of the service itself."""
    me, admirer, *others = await pool.members(6)
    await waits(pool, admirer, me)
    _, shown = await batch(pool, me)
    assert sorted(shown) == sorted(each.id for each in (admirer, *others))


@pytest.mark.rule("DI-02", "DI-13", "MA-10")
async def test_whoever_waits_makes_no_pool_large_enough(pool: Pool, me: Caller) -> None:
    await pool.empty()
    who, admirer, *_ = await pool.members(5)
    await waits(pool, admirer, who)
    assert (await refusal(pool.refresh(who))).reason == "POOL_TOO_SMALL"


@pytest.mark.rule("DI-13", "MA-10")
async def test_interests_that_wait_are_for_discovery_alone(world: World) -> None:
    for context in ("identity", "matching", "streak", "reveal", "billing", "safety"):
        async with role_of(world, context) as role:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await role.fetch("SELECT * FROM discovery.waiting_interests")


@pytest.mark.rule("DI-13", "MA-10")
async def test_interests_that_waited_in_vain_are_forgotten_when_no_event_of_them_can_come(
    pool: Pool, me: Caller, admirer: Caller
) -> None:
    fresh, old = await waits(pool, admirer, me), await waits(pool, admirer, me)
    await pool.world.superuser.execute(
        "UPDATE discovery.waiting_interests SET waits_until = clock_timestamp() - interval '31 days'"
        " WHERE interest_id = $1::text::uuid",
        old.interest_id,
    )
    await pool.world.drain()
    left = await pool.world.superuser.fetch(
        "SELECT interest_id::text FROM discovery.waiting_interests WHERE sender_id = $1", admirer.user
    )
    assert [row["interest_id"] for row in left] == [fresh.interest_id]
