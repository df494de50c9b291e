"""MA-11: after 14 days an interest expires, and only then does a void one look different."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Awaitable, Iterable
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from unora.common.v1.types_pb2 import SERVER_TYPE_GROWTH
from unora.matching.v1.events_pb2 import INTEREST_CLOSURE_EXPIRED, INTEREST_CLOSURE_VOID, InterestClosed
from unora.matching.v1.matching_service_pb2 import INTEREST_STATUS_EXPIRED, INTEREST_STATUS_PENDING
from unora_common.database import Tx
from unora_common.ids import uuid7
from unora_common.transient import is_transient
from unora_matching import jobs
from unora_matching.jobs import InterestJobs
from unora_matching.use_cases.expiry import expire_interests, expire_interests_of
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


async def _senders(people: People, count: int) -> list[Caller]:
    return [await people.member() for _ in range(count)]


POISON = """
    CREATE FUNCTION matching.poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.interest_status = 'expired' AND NEW.id = '{interest}' THEN RAISE EXCEPTION 'it cannot be'; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER poison BEFORE UPDATE ON matching.interests FOR EACH ROW EXECUTE FUNCTION matching.poison();"""
ANTIDOTE = "DROP TRIGGER poison ON matching.interests; DROP FUNCTION matching.poison()"


@pytest.mark.rule("MA-11")
async def test_an_interest_that_cannot_expire_holds_up_no_other(world: World, people: People) -> None:
    senders = await _senders(people, 6)
    receiver = await people.member()
    sent = [await send_long_ago(people, each, receiver, timedelta(days=15)) for each in senders]
    await world.superuser.execute(POISON.format(interest=sent[2]))
    try:
        await world.drain()
        assert [(await people.statuses(each))[0] for each in senders] == [
            "pending" if each is senders[2] else "expired" for each in senders
        ]
    finally:
        await world.superuser.execute(ANTIDOTE)
    await world.drain()
    assert await people.statuses(senders[2]) == ["expired"]
    assert [len(await world.events(InterestClosed, each)) for each in sent] == [1] * 6


@pytest.mark.rule("MA-11", "XX-02")
async def test_replicas_that_expire_at_once_or_are_killed_close_each_interest_once(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two replicas work on small batches; connections of theirs are ended when a batch is about to be committed."""
    runtime = world.apps["matching"].runtime
    runtime = dataclasses.replace(runtime, config=msgspec.structs.replace(runtime.config, expiry_batch=7))
    senders = await _senders(people, 60)
    receiver = await people.member()
    sent = [await send_long_ago(people, each, receiver, timedelta(days=15)) for each in senders]
    killed = 0

    async def expire_and_die(tx: Tx, members: Iterable[UUID], lifetime: timedelta) -> int:
        nonlocal killed
        done = await expire_interests_of(tx, members, lifetime)
        if killed < 3:
            killed += 1
            await tx.run("SELECT pg_terminate_backend(pg_backend_pid())")
        return done

    async def run(replica: InterestJobs) -> None:
        done = 1
        while done:
            try:
                done = await replica.expire()
            except Exception as error:
                if not is_transient(error):
                    raise

    monkeypatch.setattr(jobs, "expire_interests_of", expire_and_die)
    await asyncio.gather(*(run(InterestJobs(runtime)) for _ in range(2)))
    await run(InterestJobs(runtime))  # what the other had locked when it looked
    assert killed == 3
    closures = Counter(event.interest_id for event in await world.events(InterestClosed, *sent))
    assert closures == dict.fromkeys(sent, 1)


@pytest.mark.rule("MA-05", "MA-11")
async def test_interests_that_came_to_nothing_are_forgotten_after_400_days(world: World, people: People) -> None:
    sender, receiver, partner = await people.members("pro", "pro", "pro")
    await people.connect(sender, partner)
    old = await send_long_ago(people, sender, receiver, timedelta(days=15))
    await world.drain()
    pends = (await people.wish(sender, await people.member())).interest
    purge = InterestJobs(world.apps["matching"].runtime).purge_interests
    # By the machine's clock: what the rule clock calls long ago stays.
    await world.move_clock(timedelta(days=1000))
    assert await purge() == 0
    closed = "UPDATE matching.interests SET closed_at = clock_timestamp() - $2::interval WHERE id = $1"
    await world.superuser.execute("ALTER TABLE matching.interests DISABLE TRIGGER USER")
    await world.superuser.execute(closed, old, timedelta(days=399))
    assert await purge() == 0
    await world.superuser.execute("UPDATE matching.interests SET closed_at = closed_at - interval '2000 days'")
    await world.superuser.execute("ALTER TABLE matching.interests ENABLE TRIGGER USER")
    assert await purge() >= 1
    kept = {interest.interest_id for interest in await people.sent(sender)}
    assert old not in kept
    assert pends.interest_id not in kept, "it expired, and was forgotten too"
    assert "matched" in await people.statuses(sender)
