"""ID-13: who has a number learns of its former owner only what the code entitles to."""

from __future__ import annotations

from uuid import UUID

import pytest
from google.type.date_pb2 import Date
from unora.identity.v1.events_pb2 import (
    AccountHidden,
)

from tests.integration.identity.number_owners import RIGHT, owner
from tests.integration.identity.people import People
from tests.statements import sent_by
from tests.support import refusal

pytestmark = pytest.mark.rule("ID-13")


@pytest.mark.rule("ID-02", "XX-04")
async def test_before_the_right_code_a_number_does_not_tell_whose_it_was(people: People) -> None:
    """In use, unused, hidden and absent give the same answers, by the same statements."""
    hidden = await owner(people, born=False)
    await people.verify(*await hidden.code())
    await people.world.superuser.execute(
        "UPDATE identity.users SET phone_hash = sha256(phone_hash) WHERE phone_hash = $1",
        people.resources.hasher.phone(hidden.number),
    )
    numbers = [(await owner(people, days=0)).number, (await owner(people)).number, hidden.number, people.number()]
    seen = []
    for number in numbers:
        with sent_by("identity") as statements:
            challenge = (await people.start(number)).challenge_id
            code = people.codes(number)[-1]
            refused = await refusal(people.verify(challenge, f"{(int(code) + 1) % 10**6:06d}", born=RIGHT))
        assert len(statements) > 5
        seen.append((refused, statements))
    assert seen == [seen[0]] * 4


async def test_after_the_right_code_hidden_absent_and_without_a_birth_date_look_alike(people: People) -> None:
    hidden, empty = await owner(people, born=False), await owner(people, born=False)
    await people.verify(*await hidden.code())
    await people.world.superuser.execute(
        "UPDATE identity.users SET phone_hash = sha256(phone_hash) WHERE phone_hash = $1",
        people.resources.hasher.phone(hidden.number),
    )
    answers = [await people.sign_in(number) for number in (hidden.number, empty.number, people.number())]
    assert [each.created for each in answers] == [True] * 3


async def test_a_hidden_account_has_no_birth_date_try_and_no_known_device_at_its_old_number(people: People) -> None:
    """The device that the old account knew has no budgets of its own at the number any more (ID-02)."""
    unused = await owner(people, "own", born=False)
    await people.verify(*await unused.code(), device="new")
    challenge = UUID((await people.start(unused.number, device="own")).challenge_id)
    (row,) = await people.rows("phone_challenges", id=challenge)
    assert row["known_device"] is None


@pytest.mark.rule("ID-11")
async def test_a_number_that_may_open_no_account_leaves_its_unused_one_too(people: People) -> None:
    unused = await owner(people, born=False)
    challenge, code = await unused.code()
    await people.world.superuser.execute(
        "UPDATE identity.phone_challenges SET account_only = true WHERE id = $1", UUID(challenge)
    )
    assert (await refusal(people.verify(challenge, code))).reason == "CHALLENGE_CLOSED"
    assert (await unused.row())["hidden_at"] is not None


@pytest.mark.rule("ID-01")
async def test_each_account_of_a_number_with_two_forms_gives_way(people: People) -> None:
    without, with_9 = "+541123460003", "+5491123460003"
    pair = [await people.sign_in() for _ in range(2)]
    for signed, form in zip(pair, (without, with_9), strict=True):
        await people.leave_unused(signed)
        await people.world.superuser.execute(
            "UPDATE identity.users SET phone_hash = $2 WHERE id = $1",
            signed.member.user,
            people.resources.hasher.phone(form),
        )
    signed = await people.sign_in_by(without, with_9)
    assert signed.created
    for each in pair:
        (row,) = await people.rows("users", id=each.member.user)
        assert row["hidden_at"] is not None
    told = [await people.world.events(AccountHidden, each.member.id) for each in pair]
    assert [event.new_user_id for (event,) in told] == ["", signed.member.id]


async def test_no_birth_date_is_kept_with_the_tries(people: People) -> None:
    unused = await owner(people)
    given = Date(year=1987, month=6, day=5)
    await unused.try_date(given)
    (row,) = await people.rows("wrong_birth_dates", user_id=unused.signed.member.user)
    assert set(row) == {"user_id", "request_id", "tried_at", "created_at"}
