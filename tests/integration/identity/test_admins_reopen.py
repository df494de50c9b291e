"""ID-09, ID-15: an admin opens a closed account again by the second factor, and loses no number without it."""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import UUID

import grpc
import pytest
from unora.identity.v1.events_pb2 import (
    AccountHidden,
    AccountReopened,
    AdminSignedIn,
    SecondFactorRefused,
)
from unora_testing.world import World

from tests.integration.identity.admin_office import Office, count, not_the, secret_in, totp
from tests.integration.identity.people import People
from tests.integration.identity.test_reopening import OWN, WRONG, Leaver, close
from tests.support import read_refusal, refusal, request_id

pytestmark = pytest.mark.rule("ID-09", "ID-15")


@pytest.fixture
def office(world: World, people: People, capsys: pytest.CaptureFixture[str]) -> Office:
    return Office(world, people, capsys)


async def closed_admin(office: Office, *, born: bool = False) -> tuple[Leaver, str]:
    """An admin who has closed the account, and the secret; without a birth date unless `born`."""
    people = office.people
    number = people.number()
    signed = await people.sign_in(number, OWN)
    if born:
        await people.update_profile(signed)
    _, said = await office.command("make-admin", signed.member.id)
    return await close(people, number, signed), secret_in(said)


async def test_the_second_factor_opens_it_on_a_new_device_and_the_session_carries_the_role(
    world: World, office: Office
) -> None:
    gone, secret = await closed_admin(office)
    call, given, code = request_id(), await gone.code(), totp(secret)
    answers = [await gone.reopen("new", request=call, given=given, totp=code) for _ in range(2)]
    assert {each.user_id for each in answers} == {gone.id}
    for each in answers:
        assert await office.roles(each.tokens.access_token) == {"admin"}
    for kind in (AccountReopened, AdminSignedIn):
        assert len(await world.events(kind, gone.id)) == 1, kind
    assert await count(world, SecondFactorRefused, gone.signed) == 0


async def test_with_the_second_factor_no_birth_date_is_needed(office: Office) -> None:
    gone, secret = await closed_admin(office, born=True)
    given = await gone.code()
    assert (await refusal(gone.reopen("new", given=given))).reason == "BIRTH_DATE_NEEDED"
    assert (await gone.reopen("new", given=given, totp=totp(secret))).user_id == gone.id


@pytest.mark.rule("ID-13", "XX-04")
async def test_without_it_the_number_stays_and_the_answer_is_that_of_a_number_without_an_account(
    world: World, office: Office
) -> None:
    gone, secret = await closed_admin(office)
    absent = Leaver(office.people, office.people.number(), gone.signed, gone.reopen_until)
    given, other = await gone.code(), await absent.code()
    for born in (None, WRONG):
        for _ in range(4):
            said = [await refusal(gone.reopen("new", born, given=given))]
            said.append(await refusal(absent.reopen("new", born, given=other)))
            assert said[0] == said[1]
            assert said[0].reason == "ACCOUNT_NOT_CLOSED"
    row = await gone.row()
    assert row["phone_hash"] is not None
    assert row["hidden_at"] is None
    assert (await gone.reopen("new", given=given, totp=totp(secret))).user_id == gone.id, "the code can be used again"


@pytest.mark.rule("ID-13")
async def test_an_open_account_that_nobody_uses_is_not_hidden_by_it_either(world: World, office: Office) -> None:
    people = office.people
    number, signed, _ = await office.admin()
    await people.leave_unused(signed)
    unused = Leaver(people, number, signed, signed.tokens.access_expires_at.ToDatetime())
    given = await unused.code()
    assert (await refusal(unused.reopen("new", given=given))).reason == "ACCOUNT_NOT_CLOSED"
    assert (await unused.row())["hidden_at"] is None
    assert await world.events(AccountHidden, signed.member.id) == []


@pytest.mark.rule("ID-13")
async def test_an_account_of_nobody_special_without_a_birth_date_still_gives_way(office: Office) -> None:
    gone, _ = await closed_admin(office)
    assert (await office.command("revoke-admin", gone.id))[0] == 0
    assert (await refusal(gone.reopen("new"))).reason == "ACCOUNT_NOT_CLOSED"
    assert (await gone.row())["phone_hash"] is None


async def test_after_its_thirty_days_it_gives_up_the_number_whatever_comes_with_the_code(
    world: World, office: Office
) -> None:
    gone, secret = await closed_admin(office)
    await world.superuser.execute("UPDATE identity.users SET erase_after = clock.now() WHERE id = $1", UUID(gone.id))
    given = await gone.code()
    assert (await refusal(gone.reopen("new", given=given, totp=totp(secret)))).reason == "ACCOUNT_NOT_CLOSED"
    assert (await office.people.verify(*given)).created


@pytest.mark.rule("ID-02")
async def test_wrong_ones_are_counted_together_with_those_at_sign_in_and_five_an_hour_are_judged(
    world: World, office: Office
) -> None:
    gone, secret = await closed_admin(office)
    given, wrong = await gone.code(), not_the(totp(secret))
    calls = [gone.reopen("new", given=given, totp=wrong) for _ in range(4)]
    calls += [office.people.verify(*given, device="new", totp=wrong) for _ in range(4)]  # type: ignore[misc]
    done = await asyncio.gather(*calls, return_exceptions=True)
    refused = [read_refusal(each) for each in done if isinstance(each, grpc.aio.AioRpcError)]
    assert Counter(each.reason for each in refused) == {"SECOND_FACTOR_WRONG": 5, "TOO_MANY_SECOND_FACTORS": 3}
    assert await count(world, SecondFactorRefused, gone.signed) == 5
    limited = await refusal(gone.reopen("new", given=given, totp=totp(secret)))
    assert (limited.reason, limited.metadata) == ("TOO_MANY_SECOND_FACTORS", {"retry_after": "3600"})
    assert (await gone.row())["phone_hash"] is not None


async def test_a_code_that_a_sign_in_has_taken_opens_nothing_a_second_time(office: Office) -> None:
    gone, secret = await closed_admin(office)
    given, used = await gone.code(), totp(secret)
    assert (await refusal(office.people.verify(*given, device="new", totp=used))).reason == "ACCOUNT_CLOSED"
    assert (await refusal(gone.reopen("new", given=given, totp=used))).reason == "SECOND_FACTOR_WRONG"
    assert (await gone.reopen("new", given=given, totp=totp(secret, 1))).user_id == gone.id


@pytest.mark.rule("ID-02")
async def test_it_is_judged_only_after_the_right_code_to_the_number(world: World, office: Office) -> None:
    gone, secret = await closed_admin(office)
    challenge, code = await gone.code()
    for given in (totp(secret), not_the(totp(secret))):
        refused = await refusal(gone.reopen("new", given=(challenge, not_the(code)), totp=given))
        assert refused.reason == "CODE_WRONG"
    assert await count(world, SecondFactorRefused, gone.signed) == 0
