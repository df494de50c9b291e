"""ID-03: short access tokens, rotating refresh tokens, published keys; and the command that makes the first admin."""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from google.protobuf.json_format import MessageToDict
from joserfc import jwt
from joserfc.jwk import KeySet
from unora.identity.v1.account_service_pb2 import GetAccountRequest, GetJwksRequest
from unora.identity.v1.account_service_pb2_grpc import AccountServiceStub
from unora.identity.v1.events_pb2 import RoleGranted, SessionRevoked
from unora_common.ids import uuid7
from unora_identity.service import service
from unora_local.inprocess import World

from tests.integration.identity.people import People
from tests.support import refusal, request_id


@pytest.mark.rule("ID-03")
async def test_a_session_goes_on_with_fresh_tokens(people: People) -> None:
    who = await people.sign_in()
    machine = datetime.now(UTC)
    tokens = (await people.refresh(who.tokens.refresh_token)).tokens
    access, refresh = (
        stamp.ToDatetime(UTC) - machine for stamp in (tokens.access_expires_at, tokens.refresh_expires_at)
    )
    assert timedelta(minutes=14, seconds=55) < access <= timedelta(minutes=15, seconds=5)
    assert timedelta(days=29, hours=23) < refresh <= timedelta(days=30, seconds=5)
    metadata = (("authorization", f"Bearer {tokens.access_token}"),)
    account = (await people.accounts.GetAccount(GetAccountRequest(), metadata=metadata)).account
    assert account.user_id == who.member.id
    assert (await people.refresh(tokens.refresh_token)).tokens.refresh_token


@pytest.mark.rule("ID-03")
async def test_a_token_that_comes_twice_ends_the_session_for_both(world: World, people: People) -> None:
    who = await people.sign_in()
    second = (await people.refresh(who.tokens.refresh_token)).tokens
    for token in (who.tokens, second, who.tokens):
        refused = await refusal(people.refresh(token.refresh_token))
        assert (refused.code, refused.reason) == ("UNAUTHENTICATED", "SESSION_INVALID")
    (session,) = await people.rows("sessions", user_id=who.member.user)
    assert session["revocation"] == "reuse"
    (revoked,) = await world.events(SessionRevoked, who.member.id)
    assert revoked.session_id == str(session["id"])


@pytest.mark.rule("ID-03")
async def test_a_repeat_of_the_call_is_no_second_use(people: People) -> None:
    who, call = await people.sign_in(), request_id()
    lost = await people.refresh(who.tokens.refresh_token, call)
    again = await people.refresh(who.tokens.refresh_token, call)
    assert again.tokens.refresh_token != lost.tokens.refresh_token
    assert (await people.refresh(again.tokens.refresh_token)).tokens.access_token


@pytest.mark.rule("ID-03")
async def test_of_two_uses_at_once_one_is_the_second(world: World, people: People) -> None:
    who = await people.sign_in()
    done = await asyncio.gather(*(people.refresh(who.tokens.refresh_token) for _ in range(4)), return_exceptions=True)
    assert sum(not isinstance(each, BaseException) for each in done) == 1
    assert len(await world.events(SessionRevoked, who.member.id)) == 1


@pytest.mark.rule("ID-03")
async def test_the_database_lets_one_token_of_a_family_live(world: World, people: People) -> None:
    who = await people.sign_in()
    (session,) = await people.rows("sessions", user_id=who.member.user)
    connection = await asyncpg.connect(world.testbed.dsn(world.database, "unora_identity"))
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await connection.execute(
            """INSERT INTO identity.refresh_tokens (hash, session_id, issued_at, expires_at)
            SELECT sha256(hash), session_id, issued_at, expires_at
            FROM identity.refresh_tokens WHERE session_id = $1""",
            session["id"],
        )
    assert refused.value.constraint_name == "uq_refresh_tokens_one_living"
    await connection.close()


@pytest.mark.rule("ID-03", "XX-04")
async def test_a_made_up_token_gets_the_same_answer_as_a_used_one(people: People) -> None:
    refused = await refusal(people.refresh("x" * 43))
    assert (refused.code, refused.reason, refused.metadata) == ("UNAUTHENTICATED", "SESSION_INVALID", {})


@pytest.mark.rule("ID-03")
async def test_the_rule_clock_signs_nobody_out(world: World, people: People) -> None:
    who = await people.sign_in()
    await world.move_clock(timedelta(days=40))
    assert (await people.refresh(who.tokens.refresh_token)).tokens.access_token


@pytest.mark.rule("ID-03")
async def test_the_published_keys_verify_tokens_for_whoever_asks(world: World, people: People) -> None:
    who = await people.sign_in()
    for caller in ("gateway", "safety"):
        jwks = await world.stub(AccountServiceStub, "identity", caller).GetJwks(GetJwksRequest())
        keys = KeySet.import_key_set(MessageToDict(jwks))  # type: ignore[arg-type]
        claims = jwt.decode(who.tokens.access_token, keys, algorithms=["ES256"]).claims
        assert claims["sub"] == who.member.id
        assert UUID(claims["sid"])
        assert not any("d" in key for key in MessageToDict(jwks)["keys"])


@pytest.mark.rule("ID-03")
async def test_a_token_of_someone_who_is_not_there_is_none(world: World, people: People) -> None:
    refused = await refusal(people.accounts.GetAccount(GetAccountRequest(), metadata=world.caller().metadata))
    assert refused.code == "UNAUTHENTICATED"


@pytest.mark.rule("XX-03")
async def test_the_first_admin_is_made_by_a_command(
    world: World, people: People, capsys: pytest.CaptureFixture[str]
) -> None:
    who, app = await people.sign_in(), world.apps["identity"]
    command = service.commands["make-admin"]
    parser = argparse.ArgumentParser()
    command.arguments(parser)

    assert await command.run(app, parser.parse_args([str(uuid7())])) == 1
    assert "sign in by phone first" in capsys.readouterr().err
    for _ in range(2):
        assert await command.run(app, parser.parse_args([who.member.id])) == 0
    assert "already" in capsys.readouterr().out
    (granted,) = await world.events(RoleGranted, who.member.id)
    assert (granted.role, granted.version) == ("admin", 3)

    tokens = (await people.refresh(who.tokens.refresh_token)).tokens
    metadata = (("authorization", f"Bearer {tokens.access_token}"),)
    account = (await people.accounts.GetAccount(GetAccountRequest(), metadata=metadata)).account
    assert list(account.roles) == ["admin"]
    assert (await app.verifier.verify(tokens.access_token)).roles == {"admin"}
