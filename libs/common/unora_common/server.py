"""The gRPC server of one process: mutual TLS, limits, health, reflection, a handler for each method."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_type_hints

import grpc
from grpc_health.v1 import health, health_pb2
from grpc_reflection.v1alpha import reflection
from unora.common.v1.options_pb2 import Repeat
from unora_sdk.certificates import Certificates

from unora_common.admission import Admission
from unora_common.authentication import Authenticator
from unora_common.certificates import server_credentials
from unora_common.config import Config
from unora_common.errors import DomainError
from unora_common.handler_marks import Handling
from unora_common.health import READINESS
from unora_common.health_server import Health, HealthServer, guarded
from unora_common.idempotency import count_repeat
from unora_common.pipeline import handler
from unora_common.policies import MethodPolicy, policies_of, service_descriptor
from unora_common.runtime import AnyRuntime

MEGABYTE = 1024 * 1024
CONNECTION_AGE = 300.0
"""Seconds after which a client is asked to connect anew. Only then does it look up whether there are more replicas."""
READS: Final = frozenset({Handling.READ, Handling.CUSTOM_READ})
REPEATS: Final = {
    Handling.IDEMPOTENT: Repeat.REPEAT_KEPT_ANSWER,
    Handling.CUSTOM_IDEMPOTENT: Repeat.REPEAT_KEPT_ANSWER,
    Handling.CUSTOM_WRITE: Repeat.REPEAT_OWN,
}
"""What the contract says of a method that changes something, by its decorator."""


class ContractError(Exception):
    """A servicer does not match the contract; the process does not start."""


class Server:
    """Serves the servicers of one process."""

    def __init__(
        self,
        runtime: AnyRuntime,
        certificates: Certificates,
        authenticator: Authenticator,
        constraints: Mapping[str, type[DomainError]],
        servicers: Sequence[Any],
    ) -> None:
        """`constraints` maps names of database constraints to refusals. Raises ContractError."""
        config: Config = runtime.config
        self._grace = config.shutdown_grace
        self.ready = False
        """Whether calls should come to this process, as it says of itself."""
        self.health = Health()
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", MEGABYTE),
                ("grpc.max_send_message_length", 4 * MEGABYTE),
                ("grpc.max_concurrent_streams", config.connection_calls),
                # Streams count as soon as they are closed on both sides, not when Python has forgotten them: else a
                # client that is refused quickly, and calls again, is told that it has too many.
                ("grpc.http.overload_protection", 0),
                ("grpc.max_allowed_incoming_connections", config.connections),
                ("grpc.server_handshake_timeout_ms", int(config.handshake_seconds * 1000)),
                ("grpc.http2.settings_timeout", int(config.handshake_seconds * 1000)),
                # gRPC must not drop calls that wait for this process to read their headers: it would not say why. One
                # that has waited for its whole time is given up by its caller (seconds).
                ("grpc.server_max_unrequested_time_in_server", math.ceil(config.longest_deadline) + 1),
                ("grpc.server.max_pending_requests", config.connections * config.connection_calls),
                ("grpc.server.max_pending_requests_hard_limit", config.connections * config.connection_calls),
                ("grpc.keepalive_time_ms", 60_000),
                ("grpc.max_connection_age_ms", int(CONNECTION_AGE * 1000)),
                ("grpc.max_connection_age_grace_ms", int(config.longest_deadline * 1000)),
                ("grpc.http2.min_recv_ping_interval_without_data_ms", 20_000),
                ("grpc.so_reuseport", 0),
            ],
        )
        admission = Admission(config, runtime.log)
        admission.measure(runtime.metrics)
        names = [health.SERVICE_NAME]
        for servicer in servicers:
            descriptor = service_descriptor(servicer.service)
            policies = policies_of(descriptor)
            methods = {
                policy.name: handler(runtime, authenticator, admission, constraints, policy, _method(servicer, policy))
                for policy in policies
            }
            handlers = grpc.method_handlers_generic_handler(descriptor.full_name, methods)
            self._server.add_generic_rpc_handlers([handlers])
            # gRPC reads the headers of a registered method's calls in a queue of its own: calls of other contexts do
            # not wait behind members' calls (XX-06).
            of_contexts = {policy.name: methods[policy.name] for policy in policies if policy.callers}
            self._server.add_registered_method_handlers(descriptor.full_name, of_contexts)
            for policy in policies:
                if policy.repeat == Repeat.REPEAT_KEPT_ANSWER:
                    count_repeat(runtime.metrics, policy.path, times=0)
            names.append(descriptor.full_name)
        self._server.add_generic_rpc_handlers([guarded(self.health)])
        if config.reflection:
            reflection.enable_server_reflection([*names, reflection.SERVICE_NAME], self._server)
        self.address = _bind(self._server, config, server_credentials(certificates))
        self.probes = HealthServer(self.health, config.health_listen) if config.health_listen else None

    async def start(self) -> None:
        """Starts to serve: alive, but not ready yet."""
        await self.health.set("", health_pb2.HealthCheckResponse.SERVING)
        await self.set_ready(False)
        await self._server.start()
        if self.probes:
            await self.probes.start()

    async def set_ready(self, ready: bool) -> None:
        """Sets whether calls should come to this process."""
        self.ready = ready
        status = health_pb2.HealthCheckResponse
        await self.health.set(READINESS, status.SERVING if ready else status.NOT_SERVING)

    async def stop(self) -> None:
        """Takes no new calls, and gives those in flight the grace period."""
        await self.health.end()
        await self._server.stop(self._grace)
        if self.probes:
            await self.probes.stop()


def _method(servicer: Any, policy: MethodPolicy) -> Any:
    """The servicer's method for an RPC; raises ContractError if it does not match the contract."""
    name = f"{type(servicer).__name__}.{policy.name}"
    method = getattr(servicer, policy.name, None)
    if method is None:
        raise ContractError(f"{type(servicer).__name__} lacks {policy.path}")
    hints = get_type_hints(method)
    if hints.get("request") is not policy.request or hints.get("return") is not policy.response:
        raise ContractError(
            f"{name} must take `request: {policy.request.__name__}` and return {policy.response.__name__}"
        )
    handling = getattr(method, "handling", None)
    if handling is None:
        raise ContractError(f"{name} has no decorator; it needs one of {', '.join(f'@{each}' for each in Handling)}")
    if policy.reads_only != (handling in READS):
        level = "has" if policy.reads_only else "lacks"
        raise ContractError(f"{name} is declared @{handling}, but the contract {level} NO_SIDE_EFFECTS")
    if policy.repeat != REPEATS.get(handling, Repeat.REPEAT_UNSPECIFIED):
        raise ContractError(f"{name} is declared @{handling}, but the contract says {Repeat.Name(policy.repeat)}")
    return method


def _bind(server: grpc.aio.Server, config: Config, credentials: grpc.ServerCredentials) -> str:
    port = server.add_secure_port(config.listen, credentials)
    return f"{config.listen.rpartition(':')[0]}:{port}"
