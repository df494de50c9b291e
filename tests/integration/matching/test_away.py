"""ID-09, ID-16: members who pause or close their account."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from unora.common.v1.types_pb2 import SERVER_TYPE_FRIEND, SERVER_TYPE_GROWTH, SERVER_TYPE_PARTNER
from unora.identity.v1.events_pb2 import AccountClosed, AccountHidden, AccountPaused, AccountReopened, AccountResumed
from unora.matching.v1.events_pb2 import END_CAUSE_CLOSING, ConnectionEnded, ConnectionFormed
from unora.matching.v1.matching_service_pb2 import CONNECTION_STATUS_ENDED
from unora_testing.world import Caller, World

from tests.integration.matching.incoming_events import (
    UseCases,
    account_event,
    member_blocked,
    restriction_changed,
)
from tests.integration.matching.people import People
from tests.integration.matching.test_rush import assert_sound, attempt
from tests.support import refusal


async def pause(world: World, member: Caller, version: int = 1) -> None:
    await world.publish(account_event(AccountPaused, member, version, await world.now()))


async def resume(world: World, member: Caller, version: int = 2) -> None:
    await world.publish(account_event(AccountResumed, member, version, await world.now()))


async def close(world: World, member: Caller, version: int = 3) -> None:
    await world.publish(account_event(AccountClosed, member, version, await world.now()))


@pytest.mark.rule("ID-16")
async def test_who_has_paused_sends_no_interest(world: World, people: People) -> None:
    one, other = await people.members("free", "free")
    card = await people.card(one, other)
    await pause(world, one)
    refused = await refusal(people.send(one, card))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "ACCOUNT_PAUSED")
    await resume(world, one)
    await people.send(one, card)


@pytest.mark.rule("ID-16", "MA-01")
async def test_interests_with_a_paused_member_match_when_both_are_back(world: World, people: People) -> None:
    one, other = await people.members("free", "free")
    await people.wish(one, other)
    await pause(world, one)
    assert not (await people.wish(other, one)).HasField("connection")
    assert await people.statuses(one) == await people.statuses(other) == ["pending"]
    await pause(world, other)
    await resume(world, one)
    assert await people.connections(one) == [], "the other has paused by now"
    await resume(world, other)
    (seen,), (own,) = await people.connections(one), await people.connections(other)
    assert seen.connection_id == own.connection_id
    assert await people.statuses(one) == await people.statuses(other) == ["matched"]
    assert len(await world.events(ConnectionFormed, seen.connection_id)) == 1
    await assert_sound(people, [one, other])


@pytest.mark.rule("ID-16", "MA-02", "MA-04")
async def test_of_several_mutual_interests_the_one_that_was_mutual_first_takes_the_last_slot(
    world: World, people: People
) -> None:
    member, first, second, third = await people.members("free", "free", "free", "free")
    for other in (third, second, first):
        await people.wish(member, other)
    await pause(world, member)
    for other in (first, second, third):
        await people.wish(other, member)
    await resume(world, member)
    (connection,) = await people.connections(member)
    assert connection.partner_id == first.id
    assert await people.statuses(member) == ["wiped", "wiped", "matched"]
    assert await people.statuses(second) == await people.statuses(third) == ["pending"]
    assert await people.wipes([member]) == [(member.id, 2)]
    await assert_sound(people, [member, first, second, third])


@pytest.mark.rule("ID-16", "MA-06", "MA-08")
async def test_each_slot_is_taken_by_the_next_pair_and_a_pair_connects_once(world: World, people: People) -> None:
    member, first, second, third = await people.members("plus", "plus", "free", "free")
    for other in (first, second, third):
        await people.wish(member, other)
    await people.wish(member, first, SERVER_TYPE_FRIEND)
    await pause(world, member)
    for other, server in (
        (first, SERVER_TYPE_PARTNER),
        (first, SERVER_TYPE_FRIEND),
        (second, SERVER_TYPE_PARTNER),
        (third, SERVER_TYPE_PARTNER),
    ):
        await people.wish(other, member, server)
    await resume(world, member)
    assert {each.partner_id for each in await people.connections(member)} == {first.id, second.id}
    await assert_sound(people, [member, first, second, third])


@pytest.mark.rule("ID-16", "MA-11", "MA-12", "SA-08")
async def test_what_cannot_match_does_not_match_after_a_pause_either(world: World, people: People) -> None:
    member, blocker, restricted, full, friend = await people.members("pro", "free", "free", "free", "free")
    for other in (blocker, restricted, full):
        await people.wish(member, other)
    await pause(world, member)
    for other in (blocker, restricted, full):
        await people.wish(other, member)
    await people.connect(full, friend)
    await world.publish(
        member_blocked(blocker, member, await world.now()),
        restriction_changed(restricted, 1, await world.now(), restricted=True),
    )
    await resume(world, member)
    assert await people.connections(member) == []
    await assert_sound(people, [member, blocker, restricted, full, friend])


@pytest.mark.rule("ID-16", "MA-11")
async def test_an_interest_expires_during_a_pause_and_matches_no_more(world: World, people: People) -> None:
    one, other = await people.members("free", "free")
    await people.wish(one, other)
    await pause(world, one)
    await people.wish(other, one)
    await world.move_clock(timedelta(days=14))
    await resume(world, one)
    assert await people.connections(one) == []
    assert await people.statuses(one) == ["expired"]


@pytest.mark.rule("ID-16", "ST-15")
async def test_connections_go_on_during_a_pause_and_the_partner_sees_nothing_of_it(
    world: World, people: People
) -> None:
    one, other = await people.members("free", "free")
    await people.connect(one, other)
    before = await people.all_that_is_shown(other), await people.all_that_is_shown(one)
    await pause(world, one)
    assert (await people.all_that_is_shown(other), await people.all_that_is_shown(one)) == before


@pytest.mark.rule("ID-16", "XX-02")
async def test_a_pause_that_arrives_after_its_end_pauses_nobody(world: World, people: People) -> None:
    one, other = await people.members("free", "free")
    await people.wish(one, other)
    await resume(world, one, version=6)
    await pause(world, one, version=5)
    assert (await people.wish(other, one)).HasField("connection")


@pytest.mark.rule("ID-09", "MA-09")
async def test_closing_ends_each_connection_neutrally(world: World, people: People) -> None:
    member, one, other, third, fourth = await people.members("plus", "free", "free", "free", "free")
    first = await people.connect(member, one)
    await people.connect(member, other, SERVER_TYPE_FRIEND)
    compared = await people.connect(third, fourth)
    closed_at = await world.now()
    await world.move_clock(timedelta(seconds=5))
    await world.publish(account_event(AccountClosed, member, 3, closed_at))
    await people.end(third, compared.connection_id)
    assert await people.connections(one) == await people.connections(other) == []
    (seen,), (plain,) = (
        await people.connections(one, show_ended=True),
        await people.connections(fourth, show_ended=True),
    )
    assert seen.status == CONNECTION_STATUS_ENDED
    for each in (seen, plain):
        each.ClearField("formed_at")
        each.ClearField("ended_at")
        each.connection_id = each.partner_id = ""
    assert seen == plain, "an ending by a closing must look like any other"
    (event,) = await world.events(ConnectionEnded, first.connection_id)
    assert (event.cause, event.ended_by_id) == (END_CAUSE_CLOSING, member.id)
    assert event.acted_at.ToDatetime() == closed_at.replace(tzinfo=None), "credits go by the moment of the closing"
    assert {reason for _, reason in await people.stored_endings(member, one, other)} == {"closing"}
    await assert_sound(people, [member, one, other, third, fourth])


@pytest.mark.rule("ID-09", "MA-11")
async def test_interests_of_and_to_a_closed_member_come_to_nothing_and_look_pending(
    world: World, people: People
) -> None:
    member, sent_to, admirer, late = await people.members("plus", "free", "free", "free")
    await people.wish(member, sent_to)
    await people.wish(admirer, member)
    before = await people.all_that_is_shown(admirer)
    await close(world, member)
    assert await people.all_that_is_shown(admirer) == before
    assert await people.statuses(member) == await people.statuses(admirer) == ["void"]
    assert not (await people.wish(sent_to, member)).HasField("connection")
    assert not (await people.wish(late, member)).HasField("connection")
    assert await people.statuses(late) == await people.statuses(sent_to) == ["void"]
    await world.publish(account_event(AccountReopened, member, 4, await world.now()))
    assert not (await people.wish(member, admirer, SERVER_TYPE_GROWTH)).HasField("connection")
    assert not (await people.wish(member, late)).HasField("connection"), "what was void before stays void"
    assert (await people.wish(late, member, SERVER_TYPE_GROWTH)).HasField("connection") is False
    assert (await people.wish(admirer, member, SERVER_TYPE_GROWTH)).HasField("connection"), "both wish it anew"
    await assert_sound(people, [member, sent_to, admirer, late])


@pytest.mark.rule("ID-13")
async def test_a_hidden_account_is_gone_like_a_closed_one(world: World, people: People) -> None:
    member, other, admirer = await people.members("plus", "free", "free")
    await people.connect(member, other)
    await people.wish(admirer, member)
    event = AccountHidden(user_id=member.id, version=3)
    event.occurred_at.FromDatetime(await world.now())
    await world.publish(event)
    assert await people.connections(other) == []
    assert await people.statuses(admirer) == ["void"]


@pytest.mark.rule("ID-09", "ID-16")
async def test_who_was_paused_when_closing_is_still_paused_when_back(world: World, people: People) -> None:
    one, other = await people.members("free", "free")
    await pause(world, one, 1)
    await close(world, one, 2)
    reopened = account_event(AccountReopened, one, 3, await world.now())
    reopened.paused = True
    await world.publish(reopened)
    assert (await refusal(people.wish(one, other))).reason == "ACCOUNT_PAUSED"


@pytest.mark.rule("ID-09", "MA-12")
async def test_a_connection_that_forms_before_the_closing_arrives_is_ended_when_it_arrives(
    world: World, people: People
) -> None:
    one, other = await people.members("free", "free")
    closed_at = await world.now()
    await people.connect(one, other)
    await world.publish(account_event(AccountClosed, one, 3, closed_at))
    assert await people.connections(other) == []


@pytest.mark.rule("ID-09", "XX-02")
async def test_a_closing_that_arrives_after_the_reopening_ends_only_what_is_older(world: World, people: People) -> None:
    member, old, new = await people.members("plus", "free", "free")
    await people.connect(member, old)
    closing = account_event(AccountClosed, member, 3, await world.now())
    await world.move_clock(timedelta(minutes=1))
    await world.publish(account_event(AccountReopened, member, 4, await world.now()))
    await world.move_clock(timedelta(minutes=1))
    await people.connect(member, new)
    await world.publish(closing)
    assert [each.partner_id for each in await people.connections(member)] == [new.id]
    await assert_sound(people, [member, old, new])


@pytest.mark.rule("ID-09", "ID-16", "MA-02", "MA-06")
@pytest.mark.parametrize("seed", range(3))
async def test_members_send_interests_while_others_pause_resume_and_close(
    world: World, people: People, seed: int
) -> None:
    members, use_cases = await people.members("plus", "plus", "free", "free", "pro", "pro"), UseCases(people)
    now = await world.now()

    async def live(member: Caller, number: int) -> None:
        for version in (1, 3):
            await use_cases.pause(account_event(AccountPaused, member, version, now))
            await use_cases.resume(account_event(AccountResumed, member, version + 1, now))
        if number % 3 == seed:
            await use_cases.close(account_event(AccountClosed, member, 9, now))

    async def wish(one: Caller, other: Caller) -> None:
        result = await attempt(people, one, other, "partner")
        assert result in ("SENT", "CONNECTED", "CAPACITY_FULL", "ACCOUNT_PAUSED", "uq_interests_one_pending")

    pairs = [(one, other) for one in members for other in members if one is not other]
    lives = [live(member, number) for number, member in enumerate(members)]
    await asyncio.gather(*lives, *(wish(one, other) for one, other in pairs[seed:] + pairs[:seed]))
    await assert_sound(people, members)
    for number, member in enumerate(members):
        if number % 3 == seed:
            assert await people.connections(member) == []
            assert "pending" not in await people.statuses(member)
