"""ID-15: the role admin needs a second factor, and its sessions last an hour; commands give it and take it away."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.identity.v1.events_pb2 import (
    AdminSignedIn,
    SecondFactorRefused,
    SessionOpened,
)
from unora.safety.v1.moderation_service_pb2 import ListCasesRequest
from unora.safety.v1.moderation_service_pb2_grpc import ModerationServiceStub
from unora_testing.world import World

from tests.integration.identity.admin_office import Office, count, not_the, totp
from tests.integration.identity.people import People, lives
from tests.support import refusal, request_id

pytestmark = pytest.mark.rule("ID-15")


@pytest.fixture
def office(world: World, people: People, capsys: pytest.CaptureFixture[str]) -> Office:
    return Office(world, people, capsys)


@pytest.mark.rule("XX-03")
async def test_a_session_carries_the_role_only_with_the_second_factor(world: World, office: Office) -> None:
    people = office.people
    number, first, secret = await office.admin()
    moderation = world.stub(ModerationServiceStub, "safety")
    before = (await people.refresh(first.tokens.refresh_token)).tokens
    plain = await people.sign_in(number)
    for token in (before.access_token, plain.tokens.access_token):
        assert await office.roles(token) == frozenset()
    refused = await refusal(moderation.ListCases(ListCasesRequest(), metadata=plain.metadata))
    assert refused.reason == "ADMIN_ONLY"

    admin = await people.sign_in(number, totp=totp(secret))
    assert await office.roles(admin.tokens.access_token) == {"admin"}
    await moderation.ListCases(ListCasesRequest(), metadata=admin.metadata)
    again = (await people.refresh(admin.tokens.refresh_token)).tokens
    assert await office.roles(again.access_token) == {"admin"}
    account = (await people.accounts.GetAccount(GetAccountRequest(), metadata=plain.metadata)).account
    assert list(account.roles) == ["admin"]  # the app may ask for the second factor
    (event,) = await world.events(AdminSignedIn, first.member.id)
    assert event.session_id == (await world.events(SessionOpened, first.member.id))[-1].session_id


async def test_an_admins_session_ends_an_hour_after_the_sign_in_refresh_included(office: Office) -> None:
    people = office.people
    number, _, secret = await office.admin()
    began = datetime.now(UTC)
    admin = await people.sign_in(number, totp=totp(secret))
    assert lives(admin.tokens.access_expires_at, since=began, for_=timedelta(minutes=15))
    assert lives(admin.tokens.refresh_expires_at, since=began, for_=timedelta(hours=1))

    await people.age(admin, 50)
    late = (await people.refresh(admin.tokens.refresh_token)).tokens
    (session,) = [row for row in await people.rows("sessions", user_id=admin.member.user) if row["admin_until"]]
    for stamp in (late.access_expires_at, late.refresh_expires_at):
        assert timedelta() <= session["admin_until"] - stamp.ToDatetime(UTC) < timedelta(seconds=1)
    assert await office.roles(late.access_token) == {"admin"}

    await people.age(admin, 10)
    refused = await refusal(people.refresh(late.refresh_token))
    assert (refused.code, refused.reason) == ("UNAUTHENTICATED", "SESSION_INVALID")
    assert (await people.rows("sessions", id=session["id"]))[0]["revocation"] is None


async def test_a_refresh_token_of_an_older_version_does_not_outlive_the_hour(office: Office) -> None:
    """It lives thirty days, whatever the session is."""
    people = office.people
    number, _, secret = await office.admin()
    admin = await people.sign_in(number, totp=totp(secret))
    await office.world.superuser.execute(
        """UPDATE identity.refresh_tokens SET expires_at = expires_at + interval '30 days'
        WHERE session_id IN (SELECT id FROM identity.sessions WHERE user_id = $1)""",
        admin.member.user,
    )
    await people.age(admin, 60)
    assert (await refusal(people.refresh(admin.tokens.refresh_token))).reason == "SESSION_INVALID"


async def test_a_session_from_before_the_second_factor_loses_the_role_at_its_next_refresh(office: Office) -> None:
    people = office.people
    signed = await people.sign_in()
    await office.world.superuser.execute(
        "INSERT INTO identity.roles (user_id, role, granted_at) VALUES ($1, 'admin', clock.now())", signed.member.user
    )
    tokens = (await people.refresh(signed.tokens.refresh_token)).tokens
    assert await office.roles(tokens.access_token) == frozenset()
    status, said = await office.command("make-admin", signed.member.id, "--new-secret")
    assert status == 0
    assert "has another second factor" in said


async def test_after_a_wrong_second_factor_the_phone_code_can_be_used_again(world: World, office: Office) -> None:
    people = office.people
    number, first, secret = await office.admin()
    challenge = (await people.start(number)).challenge_id
    code, right = people.codes(number)[-1], totp(secret)
    for _ in range(3):
        refused = await refusal(people.verify(challenge, code, totp=not_the(right)))
        assert (refused.code, refused.reason, refused.metadata) == ("FAILED_PRECONDITION", "SECOND_FACTOR_WRONG", {})
    assert await count(world, SecondFactorRefused, first) == 3
    assert await count(world, SessionOpened, first) == 1
    done = await people.verify(challenge, code, totp=f"{right[:3]} {right[3:]}")
    assert await office.roles(done.tokens.access_token) == {"admin"}


@pytest.mark.rule("ID-02")
async def test_the_second_factor_is_judged_only_after_the_right_phone_code(world: World, office: Office) -> None:
    people = office.people
    number, first, secret = await office.admin()
    challenge = (await people.start(number)).challenge_id
    code = people.codes(number)[-1]
    for given in (totp(secret), not_the(totp(secret))):
        assert (await refusal(people.verify(challenge, not_the(code), totp=given))).reason == "CODE_WRONG"
    assert await count(world, SecondFactorRefused, first) == 0
    assert await office.roles((await people.verify(challenge, code, totp=totp(secret))).tokens.access_token)


async def test_wrong_second_factors_at_once_are_counted_and_at_most_five_an_hour_are_judged(
    world: World, office: Office
) -> None:
    people = office.people
    number, first, secret = await office.admin()
    challenges = [(await people.start(number)).challenge_id for _ in range(4)]
    tries = [
        people.verify(challenge, code, totp=not_the(totp(secret)))
        for challenge, code in zip(challenges, people.codes(number)[1:], strict=True)
        for _ in range(3)
    ]
    refused = await asyncio.gather(*map(refusal, tries))
    assert Counter(each.reason for each in refused) == {"SECOND_FACTOR_WRONG": 5, "TOO_MANY_SECOND_FACTORS": 7}
    (limited,) = {(each.code, *each.metadata.items()) for each in refused if each.reason.startswith("TOO_MANY")}
    assert limited == ("RESOURCE_EXHAUSTED", ("retry_after", "3600"))
    assert await count(world, SecondFactorRefused, first) == 5
    # The right one is not judged either; the member can sign in without it.
    code = people.codes(number)[-1]
    again = await refusal(people.verify(challenges[-1], code, totp=totp(secret)))
    assert (again.reason, again.metadata) == ("TOO_MANY_SECOND_FACTORS", {"retry_after": "3600"})
    await world.superuser.execute(
        """UPDATE identity.second_factors
        SET wrong_at = (SELECT array_agg(at - interval '1 hour') FROM unnest(wrong_at) AS at) WHERE user_id = $1""",
        first.member.user,
    )
    done = await people.verify(challenges[-1], code, totp=totp(secret))
    assert await office.roles(done.tokens.access_token) == {"admin"}


async def test_a_code_works_once_and_so_do_those_before_it(office: Office) -> None:
    people = office.people
    number, _, secret = await office.admin()
    later, now = totp(secret, 1), totp(secret)
    await people.sign_in(number, totp=later)
    challenge = (await people.start(number)).challenge_id
    for used in (later, now):
        refused = await refusal(people.verify(challenge, people.codes(number)[-1], totp=used))
        assert refused.reason == "SECOND_FACTOR_WRONG"


async def test_of_sign_ins_with_one_code_at_once_one_gets_the_role(world: World, office: Office) -> None:
    people = office.people
    number, first, secret = await office.admin()
    challenges = [(await people.start(number)).challenge_id for _ in range(4)]
    code = totp(secret)
    done = await asyncio.gather(
        *(
            people.verify(challenge, sent, totp=code)
            for challenge, sent in zip(challenges, people.codes(number)[1:], strict=True)
        ),
        return_exceptions=True,
    )
    assert sum(not isinstance(each, BaseException) for each in done) == 1
    assert await count(world, AdminSignedIn, first) == 1


@pytest.mark.rule("ID-02")
async def test_a_repeat_of_the_sign_in_uses_the_code_no_second_time(world: World, office: Office) -> None:
    people = office.people
    number, first, secret = await office.admin()
    challenge, call, code = (await people.start(number)).challenge_id, request_id(), totp(secret)
    for _ in range(3):
        done = await people.verify(challenge, people.codes(number)[-1], call, totp=code)
        assert await office.roles(done.tokens.access_token) == {"admin"}
        assert done.tokens.refresh_expires_at.ToDatetime(UTC) < datetime.now(UTC) + timedelta(hours=1, seconds=5)
    assert await count(world, AdminSignedIn, first) == 1


@pytest.mark.rule("XX-04")
async def test_the_second_factor_of_who_has_none_is_ignored(world: World, office: Office) -> None:
    people, number = office.people, office.people.number()
    signed = await people.sign_in(number, totp="123456")
    assert signed.created
    again = await people.sign_in(number, totp="123456")
    assert await office.roles(again.tokens.access_token) == frozenset()
    assert await count(world, SecondFactorRefused, signed) == 0
