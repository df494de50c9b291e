"""ID-09, ID-16: pausing and closing an account, as identity does it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from google.protobuf.message import Message
from unora.identity.v1.account_service_pb2 import (
    Account,
    CloseAccountRequest,
    CloseAccountResponse,
    GetAccountRequest,
    PauseAccountRequest,
    PauseAccountResponse,
    ResumeAccountRequest,
)
from unora.identity.v1.directory_service_pb2 import DiscoveryProfile, GetDiscoveryProfileRequest
from unora.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from unora.identity.v1.events_pb2 import (
    AccountClosed,
    AccountCreated,
    AccountPaused,
    AccountResumed,
    DiscoveryProfileChanged,
    SessionOpened,
    SessionRevoked,
)
from unora_common.messages import from_timestamp
from unora_testing.world import World

from tests.integration.identity.people import People, Signed
from tests.support import refusal, request_id


async def pause(people: People, signed: Signed, request: str = "") -> PauseAccountResponse:
    asked = PauseAccountRequest(request_id=request or request_id())
    return await people.accounts.PauseAccount(asked, metadata=signed.metadata)


async def resume(people: People, signed: Signed) -> None:
    await people.accounts.ResumeAccount(ResumeAccountRequest(request_id=request_id()), metadata=signed.metadata)


async def close(people: People, signed: Signed, request: str = "") -> CloseAccountResponse:
    asked = CloseAccountRequest(request_id=request or request_id())
    return await people.accounts.CloseAccount(asked, metadata=signed.metadata)


async def account(people: People, signed: Signed) -> Account:
    return (await people.accounts.GetAccount(GetAccountRequest(), metadata=signed.metadata)).account


async def directory_profile(world: World, signed: Signed) -> DiscoveryProfile:
    directory = world.stub(DirectoryServiceStub, "identity", caller="discovery")
    return (await directory.GetDiscoveryProfile(GetDiscoveryProfileRequest(user_id=signed.member.id))).profile


def told(events: list[Message]) -> list[bool]:
    return [event.discovery_ready for event in events]  # type: ignore[attr-defined]


@pytest.mark.rule("ID-16")
async def test_who_pauses_is_shown_to_nobody_until_they_resume_and_sees_since_when(
    world: World, people: People
) -> None:
    signed = await people.ready()
    before = await directory_profile(world, signed)
    assert not (await account(people, signed)).HasField("paused_at")
    paused = await pause(people, signed)
    shown = await account(people, signed)
    assert (shown.paused_at, shown.discovery_ready) == (paused.paused_at, False)
    away = await directory_profile(world, signed)
    assert (away.discovery_ready, away.paused) == (False, True)
    away.ClearField("paused")
    away.discovery_ready, away.version = True, before.version
    assert away == before, "what dealt cards show must not change with a pause"
    await resume(people, signed)
    shown = await account(people, signed)
    assert (shown.HasField("paused_at"), shown.discovery_ready) == (False, True)
    again = await directory_profile(world, signed)
    assert (again.discovery_ready, again.paused) == (True, False)
    assert len(await world.events(AccountPaused, signed.member.id)) == 1
    assert len(await world.events(AccountResumed, signed.member.id)) == 1
    assert told(await world.events(DiscoveryProfileChanged, signed.member.id))[-2:] == [False, True]


@pytest.mark.rule("ID-16")
async def test_a_second_pause_or_resumption_changes_nothing(world: World, people: People) -> None:
    signed = await people.sign_in()
    await resume(people, signed)
    first = await pause(people, signed)
    await world.move_clock(timedelta(hours=1))
    assert await pause(people, signed) == first
    await resume(people, signed)
    await resume(people, signed)
    assert len(await world.events(AccountPaused, signed.member.id)) == 1
    assert len(await world.events(AccountResumed, signed.member.id)) == 1


@pytest.mark.rule("ID-16", "PR-06")
async def test_of_a_member_who_was_never_ready_no_pause_tells_discovery(world: World, people: People) -> None:
    signed = await people.sign_in()
    await pause(people, signed)
    await resume(people, signed)
    await close(people, signed)
    assert await world.events(DiscoveryProfileChanged, signed.member.id) == []


@pytest.mark.rule("ID-16", "PR-06")
async def test_who_becomes_ready_during_a_pause_is_shown_only_after_it(world: World, people: People) -> None:
    signed = await people.sign_in()
    await pause(people, signed)
    await people.ready(signed=signed)
    assert not (await directory_profile(world, signed)).discovery_ready
    await resume(people, signed)
    assert (await directory_profile(world, signed)).discovery_ready


@pytest.mark.rule("ID-09")
async def test_closing_ends_all_sessions_and_can_be_undone_for_thirty_days(world: World, people: People) -> None:
    number = people.number()
    signed = await people.ready(signed=await people.sign_in(number))
    other = await people.sign_in(number)
    now = await world.now()
    closed = await close(people, signed)
    kept = from_timestamp(closed.erase_after) - now
    assert timedelta(days=30) <= kept < timedelta(days=30, minutes=5)
    await world.drain()
    for each in (signed, other):
        assert (await refusal(people.refresh(each.tokens.refresh_token))).reason == "SESSION_INVALID"
        refused = await refusal(people.accounts.GetAccount(GetAccountRequest(), metadata=each.metadata))
        assert refused.reason == "SESSION_REVOKED"
    assert len(await world.events(SessionRevoked, signed.member.id)) == 2
    assert len(await world.events(AccountClosed, signed.member.id)) == 1
    profile = await directory_profile(world, signed)
    assert (profile.discovery_ready, profile.paused) == (False, False)
    assert not told(await world.events(DiscoveryProfileChanged, signed.member.id))[-1]
    (row,) = await people.rows("users", id=signed.member.user)
    assert row["closed_at"] is not None
    assert row["erase_after"] == from_timestamp(closed.erase_after)


@pytest.mark.rule("ID-09")
async def test_a_repeat_of_the_call_gets_its_first_answer_and_tells_nothing_twice(world: World, people: People) -> None:
    signed, request = await people.sign_in(), request_id()
    first = await close(people, signed, request)
    assert await close(people, signed, request) == first
    assert len(await world.events(AccountClosed, signed.member.id)) == 1


@pytest.mark.rule("ID-09")
async def test_an_account_is_closed_once_however_many_calls_come_at_once(world: World, people: People) -> None:
    number = people.number()
    phones = [await people.sign_in(number) for _ in range(4)]
    done = await asyncio.gather(*(close(people, phone) for phone in phones), return_exceptions=True)
    answers = [each for each in done if isinstance(each, CloseAccountResponse)]
    assert len(answers) == 1, "the first call ends the sessions of the others"
    assert len(await world.events(AccountClosed, phones[0].member.id)) == 1


@pytest.mark.rule("ID-09")
async def test_an_old_sign_in_closes_nothing(world: World, people: People) -> None:
    signed = await people.sign_in()
    await people.age(signed, minutes=15)
    refused = await refusal(close(people, signed))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "SIGN_IN_TOO_OLD")
    assert await world.events(AccountClosed, signed.member.id) == []
    assert (await people.rows("users", id=signed.member.user))[0]["closed_at"] is None


@pytest.mark.rule("ID-09")
async def test_a_suspended_member_can_close_but_not_pause(world: World, people: People) -> None:
    signed = await people.sign_in()
    suspended = world.caller(signed.member.user, suspended=True)
    asked = PauseAccountRequest(request_id=request_id())
    assert (await refusal(people.accounts.PauseAccount(asked, metadata=suspended.metadata))).reason == (
        "ACCOUNT_SUSPENDED"
    )
    number = people.number()
    signed = await people.sign_in(number)
    await world.superuser.execute(
        "UPDATE identity.users SET suspended_at = clock.now() WHERE id = $1", signed.member.user
    )
    again = await people.sign_in(number)
    await close(people, again)
    (row,) = await people.rows("users", id=signed.member.user)
    assert (row["closed_at"] is not None, row["suspended_at"] is not None) == (True, True)


@pytest.mark.rule("ID-09", "ID-16")
async def test_a_closed_account_neither_pauses_nor_resumes(world: World, people: People) -> None:
    signed = await people.sign_in()
    await pause(people, signed)
    await close(people, signed)
    late = world.caller(signed.member.user)  # a token that was signed a moment before
    for call in (
        people.accounts.PauseAccount(PauseAccountRequest(request_id=request_id()), metadata=late.metadata),
        people.accounts.ResumeAccount(ResumeAccountRequest(request_id=request_id()), metadata=late.metadata),
    ):
        refused = await refusal(call)
        assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "ACCOUNT_IS_CLOSED")
    (row,) = await people.rows("users", id=signed.member.user)
    assert row["paused_at"] is not None, "a pause goes on when the account is opened again"


@pytest.mark.rule("ID-09", "XX-01")
async def test_a_number_and_a_device_are_told_as_keyed_hashes_of_no_other_use(world: World, people: People) -> None:
    number = people.number()
    signed = await people.sign_in(number, device="a phone")
    (created,) = await world.events(AccountCreated, signed.member.id)
    (opened,) = await world.events(SessionOpened, signed.member.id)
    await close(people, signed)
    (closed,) = await world.events(AccountClosed, signed.member.id)
    assert (closed.phone_digest, closed.device_digest) == (created.phone_digest, created.device_digest)
    assert created.device_digest == opened.device_digest
    (row,) = await people.rows("users", id=signed.member.user)
    assert len(created.phone_digest) == 32
    assert created.phone_digest != row["phone_hash"], "who sees an event must not find the row by it"
