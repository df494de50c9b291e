"""XX-06: one member, one certificate or one connection cannot take a process from all others."""

# ruff: noqa: N802 - methods have their contract's names
from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from unora.streak.v1.recovery_service_pb2 import AuthorizeNudgeRequest, AuthorizeNudgeResponse
from unora.streak.v1.recovery_service_pb2_grpc import RecoveryServiceStub
from unora.streak.v1.streak_service_pb2 import GetDashboardRequest, GetStreakRequest
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_common import admission
from unora_common.call import Call
from unora_common.config import CONTEXTS
from unora_common.database import Session
from unora_common.grpc_errors import DETAILS
from unora_common.handlers import reads
from unora_common.ids import uuid7
from unora_common.policies import MethodPolicy, policies_of, service_descriptor
from unora_testing.deadlines import GENEROUS, eventually, within
from unora_testing.world import Caller

from tests.integration.common.bare_world import BareWorld, Probe, check_in_request, with_all_methods
from tests.roles import WAITS_HERE
from tests.support import own_sessions, read_refusal, refusal

pytestmark = pytest.mark.rule("XX-06")

DASHBOARD: Final = "/unora.streak.v1.StreakService/GetDashboard"
NUDGE: Final = "/unora.streak.v1.RecoveryService/AuthorizeNudge"


class Held(Probe):
    """GetDashboard does not answer before `release` is called."""

    working = 0
    released: asyncio.Event

    async def look(self, call: Call) -> None:
        type(self).working += 1
        try:
            await within(self.released.wait())
        finally:
            type(self).working -= 1


@with_all_methods
class Recovery:
    """What billing calls; AuthorizeNudge reads the database."""

    service = "unora.streak.v1.RecoveryService"

    def __init__(self, runtime: Any) -> None:
        self.runtime = runtime

    @reads
    async def AuthorizeNudge(self, request: AuthorizeNudgeRequest, db: Session) -> AuthorizeNudgeResponse:
        await db.value("SELECT 1")
        return AuthorizeNudgeResponse()


@pytest.fixture
def held() -> type[Held]:
    Held.working, Held.released = 0, asyncio.Event()
    return Held


def hold(streaks: StreakServiceStub, caller: Caller, calls: int) -> list[asyncio.Task[Any]]:
    """Makes calls that are not answered before the release."""
    call = streaks.GetDashboard
    return [
        asyncio.ensure_future(call(GetDashboardRequest(), metadata=caller.metadata, timeout=GENEROUS))
        for _ in range(calls)
    ]


async def reasons(calls: list[asyncio.Task[Any]]) -> Counter[str]:
    """How the calls ended: OK, or the reason of the refusal."""
    ended = await within(asyncio.gather(*calls, return_exceptions=True))
    return Counter(read_refusal(e).reason if isinstance(e, grpc.aio.AioRpcError) else "OK" for e in ended)


async def test_one_member_with_hundreds_of_calls_at_once_gets_a_few_and_others_are_answered(
    bare_world: BareWorld, held: type[Held]
) -> None:
    streaks = await bare_world.probe(held, member_calls=3, concurrent_calls=20, connection_calls=1000)
    greedy, other = bare_world.caller(), bare_world.caller()
    calls = hold(streaks, greedy, 510)
    await eventually(
        lambda: sum(call.done() for call in calls) == 507 and held.working == 3, "all but three calls are refused"
    )
    await streaks.CheckIn(check_in_request(), metadata=other.metadata)
    held.released.set()
    assert await reasons(calls) == {"OK": 3, "TOO_MANY_CALLS": 507}


async def test_a_member_who_calls_too_often_is_told_when_to_try_again(bare_world: BareWorld) -> None:
    streaks = await bare_world.probe(member_burst=5, member_calls_per_second=0.01)
    eager, other = bare_world.caller(), bare_world.caller()
    for _ in range(5):
        await streaks.GetDashboard(GetDashboardRequest(), metadata=eager.metadata)
    for _ in range(3):
        refused = await refusal(streaks.CheckIn(check_in_request(), metadata=eager.metadata))
        assert (refused.code, refused.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_CALLS")
        assert 90 < float(refused.metadata["retry_after"]) <= 100
    await streaks.CheckIn(check_in_request(), metadata=other.metadata)
    assert len(await bare_world.keys()) == 1


async def test_a_refusal_that_is_kept_back_holds_no_room(
    bare_world: BareWorld, held: type[Held], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "REFUSAL_DELAY", GENEROUS)
    streaks = await bare_world.probe(held, member_calls=1, concurrent_calls=2, connection_calls=1000)
    greedy = bare_world.caller()
    (first,) = hold(streaks, greedy, 1)
    await eventually(lambda: held.working == 1, "the member has the one call that a member gets")
    refused = hold(streaks, greedy, 20)
    log = bare_world.log
    await eventually(lambda: "calls refused for load" in log.getvalue(), "the member's other calls are refused")
    for _ in range(5):
        await streaks.CheckIn(check_in_request(), metadata=bare_world.caller().metadata)
    assert not any(call.done() for call in refused)
    for call in refused:
        call.cancel()
    held.released.set()
    await within(first)


async def test_a_refusal_for_load_carries_retry_info(bare_world: BareWorld) -> None:
    streaks = await bare_world.probe(concurrent_calls=0)
    with pytest.raises(grpc.aio.AioRpcError) as found:
        await streaks.GetDashboard(GetDashboardRequest(), metadata=bare_world.caller().metadata)
    pairs = dict(tuple(pair) for pair in found.value.trailing_metadata())
    retry = error_details_pb2.RetryInfo()
    assert any(detail.Unpack(retry) for detail in status_pb2.Status.FromString(pairs[DETAILS]).details)
    refused = read_refusal(found.value)
    assert (refused.code, refused.reason) == ("RESOURCE_EXHAUSTED", "SERVICE_BUSY")
    assert retry.retry_delay.ToTimedelta().total_seconds() == float(refused.metadata["retry_after"]) > 0


async def test_members_cannot_take_the_room_of_other_contexts(bare_world: BareWorld, held: type[Held]) -> None:
    await bare_world.open(servicers=[held, Recovery], changes={"concurrent_calls": 40, "connection_calls": 1000})
    streaks = bare_world.stub(StreakServiceStub, "streak")
    calls = [call for _ in range(60) for call in hold(streaks, bare_world.caller(), 1)]
    await eventually(
        lambda: held.working == 40 and sum(call.done() for call in calls) == 20,
        "members have all the room that they get",
    )
    refused = await refusal(streaks.CheckIn(check_in_request(), metadata=bare_world.caller().metadata))
    assert refused.reason == "SERVICE_BUSY"
    billing = bare_world.stub(RecoveryServiceStub, "streak", caller="billing")
    for _ in range(50):
        await billing.AuthorizeNudge(nudge())
    held.released.set()
    assert await reasons(calls) == {"OK": 40, "SERVICE_BUSY": 20}


@own_sessions
async def test_members_cannot_take_the_database_connections_of_other_contexts(bare_world: BareWorld) -> None:
    class Blocked(Probe):
        async def read(self, request: GetStreakRequest, db: Session) -> None:
            await db.value("SELECT pg_advisory_lock_shared(7)")
            await db.value("SELECT pg_advisory_unlock_shared(7)")

    changes = {"database_connections": 4, "kept_connections": 1}
    await bare_world.open(servicers=[Blocked, Recovery], changes=changes)
    streaks = bare_world.stub(StreakServiceStub, "streak")
    waiting = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND {WAITS_HERE}"
    await bare_world.superuser.execute("SELECT pg_advisory_lock(7)")
    calls = [
        asyncio.ensure_future(
            streaks.GetStreak(GetStreakRequest(streak_id=str(uuid7())), metadata=bare_world.caller().metadata)
        )
        for _ in range(20)
    ]
    await eventually(lambda: bare_world.superuser.fetchval(f"{waiting} HAVING count(*) = 3"), "members hold three")
    billing = bare_world.stub(RecoveryServiceStub, "streak", caller="billing")
    await within(billing.AuthorizeNudge(nudge()))
    await bare_world.superuser.execute("SELECT pg_advisory_unlock(7)")
    assert await reasons(calls) == {"OK": 20}


async def test_one_context_cannot_take_the_room_of_the_others(bare_world: BareWorld) -> None:
    class Slow(Recovery):
        working = 0
        released = asyncio.Event()

        @reads
        async def AuthorizeNudge(self, request: AuthorizeNudgeRequest, db: Session) -> AuthorizeNudgeResponse:
            Slow.working += 1
            await within(Slow.released.wait())
            return AuthorizeNudgeResponse()

    changes = {"context_calls": 6, "connection_calls": 1000, "database_connections": 8}
    await bare_world.open(servicers=[Probe, Slow], changes=changes)
    billing = bare_world.stub(RecoveryServiceStub, "streak", caller="billing")
    calls = [asyncio.ensure_future(billing.AuthorizeNudge(nudge())) for _ in range(10)]
    await eventually(lambda: sum(call.done() for call in calls) == 7, "all but half the room is refused to one")
    await eventually(lambda: Slow.working == 3, "the others work")
    Slow.released.set()
    assert await reasons(calls) == {"OK": 3, "TOO_MANY_CALLS": 7}


def every_method() -> list[MethodPolicy]:
    """All methods of all services."""
    names = [f"unora.{context}.v1.{service}" for context in CONTEXTS for service in _services(context)]
    return [policy for name in names for policy in policies_of(service_descriptor(name))]


def _services(context: str) -> list[str]:
    from importlib import import_module

    service = import_module(f"unora_{context}.service").service
    return [servicer.service.rpartition(".")[2] for servicer in service.servicers]


async def test_every_method_of_every_service_has_a_budget(bare_world: BareWorld) -> None:
    policies = every_method()
    assert len(policies) > 60
    changes = {"member_calls": 0, "public_calls": 0, "context_calls": 0}
    answers = {}
    for name in sorted({policy.path.split("/")[1] for policy in policies}):
        servicer = with_all_methods(type("Empty", (), {"service": name, "__init__": lambda self, runtime: None}))
        app = await bare_world.open(name.split(".")[1], servicers=[servicer], changes=changes)
        for policy in (each for each in policies if each.path.split("/")[1] == name):
            caller = "gateway" if policy.may_call("gateway", ("gateway",)) else sorted(policy.callers)[0]
            metadata = bare_world.caller(roles=["admin"]).metadata if policy.needs_member else ()
            async with channel_to(bare_world, bare_world.address(app), caller) as channel:
                method: Any = channel.unary_unary(policy.path)
                refused = await refusal(method(b"", metadata=metadata, timeout=GENEROUS))
                answers[policy.path] = refused.reason
    budget = {policy.path: "TOO_MANY_CALLS" if policy.needs_member else "SERVICE_BUSY" for policy in policies}
    assert answers == budget


def nudge() -> AuthorizeNudgeRequest:
    return AuthorizeNudgeRequest(streak_id=str(uuid7()), payer_id=str(uuid7()), payment_id=str(uuid7()))


@asynccontextmanager
async def channel_to(bare_world: BareWorld, address: str, caller: str) -> AsyncIterator[grpc.aio.Channel]:
    """A connection of its own, with the certificate of `caller`."""
    ca, certificate, key = bare_world.certificates[caller].read()
    options = [
        ("grpc.ssl_target_name_override", bare_world_name(bare_world, address)),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    credentials = grpc.ssl_channel_credentials(ca, key, certificate)
    async with grpc.aio.secure_channel(address, credentials, options=options) as channel:
        yield channel


def bare_world_name(bare_world: BareWorld, address: str) -> str:
    """The name in the certificate of the process at `address`."""
    apps = [*bare_world.apps.values(), *bare_world.opened]
    return next(f"{app.context}.unora" for app in apps if bare_world.address(app) == address)
