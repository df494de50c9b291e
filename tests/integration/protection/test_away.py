"""ID-09, ID-16: members pause and close their accounts, and what that means in all contexts, through the streams."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from unora.identity.v1.account_service_pb2 import CloseAccountRequest, PauseAccountRequest, ResumeAccountRequest
from unora.matching.v1.events_pb2 import END_CAUSE_CLOSING, ConnectionEnded
from unora.matching.v1.matching_service_pb2 import CONNECTION_STATUS_ACTIVE, CONNECTION_STATUS_ENDED
from unora.safety.v1.events_pb2 import DECISION_RESTRICT, DECISION_SUSPEND
from unora.streak.v1.streak_service_pb2 import STREAK_STATE_ACTIVE
from unora_testing.invariants import accounts

from tests.integration.protection.dealing import require_dealt, require_not_dealt
from tests.integration.protection.scenario import Member, Scenario
from tests.support import refusal, request_id


async def pause(scenario: Scenario, member: Member) -> None:
    asked = PauseAccountRequest(request_id=request_id())
    await scenario.arrivals.accounts.PauseAccount(asked, metadata=member.metadata)
    await scenario.world.drain()


async def resume(scenario: Scenario, member: Member) -> None:
    asked = ResumeAccountRequest(request_id=request_id())
    await scenario.arrivals.accounts.ResumeAccount(asked, metadata=member.metadata)
    await scenario.world.drain()


async def close(scenario: Scenario, member: Member) -> None:
    asked = CloseAccountRequest(request_id=request_id())
    await scenario.arrivals.accounts.CloseAccount(asked, metadata=member.metadata)


@pytest.mark.rule("ID-16", "DI-09", "DI-13")
async def test_a_paused_member_is_dealt_to_nobody_and_gets_no_cards_until_they_resume(scenario: Scenario) -> None:
    me, other = await scenario.add_pair()
    await scenario.send_interest(other, me)
    mine = await scenario.cards(me)
    await pause(scenario, other)
    assert await scenario.cards(me) == mine, "cards that were dealt stay"
    await pause(scenario, me)
    refused = await refusal(scenario.pool.refresh(me))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "ACCOUNT_PAUSED")
    await require_not_dealt(scenario, me, other)
    await resume(scenario, me)
    await require_dealt(scenario, me)
    await scenario.pool.refresh(me)


@pytest.mark.rule("ID-16", "MA-01")
async def test_an_interest_that_becomes_mutual_during_a_pause_matches_when_it_ends(scenario: Scenario) -> None:
    me, other = await scenario.add_pair()
    theirs = await scenario.cards(other)
    await scenario.send_interest(me, other)
    await pause(scenario, me)
    sent = await scenario.matches.send(other, theirs[me.id].card_id)
    assert not sent.HasField("connection")
    await scenario.world.drain()
    await resume(scenario, me)
    (connection,) = await scenario.matches.connections(other)
    assert (await scenario.streak(other, connection.connection_id)).state == STREAK_STATE_ACTIVE


@pytest.mark.rule("ID-16", "ST-15")
async def test_a_pause_shows_a_partner_nothing_and_the_streak_goes_on(scenario: Scenario) -> None:
    me, partner = await scenario.add_pair()
    connection = await scenario.connect(me, partner)
    streak_id = (await scenario.streak(me, connection.connection_id)).streak_id
    before = await scenario.read_all(partner, streak_id)
    await pause(scenario, me)
    assert await scenario.read_all(partner, streak_id) == before
    await scenario.check_in(streak_id, me, partner)
    assert (await scenario.streak(partner, connection.connection_id)).completed_days == 1


@pytest.mark.rule("ID-09", "ID-16", "SA-03", "XX-04")
async def test_to_who_has_a_card_or_an_interest_all_who_are_away_look_like_all_others(scenario: Scenario) -> None:
    """What the admirer reads is the same, byte by byte, whatever becomes of the member on the card."""
    ways: dict[str, Any] = {
        "pauses": lambda me, _: pause(scenario, me),
        "closes": lambda me, _: close(scenario, me),
        "is restricted": lambda me, admirer: report_and_decide(scenario, me, admirer, DECISION_RESTRICT),
        "is suspended": lambda me, admirer: report_and_decide(scenario, me, admirer, DECISION_SUSPEND),
    }
    for what, act in ways.items():
        me, admirer = await scenario.add_pair()
        await scenario.send_interest(admirer, me)
        before = await scenario.read_all(admirer)
        await act(me, admirer)
        await scenario.world.drain()
        assert await scenario.read_all(admirer) == before, f"an admirer must not see that a member {what}"


async def report_and_decide(scenario: Scenario, member: Member, admirer: Member, decision: Any) -> None:
    """A newcomer, who is dealt the member and the admirer, reports the member."""
    reporter = await require_dealt(scenario, member, admirer)
    await scenario.safety.report(reporter, scenario.by_card((await scenario.cards(reporter))[member.id]))
    await scenario.decide(member, decision)


@pytest.mark.rule("ID-09", "MA-09", "RE-10", "BI-03")
async def test_closing_takes_effect_in_all_contexts_at_once(scenario: Scenario) -> None:
    me, partner = await scenario.add_pair()
    connection = await scenario.connect(me, partner)
    streak_id = await scenario.play(connection, me, partner, 2)
    again = await scenario.sign_in(me.phone)
    await scenario.subscribe(again, "PLUS")
    await close(scenario, again)
    await scenario.world.drain()
    (ended,) = await scenario.matches.connections(partner, show_ended=True)
    assert ended.status == CONNECTION_STATUS_ENDED
    (event,) = await scenario.world.events(ConnectionEnded, connection.connection_id)
    assert event.cause == END_CAUSE_CLOSING
    assert (await refusal(scenario.open(partner, streak_id, 1))).reason
    for member in (me, again):
        refused = await refusal(scenario.account(member))
        assert refused.reason == "SESSION_REVOKED"
    await require_not_dealt(scenario, me)
    await assert_gone(scenario, me)


@pytest.mark.rule("ID-09", "MA-12")
@pytest.mark.parametrize("after_event", [False, True])
async def test_closing_and_an_answered_interest_at_once_leave_no_connection(
    scenario: Scenario, *, after_event: bool
) -> None:
    """The interest is answered before the event arrives, or after it."""
    me, other = await scenario.add_pair()
    theirs = await scenario.cards(other)
    await scenario.send_interest(me, other)
    await close(scenario, me)
    if after_event:
        await scenario.world.drain()
    sent = await scenario.matches.send(other, theirs[me.id].card_id)
    assert sent.HasField("connection") is not after_event
    await scenario.world.drain()
    assert await scenario.matches.connections(other) == []
    await assert_gone(scenario, me)


@pytest.mark.rule("ID-09", "ST-04")
async def test_closing_and_check_ins_at_once_end_in_one_terminated_streak(scenario: Scenario) -> None:
    me, partner = await scenario.add_pair()
    connection = await scenario.connect(me, partner)
    streak_id = (await scenario.streak(me, connection.connection_id)).streak_id
    done = await asyncio.gather(
        close(scenario, me),
        scenario.check_in(streak_id, me),
        scenario.check_in(streak_id, partner),
        return_exceptions=True,
    )
    assert done[0] is None
    await scenario.world.drain()
    assert all(each.status != CONNECTION_STATUS_ACTIVE for each in await scenario.matches.connections(partner))
    state = await scenario.world.superuser.fetchval("SELECT streak_state FROM streak.streaks WHERE id = $1", streak_id)
    assert state == "terminated"
    await assert_gone(scenario, me)


async def assert_gone(scenario: Scenario, member: Member) -> None:
    """Nothing is left of a closed account that could have an effect."""
    superuser = scenario.world.superuser
    for invariant in accounts.INVARIANTS:
        rows = await superuser.fetch(invariant.sql)
        assert not rows, f"{invariant.name}: {rows}"
    assert await superuser.fetchval("SELECT closed_at FROM identity.users WHERE id = $1", member.user)
