"""XX-06: connections and streams that say nothing hold nothing."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from unora.streak.v1.streak_service_pb2 import GetDashboardRequest
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_common import health_server
from unora_common.health import READINESS
from unora_testing.deadlines import GENEROUS, eventually, within

from tests.integration.common.bare_world import BareWorld, Probe
from tests.support import read_refusal, refusal

pytestmark = pytest.mark.rule("XX-06")

DASHBOARD: Final = "/unora.streak.v1.StreakService/GetDashboard"
SHORT: Final = 0.3
"""Seconds that the server waits in these tests for what never comes."""


@asynccontextmanager
async def connection(bare_world: BareWorld, caller: str) -> AsyncIterator[grpc.aio.Channel]:
    """A connection of its own to streak, with the certificate of `caller`."""
    ca, certificate, key = bare_world.certificates[caller].read()
    options = [("grpc.ssl_target_name_override", "streak.unora"), ("grpc.use_local_subchannel_pool", 1)]
    credentials = grpc.ssl_channel_credentials(ca, key, certificate)
    address = bare_world.address(bare_world.apps["streak"])
    async with grpc.aio.secure_channel(address, credentials, options=options) as channel:
        yield channel


def silent(channel: grpc.aio.Channel, path: str = DASHBOARD, metadata: Any = ()) -> Any:
    """A call that sends its headers and no message."""
    return channel.stream_unary(path)(metadata=metadata, timeout=GENEROUS)


async def ended(calls: list[Any]) -> set[tuple[str, str]]:
    """How calls ended that must be refused: code and reason."""
    refusals = await within(asyncio.gather(*(refusal(call) for call in calls)))
    return {(each.code, each.reason) for each in refusals}


async def test_a_certificate_that_may_call_nothing_is_refused_before_it_sends_a_message(bare_world: BareWorld) -> None:
    await bare_world.probe(first_message_seconds=GENEROUS)
    async with connection(bare_world, "stranger") as channel:
        calls = [silent(channel) for _ in range(600)]
        assert await ended(calls) == {("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")}


async def test_a_call_without_a_token_is_refused_before_it_sends_a_message(bare_world: BareWorld) -> None:
    await bare_world.probe(first_message_seconds=GENEROUS)
    async with connection(bare_world, "gateway") as channel:
        calls = [silent(channel, metadata=(("authorization", "Bearer forged"),)) for _ in range(300)]
        calls += [silent(channel) for _ in range(300)]
        assert await ended(calls) == {("UNAUTHENTICATED", "TOKEN_INVALID"), ("UNAUTHENTICATED", "TOKEN_MISSING")}


async def test_a_call_whose_message_does_not_come_ends_and_gives_its_room_back(bare_world: BareWorld) -> None:
    streaks = await bare_world.probe(first_message_seconds=SHORT, concurrent_calls=5, member_calls=5)
    member = bare_world.caller()
    async with connection(bare_world, "gateway") as channel:
        calls = [silent(channel, metadata=member.metadata) for _ in range(5)]
        assert await ended(calls) == {("DEADLINE_EXCEEDED", "REQUEST_LATE")}

    async def answered() -> bool:
        try:
            await streaks.GetDashboard(GetDashboardRequest(), metadata=member.metadata)
        except grpc.aio.AioRpcError as error:
            if read_refusal(error).reason != "REQUEST_LATE":  # on a busy machine its message may be late, too
                raise
            return False
        return True

    await eventually(answered, "there is room again")


async def test_a_call_that_ends_without_a_message_is_refused(bare_world: BareWorld) -> None:
    await bare_world.probe()
    async with connection(bare_world, "gateway") as channel:
        call = silent(channel, metadata=bare_world.caller().metadata)
        await call.done_writing()
        assert await ended([call]) == {("INVALID_ARGUMENT", "REQUEST_UNREADABLE")}


async def test_a_connection_has_only_so_many_calls_at_once_and_another_connection_has_its_own(
    bare_world: BareWorld,
) -> None:
    released = asyncio.Event()
    working = 0

    class Held(Probe):
        async def look(self, call: Any) -> None:
            nonlocal working
            working += 1
            await within(released.wait())

    await bare_world.probe(Held, connection_calls=4)
    async with connection(bare_world, "gateway") as one, connection(bare_world, "gateway") as two:
        calls = [
            asyncio.ensure_future(
                StreakServiceStub(channel).GetDashboard(
                    GetDashboardRequest(), metadata=bare_world.caller().metadata, timeout=GENEROUS
                )
            )
            for channel, number in ((one, 12), (two, 3))
            for _ in range(number)
        ]
        await eventually(lambda: working == 7, "four calls of the first connection and three of the second")
        released.set()
        await within(asyncio.gather(*calls))
    assert working == 15


async def _closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Returns when the server has closed the connection."""
    try:
        while await within(reader.read(1024)):
            pass
    except ConnectionError:
        pass
    finally:
        writer.close()


def host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)


async def test_connections_that_never_begin_a_handshake_are_cut(bare_world: BareWorld) -> None:
    streaks = await bare_world.probe(handshake_seconds=SHORT)
    at = host_and_port(bare_world.address(bare_world.apps["streak"]))
    opened = [await asyncio.open_connection(*at) for _ in range(300)]
    # On a busy machine the handshake of a client may take too long, too; then it begins another one.
    metadata = bare_world.caller().metadata
    await streaks.GetDashboard(GetDashboardRequest(), metadata=metadata, timeout=GENEROUS, wait_for_ready=True)
    await asyncio.gather(*(_closed(*each) for each in opened))


async def test_connections_that_say_nothing_after_the_handshake_are_cut(bare_world: BareWorld) -> None:
    await bare_world.probe(handshake_seconds=SHORT)
    at = host_and_port(bare_world.address(bare_world.apps["streak"]))
    certificate = bare_world.certificates["gateway"]
    context = ssl.create_default_context(cafile=str(certificate.ca))
    context.load_cert_chain(certificate.cert, certificate.key)
    context.set_alpn_protocols(["h2"])

    async def agreed() -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        try:
            return await asyncio.open_connection(*at, ssl=context, server_hostname="streak.unora")
        except (OSError, ssl.SSLError):  # on a busy machine the handshake may take too long
            return None

    opened = [await eventually(agreed, "a connection is made") for _ in range(20)]
    await asyncio.gather(*(_closed(*each) for each in opened if each))


async def test_there_are_only_so_many_connections(bare_world: BareWorld) -> None:
    await bare_world.probe(connections=5, handshake_seconds=GENEROUS)
    at = host_and_port(bare_world.address(bare_world.apps["streak"]))
    opened = [await asyncio.open_connection(*at) for _ in range(12)]
    closed = [asyncio.ensure_future(_closed(*each)) for each in opened]
    await eventually(lambda: sum(each.done() for each in closed) == 7, "the connections over the limit are closed")
    for _, writer in opened:
        writer.close()
    await asyncio.gather(*closed)


async def test_health_does_not_wait_for_a_message_that_does_not_come(
    bare_world: BareWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_server, "FIRST_MESSAGE", SHORT)
    await bare_world.probe()
    async with connection(bare_world, "stranger") as channel:
        calls = [silent(channel, f"/grpc.health.v1.Health/{name}") for name in ("Check", "Watch") for _ in range(50)]
        for call in calls:
            with pytest.raises(grpc.aio.AioRpcError) as found:
                await within(call)
            assert found.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_one_certificate_watches_health_only_so_often(
    bare_world: BareWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_server, "MAX_WATCHES", 3)
    await bare_world.probe()
    request = health_pb2.HealthCheckRequest(service=READINESS)
    async with connection(bare_world, "stranger") as channel, connection(bare_world, "gateway") as other:
        watches = [health_pb2_grpc.HealthStub(channel).Watch(request, timeout=GENEROUS) for _ in range(3)]
        for watch in watches:
            await within(watch.read())
        with pytest.raises(grpc.aio.AioRpcError) as found:
            await within(health_pb2_grpc.HealthStub(channel).Watch(request, timeout=GENEROUS).read())
        assert found.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        await within(health_pb2_grpc.HealthStub(other).Watch(request, timeout=GENEROUS).read())


async def test_the_port_for_probes_answers_beside_silent_connections_and_streams(
    bare_world: BareWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_server, "FIRST_MESSAGE", SHORT)
    app = await bare_world.open(servicers=[Probe], changes={"health_listen": "127.0.0.1:0"})
    assert app.server is not None
    assert app.server.probes is not None
    address = app.server.probes.address
    opened = [await asyncio.open_connection(*host_and_port(address)) for _ in range(50)]
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        calls = [silent(channel, "/grpc.health.v1.Health/Check") for _ in range(20)]
        async with grpc.aio.insecure_channel(address, options=options) as probe:
            answer = await health_pb2_grpc.HealthStub(probe).Check(health_pb2.HealthCheckRequest(), timeout=GENEROUS)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        for call in calls:
            with pytest.raises(grpc.aio.AioRpcError):
                await within(call)
    await asyncio.gather(*(_closed(*each) for each in opened))


async def test_no_call_that_waits_for_a_busy_process_is_dropped_before_its_time_is_over(
    bare_world: BareWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself gRPC drops a call, without a reason, that has waited for half a minute."""
    made: list[dict[str, Any]] = []
    make = grpc.aio.server

    def noted(*, options: Any) -> Any:
        made.append(dict(options))
        return make(options=options)

    monkeypatch.setattr(grpc.aio, "server", noted)
    await bare_world.probe(longest_deadline=99.5)
    assert [options["grpc.server_max_unrequested_time_in_server"] for options in made] == [101]


async def test_a_thousand_calls_at_once_are_answered_or_refused_with_a_reason(bare_world: BareWorld) -> None:
    """gRPC itself drops calls without a reason when too many wait for a process; that must not happen here."""
    await bare_world.probe(concurrent_calls=20, connection_calls=200)

    async def call(channel: grpc.aio.Channel) -> str:
        streaks = StreakServiceStub(channel)
        try:
            metadata = bare_world.caller().metadata
            await streaks.GetDashboard(GetDashboardRequest(), metadata=metadata, timeout=GENEROUS)
        except grpc.aio.AioRpcError as error:
            refused = read_refusal(error)
            return f"{refused.code} {refused.reason} {bool(refused.metadata.get('retry_after'))}"
        return "OK"

    async def from_one_connection() -> set[str]:
        async with connection(bare_world, "gateway") as channel:
            return set(await within(asyncio.gather(*(call(channel) for _ in range(200)))))

    answers = set().union(*await asyncio.gather(*(from_one_connection() for _ in range(15))))
    assert answers <= {"OK", "RESOURCE_EXHAUSTED SERVICE_BUSY True"}
    assert "OK" in answers
