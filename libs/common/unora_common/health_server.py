"""Serves health: with a certificate on the port of all methods, and without TLS on a port for probes (health.py)."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1 import health
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from unora_common.authentication import caller_of
from unora_common.budgets import Budgets, TooManyCalls

FIRST_MESSAGE: Final = 2.0
"""Seconds from the headers of a call until its message must be there."""
MAX_WATCHES: Final = 200
"""The most streams at once with which one certificate watches health."""
PROBE_CONNECTIONS: Final = 100
"""The most connections at once to the port for probes."""
PROBE_CALLS: Final = 4
"""The most calls at once on one of them."""
Context = grpc.aio.ServicerContext[Any, Any]


class Health(health.aio.HealthServicer):  # type: ignore[misc]  # grpc_health has no types
    """The health of one process. Its streams end when the process does: clients that only watch would keep it waiting
    for the whole grace period.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ended = asyncio.Event()

    async def Watch(self, request: HealthCheckRequest, context: Context) -> None:  # noqa: N802 - the contract's name
        """Tells each change, until the client or the process ends."""
        watching = asyncio.ensure_future(super().Watch(request, context))
        ending = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait({watching, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ending.cancel()
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def end(self) -> None:
        """Says for the last time that nothing is served, and ends all streams."""
        await self.enter_graceful_shutdown()
        self._ended.set()


class HealthServer:
    """Serves health, and nothing else, on a port of its own. Watch is not served: a probe asks, and goes away."""

    def __init__(self, servicer: Any, listen: str) -> None:
        self._server = grpc.aio.server(
            options=[
                ("grpc.so_reuseport", 0),
                ("grpc.max_concurrent_streams", PROBE_CALLS),
                ("grpc.max_allowed_incoming_connections", PROBE_CONNECTIONS),
                ("grpc.server_handshake_timeout_ms", int(FIRST_MESSAGE * 1000)),
                ("grpc.http2.settings_timeout", int(FIRST_MESSAGE * 1000)),
                ("grpc.max_connection_idle_ms", 60_000),
            ]
        )
        self._server.add_generic_rpc_handlers([_handlers({"Check": _check(servicer)})])
        self.address = f"{listen.rpartition(':')[0]}:{self._server.add_insecure_port(listen)}"

    async def start(self) -> None:
        """Starts to serve."""
        await self._server.start()

    async def stop(self) -> None:
        """Stops serving."""
        await self._server.stop(None)


def guarded(servicer: Any) -> grpc.GenericRpcHandler:
    """Check and Watch for callers with a certificate. Both run on the headers, as all methods do (pipeline.py), so that
    streams without a message, or too many watches, hold nothing.
    """
    return _handlers({"Check": _check(servicer), "Watch": _watch(servicer)})


def _handlers(methods: dict[str, grpc.RpcMethodHandler[Any, Any]]) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(health.SERVICE_NAME, methods)


def _check(servicer: Any) -> grpc.RpcMethodHandler[Any, Any]:
    async def check(_: object, context: Context) -> HealthCheckResponse:
        response: HealthCheckResponse = await servicer.Check(await _request(context), context)
        return response

    return grpc.stream_unary_rpc_method_handler(check, response_serializer=HealthCheckResponse.SerializeToString)


def _watch(servicer: Any) -> grpc.RpcMethodHandler[Any, Any]:
    watches: Budgets[str] = Budgets(at_once=MAX_WATCHES, per_second=float("inf"), burst=1)

    async def watch(_: object, context: Context) -> None:
        request = await _request(context)
        caller = caller_of(context)
        try:
            watches.take(caller)
        except TooManyCalls as refusal:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, refusal.reason)
        try:
            await servicer.Watch(request, context)
        finally:
            watches.give_back(caller)

    return grpc.stream_stream_rpc_method_handler(watch, response_serializer=HealthCheckResponse.SerializeToString)


async def _request(context: Context) -> HealthCheckRequest:
    try:
        async with asyncio.timeout(FIRST_MESSAGE):
            body = await context.read()
        return HealthCheckRequest.FromString(b"" if body is grpc.aio.EOF else body)
    except (TimeoutError, DecodeError):
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "a HealthCheckRequest must follow the headers at once")
