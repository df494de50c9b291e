"""SendInterest, and what it hides."""

from __future__ import annotations

import asyncio
from datetime import UTC

import pytest
from unora.common.v1.types_pb2 import SERVER_TYPE_FRIEND, SERVER_TYPE_GROWTH, SERVER_TYPE_PARTNER
from unora.matching.v1.events_pb2 import (
    INTEREST_CLOSURE_MATCHED,
    INTEREST_CLOSURE_VOID,
    ConnectionFormed,
    InterestClosed,
    InterestSent,
    InventoryChanged,
)
from unora.matching.v1.matching_service_pb2 import (
    CONNECTION_STATUS_ACTIVE,
    INTEREST_STATUS_MATCHED,
    INTEREST_STATUS_PENDING,
    SendInterestRequest,
    SendInterestResponse,
)
from unora_common.ids import uuid7
from unora_testing.world import World

from tests.integration.matching.people import POLICY, People
from tests.support import race, refusal, request_id


@pytest.mark.rule("MA-01", "MA-10")
async def test_an_interest_is_pending_and_its_receiver_sees_nothing_of_it(world: World, people: People) -> None:
    sender, receiver = await people.members("free", "free")
    before = await people.all_that_is_shown(receiver)
    answer = await people.wish(sender, receiver)
    assert not answer.HasField("connection")
    assert answer.interest.status == INTEREST_STATUS_PENDING
    assert await people.sent(sender) == [answer.interest]
    assert (await people.inventory(sender)).pending_interest_count == 1
    assert await people.all_that_is_shown(receiver) == before
    (event,) = await world.events(InterestSent, answer.interest.interest_id)
    assert (event.sender_id, event.receiver_id, event.version) == (sender.id, receiver.id, 1)
    assert event.expires_at.ToDatetime(UTC) - event.occurred_at.ToDatetime(UTC) == POLICY.lifetime


@pytest.mark.rule("MA-01", "MA-08")
async def test_two_interests_become_one_connection_that_both_see(world: World, people: People) -> None:
    first, second = await people.members("free", "plus")
    mine = await people.wish(first, second, SERVER_TYPE_GROWTH)
    before = await world.now()
    theirs = await people.wish(second, first, SERVER_TYPE_GROWTH)

    connection = theirs.connection
    assert (connection.partner_id, connection.server_type) == (first.id, SERVER_TYPE_GROWTH)
    assert connection.status == CONNECTION_STATUS_ACTIVE
    assert before < connection.formed_at.ToDatetime(UTC) < await world.now()
    assert theirs.interest.status == INTEREST_STATUS_MATCHED
    (seen,) = await people.connections(first)
    assert (seen.connection_id, seen.partner_id) == (connection.connection_id, second.id)
    assert await people.connections(second) == [connection]
    for member, limit in ((first, 1), (second, 2)):
        assert [interest.status for interest in await people.sent(member)] == [INTEREST_STATUS_MATCHED]
        inventory = await people.inventory(member)
        assert (inventory.active_connection_count, inventory.connection_limit) == (1, limit)
        assert inventory.pending_interest_count == 0

    (formed,) = await world.events(ConnectionFormed, connection.connection_id)
    assert [formed.user_a_id, formed.user_b_id] == sorted([first.id, second.id])
    closed = await world.events(InterestClosed, mine.interest.interest_id, theirs.interest.interest_id)
    assert [(event.closure, event.version) for event in closed] == [(INTEREST_CLOSURE_MATCHED, 2)] * 2
    for member in (first, second):
        (changed,) = await world.events(InventoryChanged, member.id)
        assert (changed.version, changed.active_connection_count) == (1, 1)


@pytest.mark.rule("MA-01")
async def test_interests_in_different_servers_are_not_mutual(people: People) -> None:
    first, second = await people.members("free", "free")
    await people.wish(first, second, SERVER_TYPE_PARTNER)
    assert not (await people.wish(second, first, SERVER_TYPE_FRIEND)).HasField("connection")
    assert (await people.wish(second, first, SERVER_TYPE_PARTNER)).HasField("connection")


@pytest.mark.rule("MA-01", "MA-11")
async def test_a_connection_voids_the_pairs_other_interests_which_still_look_pending(
    world: World, people: People
) -> None:
    first, second = await people.members("pro", "pro")
    void = [
        (await people.wish(first, second, SERVER_TYPE_FRIEND)).interest,
        (await people.wish(second, first, SERVER_TYPE_GROWTH)).interest,
    ]
    await people.connect(first, second, SERVER_TYPE_PARTNER)
    assert await people.statuses(first) == ["void", "matched"]
    assert await people.statuses(second) == ["void", "matched"]
    for member, interest in zip((first, second), void, strict=True):
        assert (await people.sent(member))[-1] == interest
        assert (await people.inventory(member)).pending_interest_count == 1
    closed = await world.events(InterestClosed, *(interest.interest_id for interest in void))
    assert [event.closure for event in closed] == [INTEREST_CLOSURE_VOID] * 2


@pytest.mark.rule("MA-01")
async def test_an_interest_is_sent_once(people: People) -> None:
    sender, receiver = await people.members("free", "free")
    await people.wish(sender, receiver)
    refused = await refusal(people.wish(sender, receiver))
    assert (refused.code, refused.reason) == ("ALREADY_EXISTS", "INTEREST_EXISTS")
    assert await people.statuses(sender) == ["pending"]


@pytest.mark.rule("MA-13", "XX-04")
async def test_a_full_caller_is_refused_before_anything_of_the_other_is_read(people: People) -> None:
    full, partner, other = await people.members("free", "free", "free")
    await people.connect(full, partner)
    await people.wish(other, full)
    refusals = [
        await refusal(people.wish(full, other)),  # who sent an interest too
        await refusal(people.wish(full, partner)),  # the partner of their connection
        await refusal(people.send(full, str(uuid7()))),  # a card that does not exist: discovery is not asked
    ]
    assert {(refused.code, refused.reason) for refused in refusals} == {("FAILED_PRECONDITION", "CAPACITY_FULL")}
    assert refusals[0] == refusals[1] == refusals[2]


@pytest.mark.rule("MA-13")
async def test_a_member_who_became_full_meanwhile_is_refused_under_the_lock(people: People) -> None:
    full, partner, other = await people.members("free", "free", "free")
    await people.connect(full, partner)
    with pytest.raises(Exception, match="CAPACITY_FULL"):
        await people.wish_directly(full, other)


@pytest.mark.rule("XX-04")
async def test_only_a_card_of_the_callers_own_active_batch_is_accepted(people: People) -> None:
    sender, receiver, other = await people.members("free", "free", "free")
    old = await people.card(sender, receiver)
    await people.card(sender, other)  # a new batch replaces it
    anothers = await people.card(receiver, other)
    refusals = [await refusal(people.send(sender, card)) for card in (old, anothers, str(uuid7()))]
    assert {(refused.code, refused.reason) for refused in refusals} == {("NOT_FOUND", "CARD_NOT_FOUND")}
    assert refusals[0] == refusals[1] == refusals[2]
    assert await people.statuses(sender) == []


@pytest.mark.rule("BI-08")
async def test_a_repeat_gets_its_first_answer_after_any_change(people: People) -> None:
    first, second = await people.members("free", "free")
    await people.wish(first, second)
    card, request = await people.card(second, first), request_id()
    answer = await people.send(second, card, request)
    assert await people.send(second, card, request) == answer  # the sender is full now
    await people.end(first, answer.connection.connection_id)
    assert await people.send(second, card, request) == answer  # the connection has ended
    await people.card(second, first)
    assert await people.send(second, card, request) == answer  # the card is replaced
    assert await people.statuses(second) == ["matched"]


@pytest.mark.rule("BI-08")
async def test_twenty_repeats_at_the_same_time_are_one_interest_and_one_answer(world: World, people: People) -> None:
    sender, receiver = await people.members("free", "free")
    card, request = await people.card(sender, receiver), request_id()
    answers = await asyncio.gather(*(people.send(sender, card, request) for _ in range(20)))
    assert len({answer.SerializeToString() for answer in answers}) == 1
    assert await people.statuses(sender) == ["pending"]
    assert len(await world.events(InterestSent, answers[0].interest.interest_id)) == 1


@pytest.mark.rule("MA-02", "MA-08")
async def test_two_interests_at_the_same_time_connect_the_pair_once(world: World, people: People) -> None:
    for turn in range(10):
        first, second = await people.members("plus", "plus")
        cards = [await people.card(first, second), await people.card(second, first)]
        answers = await race(turn, [people.send(first, cards[0]), people.send(second, cards[1])])
        assert sorted(answer.HasField("connection") for answer in answers) == [False, True]
        assert len(await people.connections(first)) == len(await people.connections(second)) == 1


@pytest.mark.parametrize("field", ["request_id", "card_id"])
async def test_malformed_ids_are_refused(people: People, field: str) -> None:
    sender = await people.member()
    request = SendInterestRequest(request_id=request_id(), card_id=request_id())
    setattr(request, field, "17")
    refused = await refusal(people.matching.SendInterest(request, metadata=sender.metadata))
    assert (refused.code, list(refused.violations)) == ("INVALID_ARGUMENT", [field])


@pytest.mark.rule("MA-12", "XX-04")
@pytest.mark.parametrize("ended", [False, True])
async def test_a_pair_that_is_or_was_connected_can_send_interests_that_never_match(people: People, ended: bool) -> None:
    first, second, third = await people.members("pro", "pro", "pro")
    connection = await people.connect(first, second)
    if ended:
        await people.end(second, connection.connection_id)
    answers = [await people.wish(first, second), await people.wish(second, first)]
    usual = await people.wish(first, third)
    assert await people.statuses(first) == ["matched", "void", "pending"]
    assert [shape(answer) for answer in answers] == [shape(usual)] * 2
    for sender, receiver in ((first, second), (first, third)):  # a second time, both are refused alike
        assert (await refusal(people.wish(sender, receiver))).reason == "INTEREST_EXISTS"


def shape(answer: SendInterestResponse) -> tuple[object, ...]:
    """The content of an answer without ids and times."""
    fields = tuple(field.name for field, _ in answer.interest.ListFields())
    return fields, answer.interest.status, answer.interest.server_type, answer.HasField("connection")
