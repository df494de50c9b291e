"""ID-01, ID-11: one subscriber is one account, and codes go only where a text costs the normal price."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from unora_identity.use_cases import background

from tests.integration.identity.conftest import Replica
from tests.integration.identity.people import People
from tests.support import refusal, request_id

LANDLINE = "+493012345678"
REFUSED = ("+19005551234", "+449098791234", "+979123456789", "+88812345678901", "+80012345678", LANDLINE)


async def sending_is_over() -> None:
    await asyncio.gather(*background._running)


@pytest.mark.rule("ID-11")
@pytest.mark.parametrize("number", REFUSED)
async def test_a_number_that_gets_no_texts_at_normal_cost_is_refused_and_sent_nothing(
    people: People, number: str
) -> None:
    refused = await refusal(people.start(number))
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "PHONE_INVALID")
    assert list(refused.violations) == ["phone_number"]
    assert number not in str(refused)
    await sending_is_over()
    assert people.codes(number) == []


@pytest.mark.rule("ID-02", "ID-11", "XX-04")
async def test_an_account_from_before_goes_on_signing_in_and_the_answer_does_not_tell_that_it_is_there(
    people: People, replica: Replica
) -> None:
    own, without = f"device-{request_id()}", "+493012345679"
    before = await replica(phone_prefixes_allowed=(LANDLINE,))
    member = (await before.sign_in(LANDLINE, own)).member
    await people.world.move_clock(timedelta(hours=1))  # that code no longer counts

    call = request_id()
    answers = [await refusal(people.start(number, call)) for number in (LANDLINE, LANDLINE, without, without)]
    await sending_is_over()
    assert {(each.code, each.reason, tuple(each.violations.items()), tuple(each.metadata)) for each in answers} == {
        ("INVALID_ARGUMENT", "PHONE_INVALID", tuple(answers[0].violations.items()), ("challenge_id",))
    }
    there, again, absent, absent_again = (each.metadata["challenge_id"] for each in answers)
    assert (there, absent) == (again, absent_again), "a repeat gets the same challenge"
    assert (len(people.codes(LANDLINE)), len(people.codes(without))) == (2, 0)
    code = people.codes(LANDLINE)[-1]
    for challenge in (there, absent):
        wrong = f"{(int(code) + 1) % 10**6:06d}"
        assert (await refusal(people.verify(challenge, wrong))).metadata == {"tries_left": "4"}
    done = await people.verify(there, code)
    assert (done.user_id, done.created) == (member.id, False)

    # To a device that the account knows the number is like any other.
    assert not (await people.sign_in(LANDLINE, own)).created
    # And the budgets do not tell either.
    for number in (LANDLINE, without):
        for _ in range(4):
            assert (await refusal(people.start(number))).reason == "PHONE_INVALID"
        assert (await refusal(people.start(number))).reason == "TOO_MANY_CODES"


@pytest.mark.rule("ID-11")
async def test_a_code_for_an_account_that_is_not_there_opens_none(people: People) -> None:
    """Nobody is sent such a code; a guess must not make an account either."""
    challenge = UUID((await refusal(people.start("+493012345670"))).metadata["challenge_id"])
    await people.world.superuser.execute(
        "UPDATE identity.phone_challenges SET code_hash = $2 WHERE id = $1",
        challenge,
        people.resources.hasher.code(challenge, "123456"),
    )
    assert (await refusal(people.verify(str(challenge), "123456"))).reason == "CHALLENGE_CLOSED"
    assert not await people.rows("users", phone_hash=people.resources.hasher.phone("+493012345670"))


@pytest.mark.rule("ID-11")
async def test_a_prefix_that_the_operator_refuses_gets_no_code_whoever_asks(people: People, replica: Replica) -> None:
    number, own = people.number(), f"device-{request_id()}"
    await people.sign_in(number, own)
    refusing = await replica(phone_prefixes_refused=(number[:8],))
    refused = await refusal(refusing.start(number, device=own))
    assert (refused.reason, refused.metadata) == ("PHONE_INVALID", {})
    assert len(people.codes(number)) == 1


@pytest.mark.rule("ID-01")
async def test_both_forms_of_a_number_are_one_account_and_share_its_codes(people: People) -> None:
    without, with_9 = "+541123450001", "+5491123450001"
    first, second = await people.sign_in_by(without, with_9), await people.sign_in_by(with_9, with_9)
    assert (first.created, second.created) == (True, False)
    assert first.member.id == second.member.id
    for form in (without, with_9, without):
        await people.start(form)
    assert (await refusal(people.start(without))).reason == "TOO_MANY_CODES"
    assert people.codes(without) == [], "texts go to the form with a 9"


@pytest.mark.rule("ID-01")
@pytest.mark.parametrize("stored", ["+541123450002", "+5491123450002"])
async def test_an_account_from_before_is_found_by_either_form(people: People, stored: str) -> None:
    without, with_9 = "+541123450002", "+5491123450002"
    member = (await people.sign_in(people.number())).member
    await people.world.superuser.execute("DELETE FROM identity.phone_challenges")
    await people.world.superuser.execute(
        "UPDATE identity.users SET phone_hash = $2 WHERE id = $1", member.user, people.resources.hasher.phone(stored)
    )
    try:
        for form in (without, with_9):
            signed = await people.sign_in_by(form, with_9)
            assert (signed.member.id, signed.created) == (member.id, False)
    finally:
        await people.world.superuser.execute(
            "UPDATE identity.users SET phone_hash = sha256(phone_hash) WHERE id = $1", member.user
        )


@pytest.mark.rule("ID-01")
async def test_two_accounts_from_before_are_each_found_by_their_own_form(people: People) -> None:
    without, with_9 = "+541123450003", "+5491123450003"
    one, other = (await people.sign_in()).member, (await people.sign_in()).member
    for member, form in ((one, without), (other, with_9)):
        await people.world.superuser.execute(
            "UPDATE identity.users SET phone_hash = $2 WHERE id = $1", member.user, people.resources.hasher.phone(form)
        )
    assert (await people.sign_in_by(without, with_9)).member.id == one.id
    assert (await people.sign_in_by(with_9, with_9)).member.id == other.id


@pytest.mark.rule("ID-01")
async def test_first_sign_ins_by_both_forms_at_once_make_one_account(people: People) -> None:
    forms = ["+541123450004", "+5491123450004"] * 2
    challenges = [await people.start(form) for form in forms]
    codes = people.codes(forms[1])
    done = await asyncio.gather(
        *(people.verify(challenge.challenge_id, code) for challenge, code in zip(challenges, codes, strict=True))
    )
    assert len({answer.user_id for answer in done}) == 1
    assert Counter(answer.created for answer in done) == {True: 1, False: 3}


@pytest.mark.rule("ID-02")
@pytest.mark.parametrize("typed", ["{0} {1}", "{0}-{1}", " {0}{1} ", "digits"])
async def test_a_code_is_taken_with_spaces_dashes_and_in_other_digits(people: People, typed: str) -> None:
    number = people.number()
    challenge = (await people.start(number)).challenge_id
    code = people.codes(number)[0]
    arabic = code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    given = arabic if typed == "digits" else typed.format(code[:3], code[3:])
    assert (await people.verify(challenge, given)).created


@pytest.mark.rule("ID-02")
@pytest.mark.parametrize("typed", ["12345", "1234567", "123 45", "abcdef", "①②③④⑤⑥"])
async def test_what_is_no_code_is_refused_and_is_no_try(people: People, typed: str) -> None:
    number = people.number()
    challenge = (await people.start(number)).challenge_id
    refused = await refusal(people.verify(challenge, typed))
    assert (refused.code, list(refused.violations)) == ("INVALID_ARGUMENT", ["code"])
    assert typed not in str(refused)
    (row,) = await people.rows("phone_challenges", id=UUID(challenge))
    assert row["wrong_tries"] == 0
