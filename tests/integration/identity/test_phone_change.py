"""ID-14: a number is changed by a code to the new one, and the old one is free at once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from unora.identity.v1.account_service_pb2 import (
    GetAccountRequest,
)
from unora.identity.v1.events_pb2 import PhoneChanged, SessionRevoked
from unora.safety.v1.events_pb2 import RestrictionChanged
from unora_testing.world import World

from tests.integration.identity.conftest import Replica
from tests.integration.identity.movers import Movers, wrong
from tests.integration.identity.people import People, Signed, apply
from tests.support import refusal, request_id

pytestmark = pytest.mark.rule("ID-14")


@pytest.fixture
def movers(people: People) -> Movers:
    return Movers(people)


async def test_the_new_number_signs_in_and_the_old_one_makes_a_new_account(
    world: World, people: People, movers: Movers
) -> None:
    old, new = people.number(), people.number()
    signed = await people.sign_in(old)
    await movers.change(signed, f"{new[:6]} {new[6:]}")
    again, stranger = await people.sign_in(new), await people.sign_in(old)
    assert (again.member.id, again.created) == (signed.member.id, False)
    assert stranger.created
    assert stranger.member.id != signed.member.id
    (event,) = await world.events(PhoneChanged, signed.member.id)
    assert {field.name for field, _ in event.ListFields()} == {"user_id", "version", "occurred_at"}


@pytest.mark.rule("SA-01", "XX-01")
async def test_a_change_is_audited(world: World, people: People, movers: Movers) -> None:
    signed = await people.sign_in()
    await movers.change(signed, people.number())
    await world.drain()
    found = await world.superuser.fetch(
        "SELECT subject FROM safety.audit_logs WHERE aggregate_id = $1 ORDER BY number DESC LIMIT 1", signed.member.user
    )
    assert [row["subject"] for row in found] == ["unora.identity.v1.phone_changed"]


@pytest.mark.rule("ID-01", "ID-09")
async def test_the_new_number_is_sealed_with_the_members_key(people: People, movers: Movers) -> None:
    signed, number = await people.sign_in(), people.number()
    await movers.change(signed, number)
    (user,) = await people.rows("users", id=signed.member.user)
    key = people.resources.master_key.unwrap(signed.member.user, user["data_key"])
    assert key.open("phone", user["phone_sealed"]) == number
    assert user["phone_hash"] == people.resources.hasher.phone(number)


async def test_all_other_sessions_end_and_the_current_one_stays(world: World, people: People, movers: Movers) -> None:
    number = people.number()
    other, signed = await people.sign_in(number), await people.sign_in(number)
    await movers.change(signed, people.number())
    assert (await refusal(people.refresh(other.tokens.refresh_token))).reason == "SESSION_INVALID"
    assert (await people.refresh(signed.tokens.refresh_token)).tokens.access_token
    assert len(await world.events(SessionRevoked, signed.member.id)) == 1
    (row,) = await people.rows("sessions", user_id=signed.member.user, revocation="phone_change")
    assert row["revoked_at"]


@pytest.mark.parametrize("minutes", [15, 60 * 24 * 20])
async def test_a_session_that_signed_in_long_ago_cannot_change_the_number(
    people: People, movers: Movers, minutes: float
) -> None:
    signed, number = await people.sign_in(), people.number()
    challenge, code = await movers.challenge(signed, number)
    await people.age(signed, minutes)
    # A refresh makes it no younger.
    tokens = (await people.refresh(signed.tokens.refresh_token)).tokens
    late = Signed(type(signed.member)(signed.member.user, tokens.access_token), tokens, created=False)
    for call in (movers.start(late, number), movers.complete(late, challenge, code)):
        refused = await refusal(call)
        assert (refused.code, refused.reason, refused.metadata) == ("FAILED_PRECONDITION", "SIGN_IN_TOO_OLD", {})
    assert len(people.codes(number)) == 1


async def test_a_session_of_fourteen_minutes_can(people: People, movers: Movers) -> None:
    signed, number = await people.sign_in(), people.number()
    await people.age(signed, 14)
    await movers.change(signed, number)
    assert not (await people.sign_in(number)).created


@pytest.mark.rule("ID-02", "XX-04")
async def test_a_request_does_the_same_for_known_and_unknown_numbers(people: People, movers: Movers) -> None:
    known, unknown = people.number(), people.number()
    await people.sign_in(known)
    signed = await people.sign_in()
    for number in (known, unknown):
        sent = len(people.codes(number))
        answer = await movers.start(signed, number)
        assert {field.name for field, _ in answer.ListFields()} == {"challenge_id", "expires_at"}
        assert len(people.codes(number)) == sent + 1
        refused = await refusal(movers.complete(signed, answer.challenge_id, wrong(people.codes(number)[-1])))
        assert (refused.reason, refused.metadata) == ("CODE_WRONG", {"tries_left": "4"})


@pytest.mark.rule("ID-01")
async def test_a_number_of_another_account_is_refused_to_who_was_sent_its_code(people: People, movers: Movers) -> None:
    number = people.number()
    owner, signed = await people.sign_in(number), await people.sign_in()
    refused = await refusal(movers.change(signed, number))
    assert (refused.code, refused.reason, refused.metadata) == ("FAILED_PRECONDITION", "PHONE_TAKEN", {})
    assert (await people.sign_in(number)).member.id == owner.member.id


@pytest.mark.rule("ID-02")
async def test_tries_are_counted_and_a_code_works_once_and_ten_minutes(
    world: World, people: People, movers: Movers
) -> None:
    signed, number = await people.sign_in(), people.number()
    challenge, code = await movers.challenge(signed, number)
    refused = await asyncio.gather(*(refusal(movers.complete(signed, challenge, wrong(code))) for _ in range(8)))
    assert Counter(each.reason for each in refused) == {"CODE_WRONG": 5, "CHALLENGE_CLOSED": 3}
    assert (await refusal(movers.complete(signed, challenge, code))).reason == "CHALLENGE_CLOSED"

    late, code = await movers.challenge(signed, number)
    await world.move_clock(timedelta(minutes=10))
    assert (await refusal(movers.complete(signed, late, code))).reason == "CHALLENGE_CLOSED"
    assert (await refusal(movers.complete(signed, request_id(), code))).reason == "CHALLENGE_CLOSED"


@pytest.mark.rule("ID-02")
async def test_codes_to_a_number_have_one_limit_for_signing_in_and_changing(people: People, movers: Movers) -> None:
    signed, number = await people.sign_in(), people.number()
    for _ in range(2):
        await people.start(number)
    for _ in range(3):
        await movers.start(signed, number)
    for call in (movers.start(signed, number), people.start(number)):
        assert (await refusal(call)).reason == "TOO_MANY_CODES"


async def test_a_repeat_of_either_call_changes_nothing_more(world: World, people: People, movers: Movers) -> None:
    signed, number, calls = await people.sign_in(), people.number(), [request_id(), request_id()]
    begun = [await movers.start(signed, number, calls[0]) for _ in range(2)]
    assert begun[0] == begun[1]
    (code,) = people.codes(number)
    for _ in range(3):
        await movers.complete(signed, begun[0].challenge_id, code, calls[1])
    refused = await refusal(movers.complete(signed, begun[0].challenge_id, code))
    assert refused.reason == "CHALLENGE_CLOSED"
    assert len(await world.events(PhoneChanged, signed.member.id)) == 1


async def test_the_number_that_one_has_already_changes_nothing(world: World, people: People, movers: Movers) -> None:
    number = people.number()
    other, signed = await people.sign_in(number), await people.sign_in(number)
    await movers.change(signed, number)
    assert await world.events(PhoneChanged, signed.member.id) == []
    assert (await people.refresh(other.tokens.refresh_token)).tokens.access_token


async def test_a_code_for_a_change_opens_no_session_and_a_code_to_sign_in_changes_nothing(
    people: People, movers: Movers
) -> None:
    signed, other, number = await people.sign_in(), await people.sign_in(), people.number()
    challenge, code = await movers.challenge(signed, number)
    assert (await refusal(people.verify(challenge, code))).reason == "CHALLENGE_CLOSED"
    assert (await refusal(movers.complete(other, challenge, code))).reason == "CHALLENGE_CLOSED"
    sign_in = (await people.start(number)).challenge_id
    refused = await refusal(movers.complete(signed, sign_in, people.codes(number)[-1]))
    assert refused.reason == "CHALLENGE_CLOSED"
    await movers.complete(signed, challenge, code)


async def test_codes_of_the_old_number_do_not_open_the_account(people: People, movers: Movers) -> None:
    old, call = people.number(), request_id()
    used = (await people.start(old)).challenge_id
    done = await people.verify(used, people.codes(old)[0], call)
    signed = Signed(
        type((await people.sign_in()).member)(UUID(done.user_id), done.tokens.access_token), done.tokens, True
    )
    unused = (await people.start(old)).challenge_id
    await movers.change(signed, people.number())
    # The repeat of the sign-in would get the session again, since its tokens were not exchanged yet.
    assert (await refusal(people.verify(used, people.codes(old)[0], call))).reason == "CHALLENGE_CLOSED"
    stranger = await people.verify(unused, people.codes(old)[1])
    assert stranger.created
    assert stranger.user_id != done.user_id


@pytest.mark.rule("ID-02")
async def test_wrong_codes_for_a_change_count_against_the_number(world: World, people: People, movers: Movers) -> None:
    member, number = await people.sign_in(), people.number()
    for _ in range(4):
        challenge, code = await movers.challenge(member, number)
        for _ in range(5):
            assert (await refusal(movers.complete(member, challenge, wrong(code)))).reason == "CODE_WRONG"
    challenge, code = await movers.challenge(member, number)
    refused = await refusal(movers.complete(member, challenge, code))
    assert (refused.reason, refused.metadata) == ("TOO_MANY_TRIES", {"retry_after": "86400"})
    await world.move_clock(timedelta(days=1))
    challenge, code = await movers.challenge(member, number)
    await movers.complete(member, challenge, code)


@pytest.mark.rule("ID-02", "ID-11")
async def test_no_device_that_a_stranger_names_spends_what_a_member_may_spend(world: World, replica: Replica) -> None:
    """Others learn a member's id, as that of their partner."""
    await world.move_clock(timedelta(hours=1))
    people = await replica(codes_per_device=3)
    signed = await people.sign_in()
    for _ in range(3):
        await people.start(people.number(), device=f"member {signed.member.id}")
    await Movers(people).change(signed, people.number())


@pytest.mark.rule("ID-14", "ID-11")
async def test_a_change_to_a_number_that_gets_no_texts_is_refused(people: People, movers: Movers) -> None:
    member = await people.sign_in()
    refused = await refusal(movers.start(member, "+493012345678"))
    assert (refused.reason, refused.metadata) == ("PHONE_INVALID", {})


@pytest.mark.rule("ID-14", "ID-02")
async def test_a_code_for_a_change_may_be_typed_with_spaces_and_other_digits(people: People, movers: Movers) -> None:
    member = await people.sign_in()
    challenge, code = await movers.challenge(member, people.number())
    typed = " ".join(chr(0x660 + int(digit)) for digit in code)
    await movers.complete(member, challenge, typed)


@pytest.mark.rule("ID-14", "ID-01")
async def test_another_form_of_ones_own_number_changes_nothing(people: People, movers: Movers) -> None:
    rest = f"11{random.randrange(9 * 10**7):08d}"  # no mobile begins with 119
    member = await people.sign_in(f"+549{rest}")
    challenge = (await movers.start(member, f"+54{rest}")).challenge_id
    await movers.complete(member, challenge, people.codes(f"+549{rest}")[-1])
    assert (await people.sign_in(f"+549{rest}")).member.id == member.member.id


@pytest.mark.rule("SA-06")
async def test_a_suspended_member_cannot_change_the_number(world: World, people: People, movers: Movers) -> None:
    number = people.number()
    early = await people.sign_in(number)
    challenge, code = await movers.challenge(early, people.number())
    await apply(world, RestrictionChanged(user_id=early.member.id, version=1, suspended=True))
    # Its token is valid for some seconds more, and does not say that the member is suspended.
    for call in (movers.complete(early, challenge, code), movers.start(early, people.number())):
        assert (await refusal(call)).reason == "SESSION_REVOKED"
    late = await people.sign_in(number)
    for call in (movers.complete(late, challenge, code), movers.start(late, people.number())):
        assert (await refusal(call)).reason == "ACCOUNT_SUSPENDED"
    account = (await people.accounts.GetAccount(GetAccountRequest(), metadata=late.metadata)).account
    assert account.user_id == early.member.id
