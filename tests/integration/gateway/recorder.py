"""Stand-ins for the services behind a gateway: they note what reaches them, and answer as they are told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from unora_common.config import CONTEXTS
from unora_local.tls import Certificate


@dataclass
class Seen:
    """One call that reached a service."""

    context: str
    path: str
    metadata: dict[str, str | bytes]
    body: bytes
    seconds_left: float | None


@dataclass
class Recorder:
    """All services of a gateway, and what they do."""

    seen: list[Seen] = field(default_factory=list)
    answer: bytes = b""
    refusals: list[grpc.StatusCode] = field(default_factory=list)
    """The codes with which the next calls are refused, before any is answered."""
    wait: Any = None
    """Awaited before each answer, if it is there."""
    addresses: dict[str, str] = field(default_factory=dict)
    health: dict[str, Any] = field(default_factory=dict)

    def last(self) -> Seen:
        return self.seen[-1]

    async def set_ready(self, context: str, ready: bool) -> None:
        status = health_pb2.HealthCheckResponse
        await self.health[context].set("readiness", status.SERVING if ready else status.NOT_SERVING)


class _Handlers(grpc.GenericRpcHandler):
    def __init__(self, recorder: Recorder, context: str) -> None:
        self._recorder = recorder
        self._context = context

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        if details.method.startswith("/grpc.health"):
            return None
        recorder, name = self._recorder, self._context

        async def answer(body: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
            metadata = dict(context.invocation_metadata() or ())
            if "unora-client-address" not in metadata:  # the gateway itself asks for the keys of tokens
                return recorder.answer
            recorder.seen.append(Seen(name, details.method, metadata, body, context.time_remaining()))
            if recorder.refusals:
                await context.abort(recorder.refusals.pop(0), "refused")
            if recorder.wait is not None:
                await recorder.wait()
            return recorder.answer

        return grpc.unary_unary_rpc_method_handler(answer)


@asynccontextmanager
async def recorder(certificates: Mapping[str, Certificate]) -> AsyncIterator[Recorder]:
    """Stand-ins for all contexts, each with the certificate of its own. As services do, they take 16 calls on one
    connection.
    """
    made = Recorder()
    servers = []
    for context in CONTEXTS:
        server = grpc.aio.server(options=[("grpc.max_concurrent_streams", 16)])
        made.health[context] = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(made.health[context], server)
        await made.set_ready(context, True)
        server.add_generic_rpc_handlers([_Handlers(made, context)])
        ca, cert, key = certificates[context].read()
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, cert)], ca, True))
        made.addresses[context] = f"127.0.0.1:{port}"
        await server.start()
        servers.append(server)
    try:
        yield made
    finally:
        for server in servers:
            await server.stop(None)
