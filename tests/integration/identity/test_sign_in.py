"""ID-01, ID-02: one number, one account; a code is sent and used."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import grpc
import pytest
from unora.identity.v1.account_service_pb2 import GetAccountRequest, StartPhoneVerificationRequest
from unora.identity.v1.events_pb2 import AccountCreated, SessionOpened
from unora_identity.use_cases import background
from unora_testing.deadlines import within
from unora_testing.world import World

from tests.integration.identity.people import People
from tests.roles import role_of
from tests.support import read_refusal, refusal, request_id


@pytest.mark.rule("ID-01", "ID-02")
async def test_the_first_sign_in_creates_the_account_and_later_ones_find_it(world: World, people: People) -> None:
    number = people.number()
    first, second = await people.sign_in(number), await people.sign_in(f"{number[:6]} {number[6:]}")
    assert (first.created, second.created) == (True, False)
    assert first.member.id == second.member.id
    (created,) = await world.events(AccountCreated, first.member.id)
    sessions = await world.events(SessionOpened, first.member.id)
    assert [event.version for event in (created, *sessions)] == [1, 2, 3]
    account = (await people.accounts.GetAccount(GetAccountRequest(), metadata=second.metadata)).account
    assert (account.user_id, account.trust_level, account.discovery_ready) == (first.member.id, 1, False)
    assert account.created_at == created.occurred_at


@pytest.mark.rule("ID-01")
async def test_first_sign_ins_at_once_make_one_account(people: People) -> None:
    number = people.number()
    challenges = [await people.start(number) for _ in range(5)]
    codes = people.codes(number)
    done = await asyncio.gather(
        *(people.verify(challenge.challenge_id, code) for challenge, code in zip(challenges, codes, strict=True))
    )
    assert len({answer.user_id for answer in done}) == 1
    assert Counter(answer.created for answer in done) == {True: 1, False: 4}


@pytest.mark.rule("ID-01")
async def test_the_database_refuses_a_second_account_for_a_number(world: World, people: People) -> None:
    member = (await people.sign_in()).member
    async with role_of(world, "identity") as connection:
        with pytest.raises(asyncpg.UniqueViolationError) as refused:
            await connection.execute(
                """INSERT INTO identity.users (id, phone_hash, phone_sealed, data_key, created_at, version)
                SELECT gen_random_uuid(), phone_hash, '', '', created_at, 0 FROM identity.users WHERE id = $1""",
                member.user,
            )
        assert refused.value.constraint_name == "uq_users_phone_hash"


@pytest.mark.rule("ID-01")
@pytest.mark.parametrize("number", ["0151 23456789", "+49151", "+1 555 01", "+999 12345678", "garbage"])
async def test_an_invalid_number_is_refused(people: People, number: str) -> None:
    refused = await refusal(people.start(number))
    assert (refused.code, refused.reason, refused.domain) == ("INVALID_ARGUMENT", "PHONE_INVALID", "unora.identity")
    assert list(refused.violations) == ["phone_number"]
    assert number not in str(refused)


@pytest.mark.rule("ID-02")
async def test_wrong_tries_are_counted_though_the_call_fails(people: People) -> None:
    number = people.number()
    challenge = (await people.start(number)).challenge_id
    (right,) = people.codes(number)
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    for left in (4, 3, 2, 1, 0):
        refused = await refusal(people.verify(challenge, wrong))
        assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "CODE_WRONG")
        assert refused.metadata == {"tries_left": str(left)}
    assert (await refusal(people.verify(challenge, right))).reason == "CHALLENGE_CLOSED"


@pytest.mark.rule("ID-02")
async def test_wrong_tries_at_once_are_all_counted(people: People) -> None:
    number = people.number()
    challenge = (await people.start(number)).challenge_id
    wrong = f"{(int(people.codes(number)[0]) + 1) % 10**6:06d}"
    refused = await asyncio.gather(*(refusal(people.verify(challenge, wrong)) for _ in range(8)))
    assert Counter(each.reason for each in refused) == {"CODE_WRONG": 5, "CHALLENGE_CLOSED": 3}


@pytest.mark.rule("ID-02")
async def test_a_code_works_once_and_for_ten_minutes(world: World, people: People) -> None:
    number = people.number()
    used = await people.start(number)
    await people.verify(used.challenge_id, people.codes(number)[0])
    assert (await refusal(people.verify(used.challenge_id, people.codes(number)[0]))).reason == "CHALLENGE_CLOSED"

    late = await people.start(number)
    assert late.expires_at.ToDatetime(UTC) - await world.now() < timedelta(minutes=10)
    await world.move_clock(timedelta(minutes=10))
    assert (await refusal(people.verify(late.challenge_id, people.codes(number)[1]))).reason == "CHALLENGE_CLOSED"
    assert (await refusal(people.verify(request_id(), "123456"))).reason == "CHALLENGE_CLOSED"


@pytest.mark.rule("ID-02")
async def test_a_repeat_of_the_call_gets_its_session_again_and_voids_the_lost_tokens(people: People) -> None:
    number, call = people.number(), request_id()
    challenge, code = (await people.start(number)).challenge_id, people.codes(number)[0]
    lost = await people.verify(challenge, code, call)
    again = await people.verify(challenge, code, call)
    assert (again.user_id, again.created) == (lost.user_id, True)
    assert len(await people.rows("sessions", user_id=UUID(lost.user_id))) == 1
    assert again.tokens.refresh_token != lost.tokens.refresh_token
    # Once the session was refreshed, a repeat does not come from a lost answer.
    refreshed = (await people.refresh(again.tokens.refresh_token)).tokens
    assert (await refusal(people.verify(challenge, code, call))).reason == "CHALLENGE_CLOSED"
    # Only a thief can use the lost token.
    assert (await refusal(people.refresh(lost.tokens.refresh_token))).reason == "SESSION_INVALID"
    assert (await refusal(people.refresh(refreshed.refresh_token))).reason == "SESSION_INVALID"


@pytest.mark.rule("ID-02")
async def test_a_number_is_sent_at_most_five_codes_an_hour(world: World, people: People) -> None:
    number = people.number()
    asked = await asyncio.gather(*(people.start(number) for _ in range(8)), return_exceptions=True)
    refused = [read_refusal(error) for error in asked if isinstance(error, grpc.aio.AioRpcError)]
    assert [(each.code, each.reason) for each in refused] == [("RESOURCE_EXHAUSTED", "TOO_MANY_CODES")] * 3
    assert len(people.codes(number)) == 5
    assert [each.metadata for each in refused] == [{"retry_after": "3600"}] * 3
    await world.move_clock(timedelta(hours=1))
    assert (await people.start(number)).challenge_id


@pytest.mark.rule("ID-02")
async def test_a_repeat_of_the_request_sends_no_second_code(people: People) -> None:
    number, call = people.number(), request_id()
    answers = await asyncio.gather(*(people.start(number, call) for _ in range(4)))
    assert len({answer.SerializeToString() for answer in answers}) == 1
    assert len(people.codes(number)) == 1
    # The client chose the request id: with another number it is another call.
    assert (await people.start(people.number(), call)).challenge_id != answers[0].challenge_id


@pytest.mark.rule("ID-02")
async def test_a_code_that_was_not_sent_does_not_count(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(to: str, code: str) -> None:
        raise OSError

    number, call = people.number(), request_id()
    with monkeypatch.context() as broken:
        broken.setattr(people.resources.sms, "send_code", fail)
        for _ in range(6):
            assert (await refusal(people.start(number, call))).code == "UNAVAILABLE"
    challenge = await people.start(number, call)
    assert (await people.verify(challenge.challenge_id, people.codes(number)[0])).created


@pytest.mark.rule("ID-02")
async def test_after_a_crash_before_sending_a_repeat_is_sent_a_code(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(to: str, code: str) -> None:
        raise asyncio.CancelledError

    number, calls = people.number(), [request_id() for _ in range(5)]
    with monkeypatch.context() as broken:
        broken.setattr(people.resources.sms, "send_code", crash)
        for call in calls:
            assert (await refusal(people.start(number, call))).code == "UNAVAILABLE"
        # Another process may still be sending the code; there is no record of that.
        unsent = await people.start(number, calls[0])
        assert (await refusal(people.start(number))).reason == "TOO_MANY_CODES"
    assert people.codes(number) == []
    await world.move_clock(timedelta(seconds=20))
    answers = await asyncio.gather(*(people.start(number, calls[0]) for _ in range(4)))
    assert len({answer.SerializeToString() for answer in answers}) == 1
    assert answers[0].challenge_id != unsent.challenge_id
    (code,) = people.codes(number)
    assert (await refusal(people.verify(unsent.challenge_id, code))).reason == "CHALLENGE_CLOSED"
    assert (await people.verify(answers[0].challenge_id, code)).created
    # The four other codes never counted.
    for _ in range(4):
        await people.start(number)
    assert (await refusal(people.start(number))).reason == "TOO_MANY_CODES"


@pytest.mark.rule("ID-02")
async def test_a_client_that_hangs_up_is_sent_its_code_once(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources, begun, go_on = people.resources, asyncio.Event(), asyncio.Event()
    send = resources.sms.send_code

    async def slow(to: str, code: str) -> None:
        begun.set()
        await go_on.wait()
        await send(to, code)

    monkeypatch.setattr(resources.sms, "send_code", slow)
    number, call = people.number(), request_id()
    asked = StartPhoneVerificationRequest(request_id=call, phone_number=number)
    first: Any = people.accounts.StartPhoneVerification(asked)
    await within(begun.wait())
    first.cancel()
    under_way = await people.start(number, call)
    go_on.set()
    await asyncio.gather(*background._running)
    await world.move_clock(timedelta(minutes=1))
    assert await people.start(number, call) == under_way
    (code,) = people.codes(number)
    assert (await people.verify(under_way.challenge_id, code)).created


@pytest.mark.rule("ID-02")
async def test_the_database_holds_that_a_used_code_was_sent(world: World, people: People) -> None:
    number = people.number()
    challenge = UUID((await people.start(number)).challenge_id)
    await people.verify(str(challenge), people.codes(number)[0])
    async with role_of(world, "identity") as connection:
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await connection.execute("UPDATE identity.phone_challenges SET sent_at = NULL WHERE id = $1", challenge)
        assert refused.value.constraint_name == "ck_phone_challenges_sent_at"


@pytest.mark.rule("ID-02", "XX-04")
async def test_a_request_does_the_same_for_known_and_unknown_numbers(people: People) -> None:
    known, unknown = people.number(), people.number()
    await people.sign_in(known)
    for number in (known, unknown):
        answer = await people.start(number)
        assert {field.name for field, _ in answer.ListFields()} == {"challenge_id", "expires_at"}
        (row,) = await people.rows("phone_challenges", id=UUID(answer.challenge_id))
        # What a new account needs is made for both, and neither refers to an account.
        assert len(row["phone_sealed"]) > len(number)
        assert not await people.rows("users", id=row["new_user_id"])


@pytest.mark.rule("ID-01", "ID-02", "ID-09")
async def test_neither_number_nor_code_is_in_the_database(people: People) -> None:
    number = people.number()
    member = (await people.sign_in(number)).member
    (user,) = await people.rows("users", id=member.user)
    challenges = await people.rows("phone_challenges", phone_hash=user["phone_hash"])
    for kept in (user, *challenges):
        for value in kept.values():
            text = value if isinstance(value, bytes) else str(value).encode()
            assert number.encode() not in text
            assert people.codes(number)[0].encode() not in text
    opened = people.resources.master_key.unwrap(member.user, user["data_key"]).open("phone", user["phone_sealed"])
    assert opened == number
