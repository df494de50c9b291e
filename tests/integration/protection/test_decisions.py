"""Decisions about a reported member, and their effects in all contexts (SA-03, SA-05 to SA-08, DI-10)."""

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
from unora_testing.world import Caller

from tests.integration.discovery.searching import search
from tests.integration.protection.dealing import require_not_dealt
from tests.integration.protection.scenario import Member, Scenario
from tests.support import refusal, request_id

SEARCHES = 600


async def reported(scenario: Scenario) -> tuple[Member, Member]:
    """Two members who see each other; the first has reported the second."""
    one, other = await scenario.add_pair()
    await scenario.safety.report(one, scenario.by_card((await scenario.cards(one))[other.id]), note="unkind")
    await scenario.world.drain()
    return one, other


async def count_appearances(scenario: Scenario, viewer: Caller, member: Caller) -> int:
    """In how many searches of the viewer a member appears; the seeds are the same each time."""
    now, seeds, found = await scenario.world.now(), Random(7), 0
    for _ in range(SEARCHES):
        criteria = SearchCriteria(
            hobbies=["chess"],
            not_shown_since=now,
            now=now,
            tie_seed=1,
            visibility_seed=seeds.getrandbits(63),
            visibility_below=visibility_below(scenario.world.apps["discovery"].config.reduced_visibility),
            ranked_limit=100,
        )
        result = await search(scenario.world, viewer.user, ServerType.PARTNER, criteria)
        found += member.user in {candidate.user_id for candidate in result.ranked}
    return found


@pytest.mark.rule("SA-03", "SA-05", "SA-07", "DI-10")
async def test_reduced_visibility_shows_a_tenth_and_changes_no_answer(scenario: Scenario) -> None:
    """A tenth of 600 is 60, with a standard deviation of 7; 25 and 95 are five deviations away."""
    one, other = await reported(scenario)
    stranger = await scenario.add_member()
    before = await scenario.read_all(other)
    assert await count_appearances(scenario, stranger, other) == SEARCHES
    await scenario.decide(other, DECISION_REDUCE_VISIBILITY)
    assert 25 < await count_appearances(scenario, stranger, other) < 95
    assert await count_appearances(scenario, stranger, one) == SEARCHES
    assert await scenario.read_all(other) == before
    (event,) = await scenario.world.events(RestrictionChanged, other.id)
    assert (event.reduced_visibility, event.restricted, event.suspended) == (True, False, False)


@pytest.mark.rule("SA-03", "SA-08", "MA-11", "XX-04")
async def test_a_restricted_member_sees_the_usual_answers_and_never_matches(scenario: Scenario) -> None:
    """The answers to a restricted member and to another are the same, except for ids and times."""
    one, other = await reported(scenario)
    await scenario.decide(other, DECISION_RESTRICT)
    theirs = await scenario.cards(other)
    sent = await scenario.matches.send(other, theirs[one.id].card_id)
    await scenario.world.drain()
    assert not sent.HasField("connection")
    assert sent.interest.status == INTEREST_STATUS_PENDING
    # The other may answer by an earlier card: it does not match, and both interests look the same.
    mine = await scenario.cards(one)
    answer = await scenario.matches.send(one, mine[other.id].card_id)
    assert not answer.HasField("connection")
    await scenario.world.drain()
    for member in (one, other):
        assert [each.status for each in await scenario.matches.sent(member)] == [INTEREST_STATUS_PENDING]
        assert (await scenario.matches.inventory(member)).pending_interest_count == 1
        assert not await scenario.matches.connections(member)
    again = await refusal(scenario.matches.send(other, theirs[one.id].card_id))
    assert again == await refusal(scenario.matches.send(one, mine[other.id].card_id))
    assert again.reason == "INTEREST_EXISTS"
    # They are not shown to a newcomer, for whom only four others are left.
    stranger = await scenario.add_member()
    await scenario.pool.leave(one)
    assert (await refusal(scenario.pool.refresh(stranger))).reason == "POOL_TOO_SMALL"
    # After an appeal the restriction is lifted, and they are shown again. The earlier interest still looks pending, and
    # never matches.
    await scenario.safety.appeal(other)
    await scenario.decide(other, DECISION_DISMISS)
    assert other.id in await scenario.cards(stranger)
    assert [each.status for each in await scenario.matches.sent(other)] == [INTEREST_STATUS_PENDING]
    assert not await scenario.matches.connections(one)
    # Withdrawn and sent again it is a new interest, which finds the waiting answer.
    (pending,) = await scenario.matches.sent(other)
    await scenario.matches.withdraw(other, pending.interest_id)
    matched = await scenario.matches.send(other, theirs[one.id].card_id)
    assert matched.connection.partner_id == one.id


@pytest.mark.rule("SA-08", "SA-03")
async def test_connections_continue_during_a_restriction_and_neither_member_notices(scenario: Scenario) -> None:
    one, other = await scenario.add_pair()
    connection = await scenario.connect(one, other)
    streak_id = (await scenario.streak(one, connection.connection_id)).streak_id
    await scenario.safety.report(one, scenario.by_connection(connection))
    before = [await scenario.read_all(member, streak_id) for member in (one, other)]
    await scenario.decide(other, DECISION_RESTRICT)
    assert [await scenario.read_all(member, streak_id) for member in (one, other)] == before
    await scenario.check_in(streak_id, one, other)
    assert (await scenario.streak(one, connection.connection_id)).completed_days == 1


async def require_session_refused_everywhere(scenario: Scenario, caller: Member, streak_id: str) -> None:
    """Every context refuses every token of this session, and it cannot be refreshed."""
    for name, read in scenario.reads(caller, streak_id).items():
        refused = await refusal(read())
        assert (refused.code, refused.reason) == ("UNAUTHENTICATED", "SESSION_REVOKED"), name
    assert (await refusal(scenario.arrivals.refresh(caller.refresh_token))).reason == "SESSION_INVALID"


async def require_only_appeals_allowed(
    scenario: Scenario, again: Member, connection: Connection, streak_id: str
) -> None:
    """Also with a refreshed token; then they appeal."""
    for name, read in scenario.reads(again, streak_id).items():
        if name in {"account", "sessions"}:
            await read()
        else:
            assert (await refusal(read())).reason == "ACCOUNT_SUSPENDED", name
    asked: list[Any] = [
        scenario.pool.join(again),
        scenario.safety.report(again, scenario.by_connection(connection)),
        scenario.safety.block(again, scenario.by_connection(connection)),
    ]
    for call in asked:
        assert (await refusal(call)).reason == "ACCOUNT_SUSPENDED"
    refreshed = await scenario.arrivals.refresh(again.refresh_token)
    again.token = refreshed.tokens.access_token
    assert (await refusal(scenario.pool.screen(again))).reason == "ACCOUNT_SUSPENDED"
    await scenario.safety.appeal(again, "it was not me")


@pytest.mark.rule("SA-06", "MA-09", "BI-05")
async def test_a_suspension_and_its_end_take_effect_in_all_contexts(scenario: Scenario) -> None:
    one, other = await scenario.add_pair()
    await scenario.subscribe(other, "PLUS")
    connection = await scenario.connect(one, other)
    streak_id = (await scenario.streak(one, connection.connection_id)).streak_id
    await scenario.safety.report(one, scenario.by_connection(connection), note="a threat")
    # One misses a day and pays for the recovery, which is protected for a day.
    await scenario.check_in(streak_id, other)
    await scenario.next_day(one, connection.connection_id)
    await scenario.recover(one, streak_id)
    second = await scenario.sign_in(other.phone)
    assert second.user == other.user
    assert await scenario.read_all(second)

    await scenario.decide(other, DECISION_SUSPEND)

    for caller in (other, second):
        await require_session_refused_everywhere(scenario, caller, streak_id)
    # The partner sees one neutral end, and gets the money back as credits.
    (ended,) = await scenario.world.events(ConnectionEnded, connection.connection_id)
    assert (ended.ended_by_id, ended.cause) == (other.id, END_CAUSE_SUSPENSION)
    shown = await scenario.matches.connection(one, connection.connection_id)
    assert shown.status == CONNECTION_STATUS_ENDED
    assert [field.name for field, _ in shown.ListFields()] == [
        "connection_id",
        "server_type",
        "partner_id",
        "status",
        "formed_at",
        "ended_at",
    ]
    closed = [
        each for each in await scenario.world.events(ProtectionClosed) if each.connection_id == shown.connection_id
    ]
    assert [(each.converted, each.payer_id) for each in closed] == [(True, one.id)]
    answers = await scenario.read_all(one, streak_id)
    assert b"uspen" not in b"".join(answers.values())
    # Billing: the subscription ends at once.
    assert [each.tier for each in await scenario.world.events(TierChanged, other.id)] == [TIER_PLUS, TIER_FREE]
    # A suspended member is on no card.
    stranger = await require_not_dealt(scenario, other, beside=[one])

    # After a new sign-in they see only their account and their sessions, and can appeal.
    again = await scenario.sign_in(other.phone)
    assert (await scenario.account(again)).suspended
    await require_only_appeals_allowed(scenario, again, connection, streak_id)

    await scenario.decide(other, DECISION_DISMISS)
    assert (await scenario.moderators.newest_case(other)).appealed
    # An old token stays suspended until it is exchanged.
    assert (await refusal(scenario.pool.screen(again))).reason == "ACCOUNT_SUSPENDED"
    back = await scenario.sign_in(other.phone)
    assert not (await scenario.account(back)).suspended
    assert await scenario.read_all(back, streak_id)
    answer = await scenario.billing.GetSubscription(GetSubscriptionRequest(), metadata=back.metadata)
    assert answer.tier == TIER_FREE
    await scenario.pool.leave(one)
    await scenario.much_later(back, stranger)
    assert (await scenario.connect(stranger, back)).partner_id == stranger.id
    # The old sessions stay revoked.
    assert (await refusal(scenario.account(other))).reason == "SESSION_REVOKED"


@pytest.mark.rule("SA-06", "MA-12")
async def test_a_match_formed_during_a_suspension_is_ended(scenario: Scenario) -> None:
    """Safety has decided, and matching does not have the event yet: a connection formed meanwhile ends."""
    one, other = await reported(scenario)
    await scenario.send_interest(other, one)
    cards = await scenario.cards(one)
    await scenario.moderators.decide_newest_case(other, DECISION_SUSPEND)  # no context has the event yet
    made = await scenario.matches.send(one, cards[other.id].card_id)
    assert made.HasField("connection")
    await scenario.world.drain()
    assert not await scenario.matches.connections(one)
    assert (await scenario.matches.inventory(one)).active_connection_count == 0


@pytest.mark.rule("SA-03", "SA-05", "SA-07")
async def test_a_dismissed_report_changes_no_answer_to_any_member(scenario: Scenario) -> None:
    one, other = await scenario.add_pair()
    card = (await scenario.cards(one))[other.id]
    mine, theirs = await scenario.read_all(one), await scenario.read_all(other)
    await scenario.safety.report(one, scenario.by_card(card), request=request_id())
    await scenario.world.drain()
    await scenario.decide(other, DECISION_DISMISS)
    assert await scenario.read_all(one) == mine
    assert await scenario.read_all(other) == theirs
    assert not await scenario.world.events(RestrictionChanged, other.id)


@pytest.mark.rule("SA-06")
async def test_sessions_do_not_depend_on_the_rule_clock(scenario: Scenario) -> None:
    """Tokens use the machine's clock: moving the rule clock neither revokes nor renews them."""
    member = await scenario.sign_in()
    await scenario.world.move_clock(timedelta(days=20))
    assert (await scenario.account(member)).user_id == member.id
