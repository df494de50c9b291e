"""SA-06: safety decides suspensions; identity ends the sessions, and their tokens stop working everywhere."""

from __future__ import annotations

import asyncio

import pytest
from unora.identity.v1.account_service_pb2 import (
    Account,
    GetAccountRequest,
    ListSessionsRequest,
    RevokeSessionRequest,
)
from unora.identity.v1.events_pb2 import SessionRevoked, SuspensionChanged
from unora.identity.v1.profile_service_pb2 import GetProfileRequest
from unora.safety.v1.events_pb2 import RestrictionChanged
from unora.streak.v1.streak_service_pb2 import GetDashboardRequest
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_identity.domain.policy import Policy
from unora_identity.use_cases.revocations import list_all_recent
from unora_testing.world import Caller, World

from tests.integration.identity.people import People, Signed, apply
from tests.support import refusal, request_id

pytestmark = pytest.mark.rule("SA-06")


async def restriction_changed(world: World, signed: Signed, version: int, *, suspended: bool) -> RestrictionChanged:
    event = RestrictionChanged(user_id=signed.member.id, version=version, suspended=suspended)
    event.occurred_at.FromDatetime(await world.now())
    return event


async def suspend(world: World, signed: Signed, version: int = 1) -> None:
    await world.publish(await restriction_changed(world, signed, version, suspended=True))


async def account(people: People, signed: Signed) -> Account:
    return (await people.accounts.GetAccount(GetAccountRequest(), metadata=signed.metadata)).account


async def test_a_suspension_ends_all_sessions_in_every_context(world: World, people: People) -> None:
    number = people.number()
    first, second = await people.sign_in(number), await people.sign_in(number)
    streaks = world.stub(StreakServiceStub, "streak")
    for signed in (first, second):
        await streaks.GetDashboard(GetDashboardRequest(), metadata=signed.metadata)  # the token is cached from now on
    await suspend(world, first)
    for signed in (first, second):
        assert (await refusal(people.refresh(signed.tokens.refresh_token))).reason == "SESSION_INVALID"
        for call in (
            streaks.GetDashboard(GetDashboardRequest(), metadata=signed.metadata),
            people.accounts.GetAccount(GetAccountRequest(), metadata=signed.metadata),
        ):
            refused = await refusal(call)
            assert (refused.code, refused.reason) == ("UNAUTHENTICATED", "SESSION_REVOKED")
    (event,) = await world.events(SuspensionChanged, first.member.id)
    assert event.suspended
    assert len(await world.events(SessionRevoked, first.member.id)) == 2
    assert {row["revocation"] for row in await people.rows("sessions", user_id=first.member.user)} == {"suspension"}


async def test_signed_in_again_a_suspended_member_sees_their_account_and_little_else(
    world: World, people: People
) -> None:
    number = people.number()
    signed = await people.sign_in(number)
    assert not (await account(people, signed)).suspended
    await suspend(world, signed)
    again = await people.sign_in(number)
    assert again.member.user == signed.member.user
    assert (await account(people, again)).suspended
    sessions = (await people.accounts.ListSessions(ListSessionsRequest(), metadata=again.metadata)).sessions
    assert [session.current for session in sessions] == [True]
    for call in (
        people.profiles.GetProfile(GetProfileRequest(), metadata=again.metadata),
        world.stub(StreakServiceStub, "streak").GetDashboard(GetDashboardRequest(), metadata=again.metadata),
    ):
        refused = await refusal(call)
        assert (refused.code, refused.reason) == ("PERMISSION_DENIED", "ACCOUNT_SUSPENDED")
    tokens = (await people.refresh(again.tokens.refresh_token)).tokens
    refreshed = Signed(Caller(signed.member.user, tokens.access_token), tokens, False)
    assert (await refusal(people.profiles.GetProfile(GetProfileRequest(), metadata=refreshed.metadata))).reason == (
        "ACCOUNT_SUSPENDED"
    )
    ending = RevokeSessionRequest(request_id=request_id(), session_id=sessions[0].session_id)
    await people.accounts.RevokeSession(ending, metadata=refreshed.metadata)


async def test_after_a_lifted_suspension_the_next_tokens_open_everything(world: World, people: People) -> None:
    number = people.number()
    signed = await people.sign_in(number)
    await suspend(world, signed)
    again = await people.sign_in(number)
    await world.publish(await restriction_changed(world, signed, 2, suspended=False))
    assert not (await account(people, again)).suspended
    tokens = (await people.refresh(again.tokens.refresh_token)).tokens
    metadata = (("authorization", f"Bearer {tokens.access_token}"),)
    await people.profiles.GetProfile(GetProfileRequest(), metadata=metadata)
    assert [event.suspended for event in await world.events(SuspensionChanged, signed.member.id)] == [True, False]
    assert (await refusal(people.refresh(signed.tokens.refresh_token))).reason == "SESSION_INVALID"


@pytest.mark.rule("XX-02")
async def test_only_the_newest_restriction_of_a_member_counts(world: World, people: People) -> None:
    signed = await people.sign_in()
    for version, suspended in ((5, False), (4, True), (5, True)):
        await apply(world, await restriction_changed(world, signed, version, suspended=suspended))
    assert not (await account(people, signed)).suspended
    for version in (6, 7):  # published twice, in two versions: one change
        await apply(world, await restriction_changed(world, signed, version, suspended=True))
    assert len(await world.events(SuspensionChanged, signed.member.id)) == 1
    assert len(await world.events(SessionRevoked, signed.member.id)) == 1


async def test_a_sign_in_and_a_suspension_at_once_leave_no_unrestricted_session(world: World, people: People) -> None:
    for _ in range(4):
        number = people.number()
        signed = await people.sign_in(number)
        event = await restriction_changed(world, signed, 1, suspended=True)
        done = await asyncio.gather(
            people.sign_in(number),
            people.refresh(signed.tokens.refresh_token),
            apply(world, event),
            return_exceptions=True,
        )
        assert isinstance(done[0], Signed)
        await world.drain()
        refused = await refusal(people.profiles.GetProfile(GetProfileRequest(), metadata=done[0].metadata))
        assert refused.reason in ("ACCOUNT_SUSPENDED", "SESSION_REVOKED")


async def test_revocations_are_listed_as_long_as_a_token_can_live_by_the_databases_clock(
    world: World, people: People
) -> None:
    signed = await people.sign_in()
    await suspend(world, signed)
    (session,) = await people.rows("sessions", user_id=signed.member.user)
    app, policy = world.apps["identity"], Policy()
    assert session["id"] in await list_all_recent(app.runtime)
    age = "UPDATE identity.revocations SET revoked_at = clock_timestamp() - $2::interval WHERE session_id = $1"
    assert policy.revocation_published_for > policy.access_token_life
    await world.superuser.execute(age, session["id"], policy.access_token_life)  # a clock may be off by minutes
    assert session["id"] in await list_all_recent(app.runtime)
    await world.superuser.execute(age, session["id"], policy.revocation_published_for)
    assert session["id"] not in await list_all_recent(app.runtime)


async def test_the_list_of_revocations_is_fetched_page_by_page(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = [await people.sign_in() for _ in range(5)]
    for each in signed:
        await apply(world, await restriction_changed(world, each, 1, suspended=True))
    app = world.apps["identity"]
    everyone = await list_all_recent(app.runtime)
    monkeypatch.setattr("unora_identity.use_cases.revocations.PAGE_SIZE", 2)
    assert await list_all_recent(app.runtime) == everyone
    assert await world.apps["streak"].revocations._fetch() == everyone
    assert len(everyone) >= len(signed)


async def test_a_restriction_of_an_unknown_member_changes_nothing(world: World) -> None:
    stranger = Signed(world.caller(), None, False)  # type: ignore[arg-type]
    await apply(world, await restriction_changed(world, stranger, 1, suspended=True))
    assert await world.events(SuspensionChanged, stranger.member.id) == []
