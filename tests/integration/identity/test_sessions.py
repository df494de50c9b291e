"""ID-03, ID-12: short access tokens, rotating refresh tokens, published keys; sessions that are ended."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from joserfc import jwt
from joserfc.jwk import KeySet
from unora.identity.v1.account_service_pb2 import (
    GetAccountRequest,
    GetJwksRequest,
    ListSessionsRequest,
    ListSessionsResponse,
    RevokeOtherSessionsRequest,
    RevokeSessionRequest,
    VerifyPhoneRequest,
)
from unora.identity.v1.account_service_pb2_grpc import AccountServiceStub
from unora.identity.v1.events_pb2 import SessionOpened, SessionRevoked
from unora_testing.world import World

from tests.integration.identity.people import People, Signed, lives
from tests.roles import refused, role_of
from tests.support import read_refusal, refusal, request_id


@pytest.mark.rule("ID-03")
async def test_a_session_is_refreshed_with_fresh_tokens(people: People) -> None:
    signed = await people.sign_in()
    began = datetime.now(UTC)
    tokens = (await people.refresh(signed.tokens.refresh_token)).tokens
    assert lives(tokens.access_expires_at, since=began, for_=timedelta(minutes=15))
    assert lives(tokens.refresh_expires_at, since=began, for_=timedelta(days=30))
    metadata = (("authorization", f"Bearer {tokens.access_token}"),)
    account = (await people.accounts.GetAccount(GetAccountRequest(), metadata=metadata)).account
    assert account.user_id == signed.member.id
    assert (await people.refresh(tokens.refresh_token)).tokens.refresh_token


@pytest.mark.rule("ID-03")
async def test_a_token_that_is_used_twice_ends_the_session_for_both(world: World, people: People) -> None:
    signed = await people.sign_in()
    second = (await people.refresh(signed.tokens.refresh_token)).tokens
    for token in (signed.tokens, second, signed.tokens):
        refused = await refusal(people.refresh(token.refresh_token))
        assert (refused.code, refused.reason) == ("UNAUTHENTICATED", "SESSION_INVALID")
    (session,) = await people.rows("sessions", user_id=signed.member.user)
    assert session["revocation"] == "reuse"
    (revoked,) = await world.events(SessionRevoked, signed.member.id)
    assert revoked.session_id == str(session["id"])


@pytest.mark.rule("ID-03")
async def test_a_repeat_of_the_call_does_not_count_as_a_second_use(people: People) -> None:
    signed, call = await people.sign_in(), request_id()
    lost = await people.refresh(signed.tokens.refresh_token, call)
    again = await people.refresh(signed.tokens.refresh_token, call)
    assert again.tokens.refresh_token != lost.tokens.refresh_token
    assert (await people.refresh(again.tokens.refresh_token)).tokens.access_token


@pytest.mark.rule("ID-03")
async def test_concurrent_uses_of_a_token_end_the_session(world: World, people: People) -> None:
    signed = await people.sign_in()
    done = await asyncio.gather(
        *(people.refresh(signed.tokens.refresh_token) for _ in range(4)), return_exceptions=True
    )
    assert sum(not isinstance(each, BaseException) for each in done) == 1
    assert len(await world.events(SessionRevoked, signed.member.id)) == 1


@pytest.mark.rule("ID-03")
async def test_the_database_allows_one_unused_token_in_a_family(world: World, people: People) -> None:
    signed = await people.sign_in()
    (session,) = await people.rows("sessions", user_id=signed.member.user)
    async with role_of(world, "identity") as connection:
        with pytest.raises(asyncpg.UniqueViolationError) as refused:
            await connection.execute(
                """INSERT INTO identity.refresh_tokens (hash, session_id, issued_at, expires_at)
                SELECT sha256(hash), session_id, issued_at, expires_at
                FROM identity.refresh_tokens WHERE session_id = $1""",
                session["id"],
            )
        assert refused.value.constraint_name == "uq_refresh_tokens_one_living"


@pytest.mark.rule("ID-03", "XX-04")
async def test_a_made_up_token_gets_the_same_answer_as_a_used_one(people: People) -> None:
    refused = await refusal(people.refresh("x" * 43))
    assert (refused.code, refused.reason, refused.metadata) == ("UNAUTHENTICATED", "SESSION_INVALID", {})


@pytest.mark.rule("ID-03")
async def test_the_rule_clock_signs_nobody_out(world: World, people: People) -> None:
    signed = await people.sign_in()
    await world.move_clock(timedelta(days=40))
    assert (await people.refresh(signed.tokens.refresh_token)).tokens.access_token


@pytest.mark.rule("ID-03")
async def test_the_published_keys_verify_tokens_for_all_callers(world: World, people: People) -> None:
    signed = await people.sign_in()
    for caller in ("gateway", "safety"):
        jwks = await world.stub(AccountServiceStub, "identity", caller).GetJwks(GetJwksRequest())
        keys = KeySet.import_key_set(MessageToDict(jwks))  # type: ignore[arg-type]
        claims = jwt.decode(signed.tokens.access_token, keys, algorithms=["ES256"]).claims
        assert claims["sub"] == signed.member.id
        assert UUID(claims["sid"])
        assert not any("d" in key for key in MessageToDict(jwks)["keys"])


@pytest.mark.rule("ID-03")
async def test_a_token_of_an_unknown_member_is_refused(world: World, people: People) -> None:
    refused = await refusal(people.accounts.GetAccount(GetAccountRequest(), metadata=world.caller().metadata))
    assert refused.code == "UNAUTHENTICATED"


async def list_sessions(people: People, signed: Signed, size: int = 0, token: str = "") -> ListSessionsResponse:
    asked = ListSessionsRequest(page_size=size, page_token=token)
    return await people.accounts.ListSessions(asked, metadata=signed.metadata)


async def revoke(people: People, signed: Signed, session: str, request: str = "") -> None:
    asked = RevokeSessionRequest(request_id=request or request_id(), session_id=session)
    await people.accounts.RevokeSession(asked, metadata=signed.metadata)


@pytest.mark.rule("ID-03")
async def test_members_see_their_active_sessions_newest_first(people: People) -> None:
    number = people.number()
    signed_in = [await people.sign_in(number) for _ in range(4)]
    await people.sign_in()
    listed = (await list_sessions(people, signed_in[1])).sessions
    assert [session.current for session in listed] == [False, False, True, False]
    first = await list_sessions(people, signed_in[1], size=3)
    rest = await list_sessions(people, signed_in[1], 3, first.next_page_token)
    assert [*first.sessions, *rest.sessions] == list(listed)
    assert rest.next_page_token == ""
    assert (
        await refusal(list_sessions(people, await people.sign_in(), 3, first.next_page_token))
    ).code == "INVALID_ARGUMENT"

    await people.refresh(signed_in[3].tokens.refresh_token)
    newest = (await list_sessions(people, signed_in[1])).sessions[0]
    assert newest.refreshed_at.ToDatetime() > newest.started_at.ToDatetime()
    await revoke(people, signed_in[1], listed[3].session_id)
    assert len((await list_sessions(people, signed_in[1])).sessions) == 3


@pytest.mark.rule("ID-03", "SA-06")
async def test_a_session_that_its_member_revokes_ends_at_once_and_everywhere_soon(world: World, people: People) -> None:
    number = people.number()
    lost, signed = await people.sign_in(number), await people.sign_in(number)
    _, old = (await list_sessions(people, signed)).sessions
    call = request_id()
    for _ in range(2):
        await revoke(people, signed, old.session_id, call)
    await revoke(people, signed, old.session_id)
    assert (await refusal(people.refresh(lost.tokens.refresh_token))).reason == "SESSION_INVALID"
    await world.drain()
    refused = await refusal(people.accounts.GetAccount(GetAccountRequest(), metadata=lost.metadata))
    assert (refused.code, refused.reason) == ("UNAUTHENTICATED", "SESSION_REVOKED")
    (event,) = await world.events(SessionRevoked, signed.member.id)
    assert event.session_id == old.session_id
    assert (await people.refresh(signed.tokens.refresh_token)).tokens.access_token


@pytest.mark.rule("ID-03", "XX-04")
async def test_another_members_session_is_refused_as_not_found(people: People) -> None:
    signed, other = await people.sign_in(), await people.sign_in()
    (session,) = (await list_sessions(people, other)).sessions
    for named in (session.session_id, request_id()):
        refused = await refusal(revoke(people, signed, named))
        assert (refused.code, refused.reason, refused.metadata) == ("NOT_FOUND", "SESSION_NOT_FOUND", {})
    assert (await people.refresh(other.tokens.refresh_token)).tokens.access_token


@pytest.mark.rule("ID-03")
async def test_a_refresh_and_a_revocation_at_once_leave_no_session(world: World, people: People) -> None:
    for _ in range(5):
        number = people.number()
        lost, signed = await people.sign_in(number), await people.sign_in(number)
        _, old = (await list_sessions(people, signed)).sessions
        refreshed, _, _ = await asyncio.gather(
            people.refresh(lost.tokens.refresh_token),
            revoke(people, signed, old.session_id),
            revoke(people, signed, old.session_id),
            return_exceptions=True,
        )
        if not isinstance(refreshed, BaseException):
            await world.drain()
            metadata = (("authorization", f"Bearer {refreshed.tokens.access_token}"),)
            refused = await refusal(people.accounts.GetAccount(GetAccountRequest(), metadata=metadata))
            assert refused.reason == "SESSION_REVOKED"
            assert (await refusal(people.refresh(refreshed.tokens.refresh_token))).reason == "SESSION_INVALID"
        assert len(await world.events(SessionRevoked, signed.member.id)) == 1


async def revoke_others(people: People, signed: Signed, request: str = "") -> None:
    asked = RevokeOtherSessionsRequest(request_id=request or request_id())
    await people.accounts.RevokeOtherSessions(asked, metadata=signed.metadata)


@pytest.mark.rule("ID-12", "SA-06")
async def test_all_other_sessions_end_in_one_call(world: World, people: People) -> None:
    number = people.number()
    others, signed = [await people.sign_in(number) for _ in range(3)], await people.sign_in(number)
    stranger, call = await people.sign_in(), request_id()
    for again in (call, call, request_id()):
        await revoke_others(people, signed, again)
    (left,) = (await list_sessions(people, signed)).sessions
    assert left.current
    for other in others:
        assert (await refusal(people.refresh(other.tokens.refresh_token))).reason == "SESSION_INVALID"
    await world.drain()
    refused = await refusal(people.accounts.GetAccount(GetAccountRequest(), metadata=others[0].metadata))
    assert refused.reason == "SESSION_REVOKED"
    ended = await world.events(SessionRevoked, signed.member.id)
    rows = await people.rows("sessions", user_id=signed.member.user, revocation="other_session")
    assert {event.session_id for event in ended} == {str(row["id"]) for row in rows}
    assert len(ended) == 3
    for kept in (signed, stranger):
        assert (await people.refresh(kept.tokens.refresh_token)).tokens.access_token


@pytest.mark.rule("ID-12")
async def test_of_two_sessions_that_end_each_other_at_once_one_stays(people: People) -> None:
    """The access token of the one that was thrown out is still valid for some seconds."""
    number = people.number()
    pair = [await people.sign_in(number) for _ in range(2)]
    done = await asyncio.gather(*(revoke_others(people, each) for each in pair), return_exceptions=True)
    refused = [read_refusal(error) for error in done if isinstance(error, grpc.aio.AioRpcError)]
    assert [(each.code, each.reason) for each in refused] == [("UNAUTHENTICATED", "SESSION_REVOKED")]
    (winner,) = [each for each, result in zip(pair, done, strict=True) if result is None]
    assert (await people.refresh(winner.tokens.refresh_token)).tokens.access_token


@pytest.mark.rule("ID-12")
async def test_a_session_that_was_thrown_out_ends_no_other(people: People) -> None:
    """Not one by one either, while its access token is still valid."""
    number = people.number()
    thief, owner = await people.sign_in(number), await people.sign_in(number)
    owners, thiefs = (each.session_id for each in (await list_sessions(people, owner)).sessions)
    await revoke(people, owner, thiefs)
    refused = await refusal(revoke(people, thief, owners))
    assert (refused.code, refused.reason) == ("UNAUTHENTICATED", "SESSION_REVOKED")
    await revoke(people, thief, thiefs)  # it has ended already
    assert (await people.refresh(owner.tokens.refresh_token)).tokens.access_token


@pytest.mark.rule("SA-04", "XX-01")
async def test_a_device_is_known_by_a_digest_only(world: World, people: People) -> None:
    device = f"made-up-device-{request_id()}"
    digests = []
    for given in (device, device, device + "x", ""):
        number = people.number()
        challenge = await people.start(number)
        asked = VerifyPhoneRequest(request_id=request_id(), challenge_id=challenge.challenge_id, device_id=given)
        asked.code = people.codes(number)[-1]
        done = await people.accounts.VerifyPhone(asked)
        (opened,) = await world.events(SessionOpened, done.user_id)
        (session,) = await people.rows("sessions", user_id=UUID(done.user_id))
        assert opened.device_digest == (session["device_digest"] or b"")
        digests.append(opened.device_digest)
    same, again, other, none = digests
    assert same == again != other
    assert (len(same), len(other), none) == (32, 32, b"")
    assert device.encode() not in same
    assert hashlib.sha256(device.encode()).digest() != same  # only with the key can devices be tried
    broken = await refused(world.superuser, "UPDATE identity.sessions SET device_digest = 'short'")
    assert broken == "ck_sessions_device_digest"
