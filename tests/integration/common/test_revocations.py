"""SA-06: every process fetches the revoked sessions and refuses their tokens; without an answer it refuses all."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from unora.identity.v1.directory_service_pb2 import ListRevocationsRequest
from unora.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from unora.streak.v1.streak_service_pb2 import GetDashboardRequest
from unora_common.app import App
from unora_common.call import Call
from unora_common.errors import Unavailable
from unora_common.ids import uuid7
from unora_common.runtime import Runtime
from unora_testing.deadlines import within
from unora_testing.world import Caller, World

from tests.integration.common.bare_world import BareWorld, Probe, check_in_request
from tests.support import refusal

pytestmark = pytest.mark.rule("SA-06")


def session_of(app: App[Any, Any], caller: Caller) -> UUID:
    return app.verifier._verified[caller.token].session


async def test_a_cached_token_is_refused_once_its_session_is_revoked(bare_world: BareWorld) -> None:
    streaks, app, member = await bare_world.probe(), bare_world.apps["streak"], bare_world.caller()
    await streaks.CheckIn(check_in_request(), metadata=member.metadata)
    bare_world.revoked = frozenset({session_of(app, member)})
    await app.revocations.refresh()
    assert member.token in app.verifier._verified
    for _ in range(2):
        refused = await refusal(streaks.CheckIn(check_in_request(), metadata=member.metadata))
        assert (refused.code, refused.reason, refused.domain) == ("UNAUTHENTICATED", "SESSION_REVOKED", "unora.streak")
    other = bare_world.caller(member.user)
    await streaks.CheckIn(check_in_request(), metadata=other.metadata)  # another session of the same member
    assert len(await bare_world.keys()) == 2


async def test_a_process_without_an_answer_for_a_minute_refuses_every_member(bare_world: BareWorld) -> None:
    streaks, app, member = await bare_world.probe(), bare_world.apps["streak"], bare_world.caller()
    seconds = 0.0
    app.revocations.clock = lambda: seconds

    async def away() -> Any:
        raise Unavailable

    answers, app.revocations._fetch = app.revocations._fetch, away
    seconds = 60.0
    with pytest.raises(Unavailable):
        await app.revocations.refresh()
    await streaks.CheckIn(check_in_request(), metadata=member.metadata)
    seconds = 61.0
    refused = await refusal(streaks.CheckIn(check_in_request(), metadata=member.metadata))
    assert (refused.code, refused.reason) == ("UNAVAILABLE", "REVOCATIONS_STALE")
    assert await app.readiness.missing() == []  # other contexts can be served, and other replicas have no answer either
    app.revocations._fetch = answers
    await app.revocations.refresh()
    await streaks.CheckIn(check_in_request(), metadata=member.metadata)


async def test_a_process_that_never_got_an_answer_is_not_ready_and_serves_no_member(bare_world: BareWorld) -> None:
    streaks, app, member = await bare_world.probe(), bare_world.apps["streak"], bare_world.caller()

    async def away() -> Any:
        raise Unavailable

    app.revocations.__init__(away)  # type: ignore[misc]
    assert await app.readiness.missing() == ["revocations of identity (Unavailable DEPENDENCY_UNAVAILABLE UNAVAILABLE)"]
    assert (await refusal(streaks.GetDashboard(GetDashboardRequest(), metadata=member.metadata))).reason == (
        "REVOCATIONS_STALE"
    )


async def test_a_process_fetches_revocations_regularly(bare_world: BareWorld) -> None:
    await bare_world.probe(revocations_interval=0.01)
    app = bare_world.apps["streak"]
    ended = uuid7()
    fetched = asyncio.Event()
    fetch = app.revocations._fetch

    async def counted() -> frozenset[UUID]:
        if ended in bare_world.revoked:
            fetched.set()
        return await fetch()

    app.revocations._fetch = counted
    app.watch()
    bare_world.revoked = frozenset({ended})
    await within(fetched.wait())


class Looking(Probe):
    """Answers GetDashboard only after `leave` is set."""

    entered: asyncio.Event
    leave: asyncio.Event

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        super().__init__(runtime)
        Looking.entered, Looking.leave = asyncio.Event(), asyncio.Event()

    async def look(self, call: Call) -> None:
        Looking.entered.set()
        await Looking.leave.wait()


async def test_a_call_in_flight_is_answered_and_the_next_is_refused(bare_world: BareWorld) -> None:
    streaks, member = await bare_world.probe(Looking), bare_world.caller()
    app = bare_world.apps["streak"]

    async def look() -> Any:
        return await streaks.GetDashboard(GetDashboardRequest(), metadata=member.metadata)

    call = asyncio.ensure_future(look())
    await within(Looking.entered.wait())
    bare_world.revoked = frozenset({session_of(app, member)})
    await app.revocations.refresh()
    Looking.leave.set()
    await call
    assert (await refusal(look())).reason == "SESSION_REVOKED"


async def test_the_token_of_a_suspended_member_opens_only_methods_that_allow_it(bare_world: BareWorld) -> None:
    streaks = await bare_world.probe()
    for roles in ((), ("admin",)):
        member = bare_world.caller(roles=roles, suspended=True)
        refused = await refusal(streaks.CheckIn(check_in_request(), metadata=member.metadata))
        assert (refused.code, refused.reason) == ("PERMISSION_DENIED", "ACCOUNT_SUSPENDED")
    assert await bare_world.keys() == []


@pytest.mark.rule("XX-03")
async def test_only_contexts_may_list_revocations(world: World) -> None:
    for context in ("discovery", "matching", "streak", "reveal", "billing", "safety"):
        await world.stub(DirectoryServiceStub, "identity", context).ListRevocations(ListRevocationsRequest())
    for caller in ("gateway", "stranger"):
        stub = world.stub(DirectoryServiceStub, "identity", caller)
        assert (await refusal(stub.ListRevocations(ListRevocationsRequest()))).reason == "CALLER_NOT_ALLOWED"
