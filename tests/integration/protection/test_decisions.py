"""From a report to what is done about it, everywhere, and to its end (SA-03, SA-05 to SA-08, DI-10)."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from unora.billing.v1.billing_service_pb2 import GetSubscriptionRequest
from unora.billing.v1.events_pb2 import ProtectionClosed, TierChanged
from unora.common.v1.types_pb2 import TIER_FREE, TIER_PLUS
from unora.matching.v1.events_pb2 import END_CAUSE_SUSPENSION, ConnectionEnded
from unora.matching.v1.matching_service_pb2 import CONNECTION_STATUS_ENDED, INTEREST_STATUS_PENDING, Connection
from unora.safety.v1.events_pb2 import (
    DECISION_DISMISS,
    DECISION_REDUCE_VISIBILITY,
    DECISION_RESTRICT,
    DECISION_SUSPEND,
    RestrictionChanged,
)
from unora_discovery.domain.randomness import visibility_below
from unora_discovery.domain.search import SearchCriteria
from unora_discovery.domain.servers import ServerType
from unora_discovery.store.search import search
from unora_testing.world import Caller

from tests.integration.protection.town import Resident, Town
from tests.support import refusal, request_id

SEARCHES = 600


async def reported(town: Town) -> tuple[Resident, Resident]:
    """Two who see each other, and one of them has reported the other."""
    one, other = await town.couple()
    await town.meetings.report(one, town.by_card((await town.cards(one))[other.id]), note="unkind")
    await town.world.drain()
    return one, other


async def takes_part(town: Town, viewer: Caller, who: Caller) -> int:
    """In how many searches of the viewer a member takes part, for seeds that are the same each time."""
    now, seeds, found = await town.world.now(), Random(7), 0
    async with town.world.apps["discovery"].database.session() as session:
        for _ in range(SEARCHES):
            criteria = SearchCriteria(
                hobbies=["chess"],
                not_shown_since=now,
                now=now,
                tie_seed=1,
                visibility_seed=seeds.getrandbits(63),
                visibility_below=visibility_below(town.world.apps["discovery"].config.reduced_visibility),
                ranked_limit=100,
            )
            result = await search(session, viewer.user, ServerType.PARTNER, criteria)
            found += who.user in {candidate.user_id for candidate in result.ranked}
    return found


@pytest.mark.rule("SA-03", "SA-05", "SA-07", "DI-10")
async def test_reduced_visibility_is_a_tenth_and_no_answer_tells(town: Town) -> None:
    """A tenth of 600 is 60, give or take seven; 25 and 95 are five times that away."""
    one, other = await reported(town)
    stranger = await town.arrive()
    before = await town.told(other)
    assert await takes_part(town, stranger, other) == SEARCHES
    await town.decide(other, DECISION_REDUCE_VISIBILITY)
    assert 25 < await takes_part(town, stranger, other) < 95
    assert await takes_part(town, stranger, one) == SEARCHES
    assert await town.told(other) == before
    (told,) = await town.world.events(RestrictionChanged, other.id)
    assert (told.reduced_visibility, told.restricted, told.suspended) == (True, False, False)


@pytest.mark.rule("SA-03", "SA-08", "MA-11", "XX-04")
async def test_who_is_restricted_sees_what_anybody_sees_and_never_matches(town: Town) -> None:
    """The same steps beside somebody of good standing: the answers are the same but for ids and times."""
    one, other = await reported(town)
    await town.decide(other, DECISION_RESTRICT)
    theirs = await town.cards(other)
    sent = await town.matches.send(other, theirs[one.id].card_id)
    await town.world.drain()
    assert not sent.HasField("connection")
    assert sent.interest.status == INTEREST_STATUS_PENDING
    # One may answer by a card from before: nothing comes of it, for either, and both look alike.
    mine = await town.cards(one)
    answer = await town.matches.send(one, mine[other.id].card_id)
    assert not answer.HasField("connection")
    await town.world.drain()
    for member in (one, other):
        assert [each.status for each in await town.matches.sent(member)] == [INTEREST_STATUS_PENDING]
        assert (await town.matches.inventory(member)).pending_interest_count == 1
        assert not await town.matches.connections(member)
    again = await refusal(town.matches.send(other, theirs[one.id].card_id))
    assert again == await refusal(town.matches.send(one, mine[other.id].card_id))
    assert again.reason == "INTEREST_EXISTS"
    # Not shown to a newcomer, who has four others without them.
    stranger = await town.arrive()
    await town.pool.leave(one)
    assert (await refusal(town.pool.refresh(stranger))).reason == "POOL_TOO_SMALL"
    # Lifted after an appeal, they are shown again. What they sent goes on looking as it did, and matches nobody.
    await town.meetings.appeal(other)
    await town.decide(other, DECISION_DISMISS)
    assert other.id in await town.cards(stranger)
    assert [each.status for each in await town.matches.sent(other)] == [INTEREST_STATUS_PENDING]
    assert not await town.matches.connections(one)
    # Taken back and sent anew it is a new one, and finds the answer that waits.
    (pending,) = await town.matches.sent(other)
    await town.matches.withdraw(other, pending.interest_id)
    matched = await town.matches.send(other, theirs[one.id].card_id)
    assert matched.connection.partner_id == one.id


@pytest.mark.rule("SA-08", "SA-03")
async def test_connections_go_on_through_a_restriction_and_neither_notices(town: Town) -> None:
    one, other = await town.couple()
    connection = await town.connect(one, other)
    streak_id = (await town.streak(one, connection.connection_id)).streak_id
    await town.meetings.report(one, town.by_connection(connection))
    before = [await town.told(member, streak_id) for member in (one, other)]
    await town.decide(other, DECISION_RESTRICT)
    assert [await town.told(member, streak_id) for member in (one, other)] == before
    await town.check_in(streak_id, one, other)
    assert (await town.streak(one, connection.connection_id)).completed_days == 1


async def is_out_everywhere(town: Town, caller: Resident, streak_id: str) -> None:
    """Every context refuses every token of this session, and it cannot be refreshed."""
    for name, read in town.reads(caller, streak_id).items():
        refused = await refusal(read())
        assert (refused.code, refused.reason) == ("UNAUTHENTICATED", "SESSION_REVOKED"), name
    assert (await refusal(town.arrivals.refresh(caller.refresh_token))).reason == "SESSION_INVALID"


async def may_only_appeal(town: Town, again: Resident, connection: Connection, streak_id: str) -> None:
    """Also with a token that was refreshed; they appeal."""
    for name, read in town.reads(again, streak_id).items():
        if name in {"account", "sessions"}:
            await read()
        else:
            assert (await refusal(read())).reason == "ACCOUNT_SUSPENDED", name
    asked: list[Any] = [
        town.pool.join(again),
        town.meetings.report(again, town.by_connection(connection)),
        town.meetings.block(again, town.by_connection(connection)),
    ]
    for call in asked:
        assert (await refusal(call)).reason == "ACCOUNT_SUSPENDED"
    refreshed = await town.arrivals.refresh(again.refresh_token)
    again.token = refreshed.tokens.access_token
    assert (await refusal(town.pool.screen(again))).reason == "ACCOUNT_SUSPENDED"
    await town.meetings.appeal(again, "it was not me")


@pytest.mark.rule("SA-06", "MA-09", "BI-05")
async def test_a_suspension_is_felt_everywhere_and_its_lifting_too(town: Town) -> None:
    one, other = await town.couple()
    await town.subscribe(other, "PLUS")
    connection = await town.connect(one, other)
    streak_id = (await town.streak(one, connection.connection_id)).streak_id
    await town.meetings.report(one, town.by_connection(connection), note="a threat")
    # One misses a day and pays for it; that is protected for a day.
    await town.check_in(streak_id, other)
    await town.next_day(one, connection.connection_id)
    await town.recover(one, streak_id)
    second = await town.sign_in(other.phone)
    assert second.user == other.user
    assert await town.told(second)

    await town.decide(other, DECISION_SUSPEND)

    for caller in (other, second):
        await is_out_everywhere(town, caller, streak_id)
    # The partner has one neutral ending, and their money back.
    (ended,) = await town.world.events(ConnectionEnded, connection.connection_id)
    assert (ended.ended_by_id, ended.cause) == (other.id, END_CAUSE_SUSPENSION)
    shown = await town.matches.connection(one, connection.connection_id)
    assert shown.status == CONNECTION_STATUS_ENDED
    assert [field.name for field, _ in shown.ListFields()] == [
        "connection_id",
        "server_type",
        "partner_id",
        "status",
        "formed_at",
        "ended_at",
    ]
    closed = [each for each in await town.world.events(ProtectionClosed) if each.connection_id == shown.connection_id]
    assert [(each.converted, each.payer_id) for each in closed] == [(True, one.id)]
    told = await town.told(one, streak_id)
    assert b"uspen" not in b"".join(told.values())
    # Billing: the subscription is over at once.
    assert [each.tier for each in await town.world.events(TierChanged, other.id)] == [TIER_PLUS, TIER_FREE]
    # Who is suspended is on nobody's card: of six in the server five are left, so a newcomer has just five others.
    stranger = await town.arrive()
    assert other.id not in await town.cards(stranger)

    # Signed in again, they see their account and their sessions and can appeal. Nothing else.
    again = await town.sign_in(other.phone)
    assert (await town.account(again)).suspended
    await may_only_appeal(town, again, connection, streak_id)

    await town.decide(other, DECISION_DISMISS)
    assert (await town.office.case_of(other)).appealed
    # Until it is exchanged the token says what it said.
    assert (await refusal(town.pool.screen(again))).reason == "ACCOUNT_SUSPENDED"
    back = await town.sign_in(other.phone)
    assert not (await town.account(back)).suspended
    assert await town.told(back, streak_id)
    answer = await town.billing.GetSubscription(GetSubscriptionRequest(), metadata=back.metadata)
    assert answer.tier == TIER_FREE
    await town.pool.leave(one)
    await town.much_later(back, stranger)
    assert (await town.connect(stranger, back)).partner_id == stranger.id
    # The old sessions stay closed.
    assert (await refusal(town.account(other))).reason == "SESSION_REVOKED"


@pytest.mark.rule("SA-06", "MA-12")
async def test_a_match_that_comes_with_a_suspension_is_ended(town: Town) -> None:
    """Safety has decided, matching has not heard of it: what forms meanwhile does not last."""
    one, other = await reported(town)
    await town.wish(other, one)
    cards = await town.cards(one)
    await town.office.settle_case(other, DECISION_SUSPEND)  # and nobody has heard of it yet
    made = await town.matches.send(one, cards[other.id].card_id)
    assert made.HasField("connection")
    await town.world.drain()
    assert not await town.matches.connections(one)
    assert (await town.matches.inventory(one)).active_connection_count == 0


@pytest.mark.rule("SA-03", "SA-05", "SA-07")
async def test_a_report_that_is_dismissed_leaves_no_trace_for_anybody(town: Town) -> None:
    one, other = await town.couple()
    card = (await town.cards(one))[other.id]
    mine, theirs = await town.told(one), await town.told(other)
    await town.meetings.report(one, town.by_card(card), request=request_id())
    await town.world.drain()
    await town.decide(other, DECISION_DISMISS)
    assert await town.told(one) == mine
    assert await town.told(other) == theirs
    assert not await town.world.events(RestrictionChanged, other.id)


@pytest.mark.rule("SA-06")
async def test_a_suspension_does_not_wait_for_the_clock_of_rules(town: Town) -> None:
    """Tokens go by the machine's clock: to move that of rules neither revokes nor frees anybody."""
    who = await town.sign_in()
    await town.world.move_clock(timedelta(days=20))
    assert (await town.account(who)).user_id == who.id
