"""MA-11: an interest that looks pending can be withdrawn, and that does not reveal whether it was void."""

from __future__ import annotations

import asyncio

import pytest
from unora.common.v1.types_pb2 import SERVER_TYPE_FRIEND, SERVER_TYPE_GROWTH
from unora.matching.v1.events_pb2 import (
    INTEREST_CLOSURE_VOID,
    INTEREST_CLOSURE_WITHDRAWN,
    InterestClosed,
)
from unora.matching.v1.matching_service_pb2 import INTEREST_STATUS_WITHDRAWN
from unora_common.ids import uuid7
from unora_matching.use_cases.interests import withdraw_interest
from unora_testing.world import World

from tests.integration.matching.people import People
from tests.integration.matching.test_rush import assert_sound, attempt
from tests.support import Refusal, as_uuid, race, refusal, request_id


@pytest.mark.rule("MA-11")
async def test_a_withdrawn_interest_never_matches_and_can_be_sent_again(world: World, people: People) -> None:
    sender, receiver = await people.members("free", "free")
    sent = (await people.wish(sender, receiver)).interest
    withdrawn = await people.withdraw(sender, sent.interest_id)
    assert withdrawn.status == INTEREST_STATUS_WITHDRAWN
    assert await people.sent(sender) == [withdrawn]
    assert (await people.inventory(sender)).pending_interest_count == 0
    (closed,) = await world.events(InterestClosed, sent.interest_id)
    assert (closed.closure, closed.version) == (INTEREST_CLOSURE_WITHDRAWN, 2)
    assert not (await people.wish(receiver, sender)).HasField("connection")
    assert (await people.wish(sender, receiver)).HasField("connection")
    assert await people.statuses(sender) == ["withdrawn", "matched"]


@pytest.mark.rule("MA-11", "XX-04")
async def test_a_void_interest_is_withdrawn_exactly_like_a_pending_one(
    world: World, people: People, statements: list[str]
) -> None:
    sender, partner, other = await people.members("pro", "pro", "pro")
    await people.connect(sender, partner)
    pends = (await people.wish(sender, other, SERVER_TYPE_FRIEND)).interest
    void = (await people.wish(sender, partner, SERVER_TYPE_GROWTH)).interest
    assert await people.statuses(sender) == ["matched", "pending", "void"]
    answers, taken = [], []
    for interest in (pends, void):
        statements.clear()
        answers.append(await people.withdraw(sender, interest.interest_id))
        taken.append(list(statements))
    assert taken[0] == taken[1]
    assert len(taken[0]) == 3  # the lock; the interest; its withdrawal, event and answer at the commit
    assert {answer.status for answer in answers} == {INTEREST_STATUS_WITHDRAWN}
    names = [[field.name for field, _ in answer.ListFields()] for answer in answers]
    assert names[0] == names[1]
    assert await people.statuses(sender) == ["matched", "withdrawn", "void"]
    closures = [event.closure for event in await world.events(InterestClosed, void.interest_id)]
    assert closures == [INTEREST_CLOSURE_VOID, INTEREST_CLOSURE_WITHDRAWN]
    for receiver, server in ((other, SERVER_TYPE_FRIEND), (partner, SERVER_TYPE_GROWTH)):
        await people.wish(sender, receiver, server)  # both can be sent again


@pytest.mark.rule("MA-11", "XX-04")
async def test_anothers_interest_is_like_a_missing_one(people: People) -> None:
    sender, receiver, stranger, newcomer = await people.members("free", "free", "free", "free")
    interest = (await people.wish(sender, receiver)).interest
    await people.wish(stranger, receiver)
    refusals = [
        await refusal(people.withdraw(member, found))
        for member in (stranger, receiver, newcomer)
        for found in (interest.interest_id, str(uuid7()))
    ]
    assert set(map(repr, refusals)) == {
        repr(Refusal("NOT_FOUND", "INTEREST_NOT_FOUND", "unora.matching", {}, {}, "This interest does not exist.")),
    }
    assert await people.statuses(sender) == ["pending"]


@pytest.mark.rule("MA-05", "MA-11")
async def test_an_interest_that_no_longer_looks_pending_cannot_be_withdrawn(people: People) -> None:
    sender, partner, other = await people.members("free", "free", "free")
    wiped = (await people.wish(sender, other)).interest
    await people.connect(sender, partner)
    matched = (await people.sent(sender))[0]
    withdrawn = (await people.wish(other, sender)).interest
    await people.withdraw(other, withdrawn.interest_id)
    for member, interest in ((sender, wiped), (sender, matched), (other, withdrawn)):
        refused = await refusal(people.withdraw(member, interest.interest_id))
        assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "INTEREST_CLOSED")
    assert await people.statuses(sender) == ["wiped", "matched"]


@pytest.mark.rule("BI-08")
async def test_a_repeat_gets_its_first_answer(world: World, people: People) -> None:
    sender, receiver = await people.members("free", "free")
    interest = (await people.wish(sender, receiver)).interest
    request = request_id()
    answers = await asyncio.gather(*(people.withdraw(sender, interest.interest_id, request) for _ in range(6)))
    assert all(answer == answers[0] for answer in answers)
    assert len(await world.events(InterestClosed, interest.interest_id)) == 1


@pytest.mark.rule("MA-02", "MA-11")
async def test_of_a_withdrawal_and_a_match_at_the_same_time_one_succeeds(world: World, people: People) -> None:
    seen = set()
    for turn in range(24):
        first, second = await people.members("free", "free")
        interest = (await people.wish_directly(first, second)).interest
        work = [people.withdraw_directly(first, interest.id), attempt(people, second, first, "partner")]
        outcome = await race(turn, work)
        withdrawn, matched = "WITHDRAWN" in outcome, "CONNECTED" in outcome
        assert withdrawn is not matched
        assert await people.statuses(first) == ["withdrawn" if withdrawn else "matched"]
        seen.add(matched)
        await assert_sound(people, [first, second])
    assert seen == {True, False}


@pytest.mark.rule("MA-04", "MA-11")
async def test_a_wipe_and_a_withdrawal_at_the_same_time_close_the_interest_once(world: World, people: People) -> None:
    for turn in range(16):
        sender, partner, other = await people.members("free", "free", "free")
        interest = (await people.wish_directly(sender, other)).interest
        await people.wish_directly(sender, partner)
        work = [people.withdraw_directly(sender, interest.id), attempt(people, partner, sender, "partner")]
        await race(turn, work)
        (status, matched) = await people.statuses(sender)
        assert (status in {"withdrawn", "wiped"}, matched) == (True, "matched")
        assert await people.wipes([sender]) == [(sender.id, int(status == "wiped"))]
        assert len(await world.events(InterestClosed, str(interest.id))) == 1
        await assert_sound(people, [sender, partner, other])


@pytest.mark.rule("XX-02")
async def test_a_crash_before_the_commit_leaves_it_pending(world: World, people: People) -> None:
    sender, receiver = await people.members("free", "free")
    interest = (await people.wish(sender, receiver)).interest

    async def crash() -> None:
        async with people.database.transaction(sender.user) as tx:
            await withdraw_interest(tx, as_uuid(interest.interest_id), sender.user)
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await crash()
    assert await people.sent(sender) == [interest]
    assert await world.events(InterestClosed, interest.interest_id) == []
