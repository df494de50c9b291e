"""The gRPC server of one process: mutual TLS, limits, health, reflection, and a handler per method of the contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_type_hints

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from unora_common.health import READINESS, Probed
from unora_common.pipeline import handler
from unora_common.policies import policies_of, service_descriptor

if TYPE_CHECKING:
    from unora_common.config import Config
    from unora_common.service import App

MEGABYTE = 1024 * 1024
CONNECTION_AGE = 300.0
"""Seconds after which a client is asked to connect anew: only then does it look up whether there are more replicas."""


class ContractError(Exception):
    """A servicer does not match the contract; the process does not start."""


class Server:
    """Serves the servicers of one app."""

    def __init__(self, app: App[Any], servicers: Sequence[Any]) -> None:
        self._grace = app.config.shutdown_grace
        self.health = health.aio.HealthServicer()
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", MEGABYTE),
                ("grpc.max_send_message_length", 4 * MEGABYTE),
                ("grpc.max_concurrent_streams", 1000),
                ("grpc.keepalive_time_ms", 60_000),
                ("grpc.max_connection_age_ms", int(CONNECTION_AGE * 1000)),
                ("grpc.max_connection_age_grace_ms", int(app.config.longest_deadline * 1000)),
                ("grpc.http2.min_recv_ping_interval_without_data_ms", 20_000),
                ("grpc.so_reuseport", 0),
            ],
            maximum_concurrent_rpcs=app.config.concurrent_calls,
        )
        names = [health.SERVICE_NAME]
        for servicer in servicers:
            descriptor = service_descriptor(servicer.service)
            self._server.add_generic_rpc_handlers([_handlers(app, descriptor, servicer)])
            names.append(descriptor.full_name)
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self._server)
        if app.config.reflection:
            reflection.enable_server_reflection([*names, reflection.SERVICE_NAME], self._server)
        self.address = _bind(self._server, app.config)
        self.probed: Probed | None = Probed(self.health, app.config.health_listen) if app.config.health_listen else None

    async def start(self) -> None:
        """Serves; liveness is told, readiness not yet."""
        await self.health.set("", health_pb2.HealthCheckResponse.SERVING)
        await self.set_ready(False)
        await self._server.start()
        if self.probed:
            await self.probed.start()

    async def set_ready(self, ready: bool) -> None:
        """Tells whether calls should come here."""
        status = health_pb2.HealthCheckResponse
        await self.health.set(READINESS, status.SERVING if ready else status.NOT_SERVING)

    async def stop(self) -> None:
        """Takes no new calls; those in flight get their grace."""
        await self.health.enter_graceful_shutdown()
        await self._server.stop(self._grace)
        if self.probed:
            await self.probed.stop()


def _handlers(app: App[Any], descriptor: ServiceDescriptor, servicer: Any) -> grpc.GenericRpcHandler:
    found = {}
    for policy in policies_of(descriptor):
        method = getattr(servicer, policy.name, None)
        if method is None:
            raise ContractError(f"{type(servicer).__name__} lacks {policy.path}")
        hints = get_type_hints(method)
        if hints.get("request") is not policy.request or hints.get("return") is not policy.response:
            raise ContractError(
                f"{type(servicer).__name__}.{policy.name} must take `request: {policy.request.__name__}` "
                f"and return {policy.response.__name__}"
            )
        found[policy.name] = handler(app, policy, method)
    return grpc.method_handlers_generic_handler(descriptor.full_name, found)


def _bind(server: grpc.aio.Server, config: Config) -> str:
    credentials = grpc.ssl_server_credentials(
        [(config.tls_key.read_bytes(), config.tls_cert.read_bytes())],
        config.tls_ca.read_bytes(),
        require_client_auth=True,
    )
    port = server.add_secure_port(config.listen, credentials)
    return f"{config.listen.rpartition(':')[0]}:{port}"
