"""ID-13: an account that lost its number comes back by a check of its Gov ID."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import grpc
import pytest
from unora_testing.world import World

from tests.integration.identity.people import ADA, People
from tests.integration.identity.recovery_desk import NOTHING, WRONG, Desk, said
from tests.integration.identity.stored import clean_up
from tests.support import read_refusal, refusal, request_id

pytestmark = pytest.mark.rule("ID-13")


@pytest.fixture
def desk(world: World, people: People) -> Desk:
    return Desk(world, people)


@pytest.mark.rule("ID-06")
async def test_it_comes_back_by_its_gov_id(world: World, people: People, desk: Desk) -> None:
    signed, _, token = await desk.verified()
    number = people.number()
    given = await desk.code(number)
    check = await desk.start_check(given)
    assert check.reference in check.url
    pending = await refusal(desk.ask(given, gov_id_reference=check.reference))
    assert said(pending) == ("FAILED_PRECONDITION", "GOV_ID_PENDING", {})
    await desk.gov.result(check.reference, token)
    await world.move_clock(timedelta(minutes=20))  # a check may take longer than a code lives
    given = await desk.code(number)
    assert (await desk.ask(given, gov_id_reference=check.reference)).user_id == signed.member.id
    (stored,) = await people.rows("recovery_checks", id=UUID(check.reference))
    assert ADA.name not in str(stored)
    assert (await people.sign_in(number)).member.id == signed.member.id


async def test_another_person_another_number_and_a_refused_check_recover_nothing(
    world: World, people: People, desk: Desk
) -> None:
    signed, _, token = await desk.verified()
    number = people.number()
    given, other = await desk.code(number), await desk.code()
    stranger, refused, proven = [(await desk.start_check(given)).reference for _ in range(3)]
    await desk.gov.result(stranger)
    await desk.gov.result(refused, token, "refused")
    await desk.gov.result(proven, token)
    await desk.gov.result(proven, token, "refused")  # a verification is final
    for code, reference in ((given, stranger), (given, refused), (other, proven), (given, request_id())):
        assert said(await refusal(desk.ask(code, gov_id_reference=reference))) == NOTHING
    assert (await desk.ask(given, gov_id_reference=proven)).user_id == signed.member.id


async def test_a_check_counts_for_a_day_and_is_deleted_then(world: World, people: People, desk: Desk) -> None:
    _, _, token = await desk.verified()
    number = people.number()
    reference = (await desk.start_check(await desk.code(number))).reference
    await desk.gov.result(reference, token)
    await world.move_clock(timedelta(days=1))
    assert said(await refusal(desk.ask(await desk.code(number), gov_id_reference=reference))) == NOTHING
    await clean_up(world, timedelta(hours=24)).purge_sign_ins()
    assert len(await people.rows("recovery_checks", id=UUID(reference))) == 1
    await clean_up(world, timedelta(hours=26)).purge_sign_ins()
    assert await people.rows("recovery_checks", id=UUID(reference)) == []


async def test_a_check_needs_the_right_code_and_leaves_it_usable(people: People, desk: Desk) -> None:
    number = people.number()
    challenge, code = await desk.code(number)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    assert (await refusal(desk.start_check((challenge, wrong)))).metadata == {"tries_left": "4"}
    assert await people.rows("recovery_checks", phone_hash=people.resources.hasher.phone(number)) == []
    call = request_id()
    first = await desk.start_check((challenge, code), call)
    assert await desk.start_check((challenge, code), call) == first
    assert (await people.verify(challenge, code)).created
    assert (await refusal(desk.start_check((challenge, code)))).reason == "CHALLENGE_CLOSED"


@pytest.mark.rule("ID-06")
async def test_a_number_has_five_checks_a_day(world: World, people: People, desk: Desk) -> None:
    given = await desk.code()
    done = await asyncio.gather(*(desk.start_check(given) for _ in range(7)), return_exceptions=True)
    refused = [read_refusal(each) for each in done if isinstance(each, grpc.aio.AioRpcError)]
    assert [(each.code, each.reason) for each in refused] == [("RESOURCE_EXHAUSTED", "TOO_MANY_CHECKS")] * 2
    assert "retry_at" in refused[0].metadata


async def test_a_wrong_birth_date_is_deleted_when_it_no_longer_counts(world: World, people: People) -> None:
    number = people.number()
    signed = await people.sign_in(number)
    await people.update_profile(signed)
    await people.leave_unused(signed)
    challenge = (await people.start(number)).challenge_id
    await refusal(people.verify(challenge, people.codes(number)[-1], born=WRONG))
    await clean_up(world, timedelta(days=365)).purge_sign_ins()
    assert len(await people.rows("wrong_birth_dates", user_id=signed.member.user)) == 1
    await clean_up(world, timedelta(days=365, hours=2)).purge_sign_ins()
    assert await people.rows("wrong_birth_dates", user_id=signed.member.user) == []
