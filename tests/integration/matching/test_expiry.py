"""MA-11: after 14 days an interest expires, and only then does a void one look different."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

import pytest
from unora.common.v1.types_pb2 import SERVER_TYPE_GROWTH
from unora.matching.v1.events_pb2 import INTEREST_CLOSURE_EXPIRED, INTEREST_CLOSURE_VOID, InterestClosed
from unora.matching.v1.matching_service_pb2 import INTEREST_STATUS_EXPIRED, INTEREST_STATUS_PENDING
from unora_common.ids import uuid7
from unora_matching.use_cases.expiry import expire_interests
from unora_testing.world import Caller, World

from tests.integration.matching.people import POLICY, People
from tests.integration.matching.test_rush import assert_sound, attempt
from tests.support import refusal

MOMENT = timedelta(minutes=1)


async def expire(people: People, limit: int = 500) -> int:
    async with people.database.transaction() as tx:
        return await expire_interests(tx, POLICY.lifetime, limit)


async def send_long_ago(people: People, sender: Caller, receiver: Caller, ago: timedelta) -> str:
    """Stores a pending interest that was sent so long ago, and an inventory for its sender."""
    interest = uuid7()
    await people.store_inventory(sender)
    await people.world.superuser.execute(
        """INSERT INTO matching.interests
            (id, sender_id, receiver_id, server_type, card_id, interest_status, shown_as, sent_at, version)
        VALUES ($1, $2, $3, 'partner', $1, 'pending', 'pending', clock.now() - $4::interval, 1)""",
        *(interest, sender.user, receiver.user, ago),
    )
    return str(interest)


@pytest.mark.rule("MA-11")
async def test_it_expires_after_14_days_and_not_before(world: World, people: People) -> None:
    sender, receiver = await people.members("free", "free")
    young = await send_long_ago(people, sender, receiver, timedelta(days=14) - MOMENT)
    other = await people.member()
    old = await send_long_ago(people, sender, other, timedelta(days=14))
    await world.drain()
    shown = {interest.interest_id: interest.status for interest in await people.sent(sender)}
    assert shown == {young: INTEREST_STATUS_PENDING, old: INTEREST_STATUS_EXPIRED}
    assert (await people.inventory(sender)).pending_interest_count == 1
    (closed,) = await world.events(InterestClosed, old)
    assert (closed.closure, closed.version) == (INTEREST_CLOSURE_EXPIRED, 2)
    refused = await refusal(people.withdraw(sender, old))
    assert refused.reason == "INTEREST_CLOSED"
    await people.wish(sender, other)  # it can be sent again


@pytest.mark.rule("MA-11", "XX-04")
async def test_a_void_interest_looks_pending_until_it_expires_like_any_other(world: World, people: People) -> None:
    sender, partner, other = await people.members("pro", "pro", "pro")
    await people.connect(sender, partner)
    pends = (await people.wish(sender, other, SERVER_TYPE_GROWTH)).interest
    void = (await people.wish(sender, partner, SERVER_TYPE_GROWTH)).interest
    await world.move_clock(timedelta(days=14) - MOMENT)
    shown = {interest.interest_id: interest.status for interest in await people.sent(sender)}
    assert shown[pends.interest_id] == shown[void.interest_id] == INTEREST_STATUS_PENDING
    await world.move_clock(2 * MOMENT)
    shown = {interest.interest_id: interest.status for interest in await people.sent(sender)}
    assert shown[pends.interest_id] == shown[void.interest_id] == INTEREST_STATUS_EXPIRED
    assert (await people.inventory(sender)).pending_interest_count == 0
    assert await people.statuses(sender) == ["matched", "expired", "void"]
    closures = [event.closure for event in await world.events(InterestClosed, void.interest_id)]
    assert closures == [INTEREST_CLOSURE_VOID, INTEREST_CLOSURE_EXPIRED]


@pytest.mark.rule("MA-11")
async def test_a_due_interest_does_not_match_before_the_job_has_closed_it(people: People) -> None:
    late, sender = await people.members("free", "free")
    await send_long_ago(people, late, sender, POLICY.lifetime)
    assert (await people.wish_directly(sender, late)).connection is None
    in_time, other = await people.members("free", "free")
    await send_long_ago(people, in_time, other, POLICY.lifetime - MOMENT)
    assert (await people.wish_directly(other, in_time)).connection is not None
    assert await people.statuses(late) == ["pending"]


@pytest.mark.rule("MA-11")
async def test_many_interests_expire_once_each_when_replicas_run_batches_at_the_same_time(
    world: World, people: People
) -> None:
    await world.drain()
    receiver = await people.member()
    senders = [await people.member() for _ in range(30)]
    due = [await send_long_ago(people, sender, receiver, timedelta(days=15)) for sender in senders]
    done = await asyncio.gather(*(expire(people, 7) for _ in range(5)))
    assert all(count <= 7 for count in done)
    while count := await expire(people, 7):
        done.append(count)
    assert sum(done) == len(due)
    closed = await world.events(InterestClosed, *due)
    assert sorted(event.interest_id for event in closed) == sorted(due)
    assert {event.version for event in closed} == {2}


@pytest.mark.rule("MA-11")
async def test_it_waits_for_no_lock(people: People) -> None:
    busy, idle, receiver = await people.members("free", "free", "free")
    for sender in (busy, idle):
        await send_long_ago(people, sender, receiver, timedelta(days=15))
    async with people.database.transaction(busy.user) as tx:
        await tx.lock("SELECT clock.now() AS now FROM matching.inventory WHERE user_id = $1 FOR UPDATE", busy.user)
        while await expire(people):
            pass
        assert [await people.statuses(sender) for sender in (busy, idle)] == [["pending"], ["expired"]]
    assert await expire(people) == 1


@pytest.mark.rule("MA-02", "MA-11")
async def test_expiry_at_the_same_time_as_matches_and_withdrawals(people: People) -> None:
    chosen: list[Caller] = []
    work: list[Awaitable[object]] = []
    for _ in range(12):
        first, second = await people.members("free", "free")
        chosen += [first, second]
        interest = (await people.wish_directly(first, second)).interest
        await send_long_ago(people, first, await people.member(), timedelta(days=15))
        work += [attempt(people, second, first, "partner"), people.withdraw_directly(first, interest.id)]
        work += [expire(people, 3)]
    await asyncio.gather(*work)
    while await expire(people):
        pass
    for first in chosen[::2]:
        assert sorted(await people.statuses(first)) in (
            ["expired", "matched"],
            ["matched", "wiped"],
            ["expired", "withdrawn"],
        )
    await assert_sound(people, chosen, first_events=False)


@pytest.mark.rule("XX-02")
async def test_a_crash_before_the_commit_expires_nothing(world: World, people: People) -> None:
    sender, receiver = await people.members("free", "free")
    old = await send_long_ago(people, sender, receiver, timedelta(days=15))

    async def crash() -> None:
        async with people.database.transaction() as tx:
            assert await expire_interests(tx, POLICY.lifetime, 500)
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await crash()
    assert await people.statuses(sender) == ["pending"]
    assert await world.events(InterestClosed, old) == []
