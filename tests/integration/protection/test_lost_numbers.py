"""ID-09, ID-13: accounts that lose their number or are closed, and come back: what that means in all contexts."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from google.type.date_pb2 import Date
from unora.identity.v1.account_service_pb2 import (
    CloseAccountRequest,
    LinkedAccount,
    RecoverAccountRequest,
    RecoveryProof,
    ReopenAccountRequest,
)
from unora.matching.v1.matching_service_pb2 import CONNECTION_STATUS_ENDED
from unora.safety.v1.events_pb2 import DECISION_SUSPEND, FLAG_PATTERN_SUSPENDED_BEFORE
from unora_testing.invariants import accounts

from tests.integration.identity.people import ADA
from tests.integration.identity.test_oauth import Provider
from tests.integration.protection.dealing import require_dealt, require_not_dealt
from tests.integration.protection.scenario import Member, Scenario
from tests.support import refusal, request_id

pytestmark = pytest.mark.rule("ID-13")
WRONG = Date(year=1990, month=12, day=11)


async def code_to(scenario: Scenario, phone: str) -> tuple[str, str]:
    challenge = (await scenario.arrivals.start(phone)).challenge_id
    return challenge, scenario.arrivals.codes(phone)[-1]


async def lose_number(scenario: Scenario, member: Member) -> Member:
    """The next owner of the number; the member has not used the account for long."""
    people = scenario.arrivals
    await people.leave_unused(member.signed)
    given = await code_to(scenario, member.phone)
    for _ in range(2):
        assert (await refusal(people.verify(*given, born=WRONG))).reason == "BIRTH_DATE_WRONG"
    new = await people.verify(*given, born=WRONG)
    assert new.created
    await scenario.world.drain()
    return Member(member.phone, UUID(new.user_id), new.tokens.access_token, new.tokens.refresh_token)


async def hold(scenario: Scenario) -> None:
    for invariant in accounts.INVARIANTS:
        rows = await scenario.world.superuser.fetch(invariant.sql)
        assert not rows, f"{invariant.name}: {rows}"


@pytest.mark.rule("ID-09", "MA-09")
async def test_who_loses_the_number_is_gone_for_all_others_and_comes_back_without_connections(
    scenario: Scenario,
) -> None:
    me, partner = await scenario.add_pair()
    openid, subject = Provider(scenario.world), f"subject-{uuid4()}"
    await openid.link(me.signed, openid.token(me.signed, subject))
    connection = await scenario.connect(me, partner)
    await scenario.play(connection, me, partner, 2)
    await scenario.subscribe(me, "PLUS")
    await lose_number(scenario, me)
    (ended,) = await scenario.matches.connections(partner, show_ended=True)
    assert (ended.connection_id, ended.status) == (connection.connection_id, CONNECTION_STATUS_ENDED)
    assert (await refusal(scenario.account(me))).reason == "SESSION_REVOKED"
    await require_not_dealt(scenario, me)
    await hold(scenario)

    phone = scenario.arrivals.number()
    challenge, code = await code_to(scenario, phone)
    linked = LinkedAccount(provider="played", id_token=openid.token(me.signed, subject, nonce=challenge))
    asked = RecoverAccountRequest(
        request_id=request_id(), challenge_id=challenge, code=code, proof=RecoveryProof(linked_account=linked)
    )
    back = await scenario.arrivals.accounts.RecoverAccount(asked)
    me = Member(phone, UUID(back.user_id), back.tokens.access_token, back.tokens.refresh_token)
    await scenario.world.drain()
    assert await scenario.matches.connections(me) == []
    await require_dealt(scenario, me)
    await hold(scenario)


@pytest.mark.rule("ID-16", "SA-03", "XX-04")
async def test_an_admirer_does_not_see_that_a_member_lost_the_number(scenario: Scenario) -> None:
    me, admirer = await scenario.add_pair()
    await scenario.send_interest(admirer, me)
    before = await scenario.read_all(admirer)
    await lose_number(scenario, me)
    assert await scenario.read_all(admirer) == before


@pytest.mark.rule("ID-09", "SA-04", "SA-06")
async def test_a_suspension_is_not_shed_with_the_number(scenario: Scenario) -> None:
    me, other = await scenario.add_pair()
    await scenario.safety.report(other, scenario.by_card((await scenario.cards(other))[me.id]))
    await scenario.decide(me, DECISION_SUSPEND)
    new = await lose_number(scenario, me)
    (flag,) = await scenario.moderators.flags_of(new)
    assert (flag.pattern, list(flag.evidence_ids)) == (FLAG_PATTERN_SUSPENDED_BEFORE, [me.id])


@pytest.mark.rule("ID-09")
async def test_who_opens_a_closed_account_again_is_dealt_and_connects_anew(scenario: Scenario) -> None:
    me, other = await scenario.add_pair()
    close = CloseAccountRequest(request_id=request_id())
    await scenario.arrivals.accounts.CloseAccount(close, metadata=me.metadata)
    await scenario.world.drain()
    await hold(scenario)
    challenge, code = await code_to(scenario, me.phone)
    asked = ReopenAccountRequest(
        request_id=request_id(), challenge_id=challenge, code=code, birth_date=ADA.date_of_birth
    )
    opened = await scenario.arrivals.accounts.ReopenAccount(asked)
    me = Member(me.phone, UUID(opened.user_id), opened.tokens.access_token, opened.tokens.refresh_token)
    await scenario.world.drain()
    await hold(scenario)
    connection = await scenario.connect(me, other)
    assert (await scenario.streak(me, connection.connection_id)).connection_id == connection.connection_id
