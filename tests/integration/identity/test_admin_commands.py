"""ID-15: the commands that give and take the role, and what of them is kept, listed and audited."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from unora.identity.v1.account_service_pb2 import ListSessionsRequest
from unora.identity.v1.events_pb2 import (
    RoleGranted,
    RoleRevoked,
    SecondFactorChanged,
    SessionRevoked,
)
from unora.safety.v1.moderation_service_pb2 import ListCasesRequest
from unora.safety.v1.moderation_service_pb2_grpc import ModerationServiceStub
from unora_common.ids import random_id
from unora_testing.world import World

from tests.integration.identity.admin_office import Office, count, not_the, secret_in, totp
from tests.integration.identity.people import People
from tests.support import refusal

pytestmark = pytest.mark.rule("ID-15")


@pytest.fixture
def office(world: World, people: People, capsys: pytest.CaptureFixture[str]) -> Office:
    return Office(world, people, capsys)


@pytest.mark.rule("XX-03")
async def test_make_admin_shows_the_secret_once(world: World, office: Office) -> None:
    status, said = await office.command("make-admin", str(random_id()))
    assert (status, "sign in by phone first" in said) == (1, True)

    signed = await office.people.sign_in()
    status, said = await office.command("make-admin", signed.member.id)
    assert status == 0
    secret = secret_in(said)
    address = re.search(r"otpauth://\S+", said)
    assert address
    parts = urlsplit(address[0])
    assert (parts.netloc, parse_qs(parts.query)) == ("totp", {"secret": [secret], "issuer": ["Unora"]})
    assert signed.member.id in parts.path

    status, said = await office.command("make-admin", signed.member.id)
    assert status == 1
    assert "already" in said
    assert "--new-secret" in said
    assert secret not in said
    assert await count(world, RoleGranted, signed) == await count(world, SecondFactorChanged, signed) == 1


@pytest.mark.rule("ID-09")
async def test_the_secret_is_not_in_the_database(office: Office) -> None:
    _, signed, secret = await office.admin()
    (row,) = await office.people.rows("second_factors", user_id=signed.member.user)
    raw = pyotp.TOTP(secret).byte_secret()
    for value in row.values():
        text = value if isinstance(value, bytes) else str(value).encode()
        assert secret.encode() not in text
        assert raw not in text


async def test_a_new_secret_replaces_the_old_one_and_ends_the_sessions_that_carry_the_role(office: Office) -> None:
    people = office.people
    number, member, old = await office.admin()
    admin = await people.sign_in(number, totp=totp(old))
    status, said = await office.command("make-admin", admin.member.id, "--new-secret")
    assert status == 0
    assert (await refusal(people.refresh(admin.tokens.refresh_token))).reason == "SESSION_INVALID"
    assert (await people.refresh(member.tokens.refresh_token)).tokens.access_token

    challenge = (await people.start(number)).challenge_id
    code = people.codes(number)[-1]
    assert (await refusal(people.verify(challenge, code, totp=totp(old, 1)))).reason == "SECOND_FACTOR_WRONG"
    done = await people.verify(challenge, code, totp=totp(secret_in(said)))
    assert await office.roles(done.tokens.access_token) == {"admin"}


@pytest.mark.rule("SA-06")
async def test_the_role_is_taken_away_at_once(world: World, office: Office) -> None:
    people = office.people
    number, member, secret = await office.admin()
    admin = await people.sign_in(number, totp=totp(secret))
    assert (await office.command("revoke-admin", str(random_id())))[0] == 1
    for words in ("is no longer an admin", "is no admin"):
        status, said = await office.command("revoke-admin", admin.member.id)
        assert status == 0
        assert words in said

    assert (await refusal(people.refresh(admin.tokens.refresh_token))).reason == "SESSION_INVALID"
    await world.drain()
    moderation = world.stub(ModerationServiceStub, "safety")
    refused = await refusal(moderation.ListCases(ListCasesRequest(), metadata=admin.metadata))
    assert refused.reason == "SESSION_REVOKED"
    assert await people.rows("second_factors", user_id=admin.member.user) == []
    # The member stays a member, and the secret is worth nothing.
    assert (await people.refresh(member.tokens.refresh_token)).tokens.access_token
    again = await people.sign_in(number, totp=totp(secret, 1))
    assert await office.roles(again.tokens.access_token) == frozenset()
    assert await count(world, SessionRevoked, member) == 1


@pytest.mark.rule("SA-01", "XX-01")
async def test_all_of_it_is_audited(world: World, office: Office) -> None:
    people = office.people
    number, signed, secret = await office.admin()
    challenge = (await people.start(number)).challenge_id
    code, right = people.codes(number)[-1], totp(secret)
    await refusal(people.verify(challenge, code, totp=not_the(right)))
    await people.verify(challenge, code, totp=right)
    await office.command("revoke-admin", signed.member.id)
    await world.drain()
    kinds = ("role_granted", "second_factor_changed", "second_factor_refused", "admin_signed_in", "role_revoked")
    found = await world.superuser.fetch(
        """SELECT l.subject FROM safety.audit_logs l WHERE l.aggregate_id = $1 AND l.subject = ANY ($2)
        ORDER BY l.number""",
        signed.member.user,
        [f"unora.identity.v1.{kind}" for kind in kinds],
    )
    assert [row["subject"].removeprefix("unora.identity.v1.") for row in found] == list(kinds)
    granted, revoked = [(await world.events(kind, signed.member.id))[0].role for kind in (RoleGranted, RoleRevoked)]
    assert granted == revoked == "admin"


@pytest.mark.rule("ID-03")
async def test_an_admins_session_that_is_over_is_listed_no_more(office: Office) -> None:
    people = office.people
    number, _, secret = await office.admin()
    admin = await people.sign_in(number, totp=totp(secret))
    plain = await people.sign_in(number)

    async def listed() -> int:
        asked = ListSessionsRequest()
        return len((await people.accounts.ListSessions(asked, metadata=plain.metadata)).sessions)

    assert await listed() == 3
    await office.world.superuser.execute(
        """UPDATE identity.refresh_tokens t SET expires_at = expires_at - interval '1 hour' FROM identity.sessions s
        WHERE s.id = t.session_id AND s.admin_until IS NOT NULL AND s.user_id = $1""",
        admin.member.user,
    )
    assert await listed() == 2
