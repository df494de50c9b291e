"""Many members with few slots act at the same time: limits hold, connections are mutual, wipes are exact."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable
from datetime import timedelta
from itertools import count, permutations

import pytest
from unora.matching.v1.events_pb2 import ConnectionEnded, ConnectionFormed, InventoryChanged
from unora_common.errors import DomainError
from unora_matching.domain.connections import EndReason
from unora_matching.use_cases.end_connections import end_connection
from unora_testing.world import Caller, World

from tests.integration.matching.incoming_events import UseCases, member_blocked, member_unblocked, restriction_changed
from tests.integration.matching.people import People, Tier
from tests.integration.matching.test_send_interest import shape
from tests.support import as_uuid

TIERS: list[Tier] = ["free", "free", "free", "plus", "plus", "pro"]

CHECKS = {
    "counts that are not the number of active connections": """
        SELECT i.user_id FROM matching.inventory i
        WHERE i.user_id = ANY ($1) AND i.active_connection_count <> (
            SELECT count(*) FROM matching.connections c
            WHERE i.user_id IN (c.user_a_id, c.user_b_id) AND c.connection_status = 'active')""",
    "limits exceeded": """
        SELECT user_id FROM matching.inventory
        WHERE user_id = ANY ($1) AND active_connection_count > connection_limit""",
    "connections that are not mutual": """
        SELECT c.id FROM matching.connections c WHERE c.user_a_id = ANY ($1) AND NOT EXISTS (
            SELECT FROM matching.interests a JOIN matching.interests b ON b.connection_id = a.connection_id
            WHERE a.connection_id = c.id AND a.interest_status = 'matched' AND b.interest_status = 'matched'
                AND (a.sender_id, a.receiver_id, a.server_type) = (c.user_a_id, c.user_b_id, c.server_type)
                AND (b.sender_id, b.receiver_id, b.server_type) = (c.user_b_id, c.user_a_id, c.server_type))""",
    "pairs connected twice": """
        SELECT user_a_id FROM matching.connections WHERE user_a_id = ANY ($1)
        GROUP BY user_a_id, user_b_id HAVING count(*) > 1""",
    "mutual interests that are both pending": """
        SELECT a.id FROM matching.interests a
        JOIN matching.interests b
            ON (b.sender_id, b.receiver_id, b.server_type) = (a.receiver_id, a.sender_id, a.server_type)
        WHERE a.sender_id = ANY ($1) AND a.interest_status = 'pending' AND b.interest_status = 'pending'""",
    "pending interests between two who were connected": """
        SELECT i.id FROM matching.interests i
        JOIN matching.connections c ON c.user_a_id = least(i.sender_id, i.receiver_id)
            AND c.user_b_id = greatest(i.sender_id, i.receiver_id)
        WHERE i.sender_id = ANY ($1) AND i.interest_status = 'pending'""",
    "pending interests that can never match": """
        SELECT i.id FROM matching.interests i
        WHERE i.sender_id = ANY ($1) AND i.interest_status = 'pending' AND (
            EXISTS (SELECT FROM matching.inventory n
                WHERE n.user_id = i.sender_id AND (n.restricted OR n.suspended))
            OR EXISTS (SELECT FROM matching.blocked_pairs p WHERE p.blocked
                AND (p.blocker_id, p.blocked_id) IN ((i.sender_id, i.receiver_id), (i.receiver_id, i.sender_id))))""",
    "active connections of two who are kept apart": """
        SELECT c.id FROM matching.connections c
        WHERE c.user_a_id = ANY ($1) AND c.connection_status = 'active' AND (
            EXISTS (SELECT FROM matching.inventory n WHERE n.user_id IN (c.user_a_id, c.user_b_id) AND n.suspended)
            OR EXISTS (SELECT FROM matching.blocked_pairs p WHERE p.blocked
                AND (p.blocker_id, p.blocked_id) IN ((c.user_a_id, c.user_b_id), (c.user_b_id, c.user_a_id))))""",
    "full members with pending interests": """
        SELECT i.id FROM matching.interests i JOIN matching.inventory n ON n.user_id = i.sender_id
        WHERE i.sender_id = ANY ($1) AND n.active_connection_count = n.connection_limit AND i.shown_as = 'pending'""",
    "wipes that do not count the wiped interests": """
        SELECT i.user_id FROM matching.inventory i WHERE i.user_id = ANY ($1)
            AND (SELECT coalesce(sum(w.wiped_count), 0) FROM matching.interest_wipes w WHERE w.user_id = i.user_id)
            <> (SELECT count(*) FROM matching.interests s
                WHERE s.sender_id = i.user_id AND s.interest_status = 'wiped')""",
    "events with gaps": """
        SELECT o.aggregate_id FROM matching.outbox o
        WHERE o.aggregate_id = ANY ($1)
            OR o.aggregate_id IN (SELECT id FROM matching.interests WHERE sender_id = ANY ($1))
            OR o.aggregate_id IN (SELECT id FROM matching.connections WHERE user_a_id = ANY ($1))
        GROUP BY o.aggregate_id HAVING min(o.aggregate_version) <> 1 OR count(*) <> max(o.aggregate_version)""",
    "versions that are not the number of events": """
        SELECT i.user_id FROM matching.inventory i WHERE i.user_id = ANY ($1) AND i.version <> (
            SELECT count(*) FROM matching.outbox o WHERE o.aggregate_id = i.user_id)""",
}


GAPS = "events with gaps"


async def assert_sound(people: People, members: list[Caller], *, first_events: bool = True) -> None:
    """No check finds a row. Without `first_events`, interests that the superuser stored may lack their first event."""
    ids = [member.user for member in members]
    for what, sql in CHECKS.items():
        if what == GAPS and not first_events:
            continue
        found = await people.rows(sql, ids)
        assert not found, f"{what}: {found}"


async def attempt(people: People, sender: Caller, receiver: Caller, server: str) -> str:
    try:
        sent = await people.wish_directly(sender, receiver, server)
    except DomainError as refused:
        return refused.reason
    except Exception as error:  # the service turns a unique violation into INTEREST_EXISTS
        return str(getattr(error, "constraint_name", None) or repr(error))
    return "CONNECTED" if sent.connection else "SENT"


@pytest.mark.rule("MA-02", "MA-03", "MA-04", "MA-06", "MA-08")
@pytest.mark.parametrize("seed", range(4))
async def test_all_send_interests_to_all_at_the_same_time(world: World, people: People, seed: int) -> None:
    chance = random.Random(seed)
    members = await people.members(*TIERS, *TIERS)
    wishes = [
        (one, other, chance.choice(["partner", "friend"])) for one, other in permutations(members, 2) for _ in range(2)
    ]
    chance.shuffle(wishes)
    results = Counter(await asyncio.gather(*(attempt(people, *wish) for wish in wishes)))
    assert set(results) <= {"SENT", "CONNECTED", "CAPACITY_FULL", "uq_interests_one_pending"}
    assert results["CONNECTED"] >= 4
    await assert_sound(people, members)
    formed = [event for event in await world.events(ConnectionFormed) if event.user_a_id in {m.id for m in members}]
    assert len(formed) == results["CONNECTED"]


@pytest.mark.rule("MA-02", "MA-06", "MA-09")
async def test_connections_form_and_end_at_the_same_time(world: World, people: People) -> None:
    chance = random.Random(5)
    members = await people.members(*TIERS, *TIERS)

    async def end_one(member: Caller) -> str:
        for found in await people.connections(member):
            try:
                async with people.database.transaction(member.user) as tx:
                    await end_connection(tx, as_uuid(found.connection_id), member.user, EndReason.OTHER)
            except DomainError as refused:
                return refused.reason
            return "ENDED"
        return "NOTHING"

    work = [attempt(people, one, other, "growth") for one, other in permutations(members, 2)]
    work += [end_one(member) for member in members * 6]
    chance.shuffle(work)
    results = Counter(await asyncio.gather(*work))
    assert set(results) <= {"SENT", "CONNECTED", "CAPACITY_FULL", "ENDED", "NOTHING", "CONNECTION_ENDED"}
    assert results["ENDED"] > 0
    await assert_sound(people, members)
    mine = {member.id for member in members}
    ended = [event for event in await world.events(ConnectionEnded) if event.user_a_id in mine]
    assert len(ended) == results["ENDED"]
    changes = [event for event in await world.events(InventoryChanged) if event.user_id in mine]
    assert len(changes) == 2 * (results["CONNECTED"] + results["ENDED"])


@pytest.mark.rule("MA-02", "MA-03", "MA-06")
async def test_the_first_to_lock_takes_the_slot_and_the_others_only_see_a_pending_interest(
    world: World, people: People
) -> None:
    admired = await people.member()
    admirers = [await people.member() for _ in range(8)]
    for admirer in admirers:
        await people.wish_directly(admired, admirer)
    cards = [await people.card(admirer, admired) for admirer in admirers]
    answers = await asyncio.gather(*map(people.send, admirers, cards))
    matched = [answer for answer in answers if answer.HasField("connection")]
    assert [answer.connection.partner_id for answer in matched] == [admired.id]
    assert len({shape(answer) for answer in answers if answer not in matched}) == 1
    assert (await people.inventory(admired)).active_connection_count == 1
    assert await people.wipes([admired]) == [(admired.id, 7)]
    await assert_sound(people, [admired, *admirers])


@pytest.mark.rule("MA-02", "MA-06", "MA-07", "MA-12", "SA-06", "SA-08")
@pytest.mark.parametrize("seed", range(3))
async def test_all_use_cases_at_the_same_time(world: World, people: People, seed: int) -> None:
    """Interests, withdrawals, endings, blocks and their lifting, tiers and restrictions, in random order."""
    chance, use_cases = random.Random(seed), UseCases(people)
    members = await people.members(*TIERS, *TIERS)
    versions = {member.user: count(1) for member in members}
    now = await world.now()

    async def withdraw_some(member: Caller) -> None:
        for interest in (await people.sent(member))[:2]:
            await people.withdraw_directly(member, as_uuid(interest.interest_id))

    async def end_one(member: Caller) -> None:
        for found in (await people.connections(member))[:1]:
            await people.end_directly(member, found.connection_id)

    async def block_and_lift(one: Caller, other: Caller) -> None:
        block = member_blocked(one, other, now)
        both: list[Awaitable[None]] = [use_cases.block(block)]
        if chance.random() < 0.5:
            both.append(use_cases.unblock(member_unblocked(block, now + timedelta(milliseconds=1))))
        await asyncio.gather(*both)

    async def restrict_at_random(member: Caller) -> None:
        how = chance.choice([{"restricted": True}, {"suspended": True}, {}, {}])
        await use_cases.restrict(restriction_changed(member, next(versions[member.user]), now, **how))

    pairs = list(permutations(members, 2))
    work: list[Awaitable[object]] = [attempt(people, *pair, "partner") for pair in pairs for _ in range(2)]
    work += [block_and_lift(*pair) for pair in chance.sample(pairs, 12)]
    for act in (withdraw_some, end_one, restrict_at_random):
        work += [act(member) for member in members]
    work += [
        use_cases.change_tier(member, version, chance.choice(["free", "plus", "pro"]))
        for member in members
        for version in (1, 2, 3)
    ]
    chance.shuffle(work)
    await asyncio.gather(*work)
    await assert_sound(people, members)
    formed = [event for event in await world.events(ConnectionFormed) if event.user_a_id in {m.id for m in members}]
    assert formed
