"""Calls to other contexts: a channel per service over mutual TLS, deadlines that shrink, retries of what is safe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import grpc
import msgspec
from google.protobuf.message import Message
from unora_sdk.certificates import Certificates
from unora_sdk.channels import RenewedChannel
from unora_sdk.environment import ConfigError

from unora_common import trace
from unora_common.call import seconds_left
from unora_common.config import Config
from unora_common.grpc_errors import reason_of
from unora_common.health import READINESS
from unora_common.policies import policies_of, service_descriptor
from unora_common.timeouts import Timeouts
from unora_common.tracing.tracing import NOT_RECORDED, Tracing

S = TypeVar("S")
Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)
DEADLINE_MARGIN = 0.05
"""Seconds that each hop keeps for itself, so that the inner service reports its own time-out."""

BALANCED: Final[dict[str, Any]] = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "healthCheckConfig": {"serviceName": READINESS},
}
"""Of gRPC's service config: processes are called in turn, and one that is not ready gets no calls."""
RECONNECTING: Final = (
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)
"""Options of a channel: a process that was restarted is found again within two seconds."""


class Clients:
    """The channels of one process. Each is opened at its first use."""

    def __init__(
        self, config: Config, timeouts: Timeouts, certificates: Certificates, tracing: Tracing = NOT_RECORDED
    ) -> None:
        self._config = config
        self._interceptors = tracing.interceptors
        self._longest = timeouts.peer
        self._channels: dict[str, RenewedChannel] = {}
        self._certificates = certificates

    def stub(self, stub: Callable[[grpc.aio.Channel], S], service: str) -> S:
        """A client of the service with the full name `service`, such as `unora.identity.v1.DirectoryService`."""
        if service not in self._channels:
            self._channels[service] = self._open(service)
        return self._channels[service].stub(stub)

    def renew(self) -> None:
        """Replaces the channels if there is a newer certificate. A call would do so, too; but until then the old one
        would go on connecting with a certificate that expires.
        """
        for channel in self._channels.values():
            channel.current()

    async def call(self, method: grpc.aio.UnaryUnaryMultiCallable[Q, A], request: Q) -> A:
        """Calls a method of a stub within the rest of the deadline. Raises grpc.aio.AioRpcError, or TimeoutError if no
        time is left.
        """
        seconds = min(seconds_left(self._longest) - DEADLINE_MARGIN, self._longest)
        if seconds <= 0:
            raise TimeoutError
        return await method(request, timeout=seconds, metadata=((trace.HEADER, trace.current()),))

    async def find(self, method: grpc.aio.UnaryUnaryMultiCallable[Q, A], request: Q, *, absent: str) -> A | None:
        """As `call`, but returns None if the other service refuses with the reason `absent`."""
        try:
            return await self.call(method, request)
        except grpc.aio.AioRpcError as error:
            if reason_of(error) == absent:
                return None
            raise

    async def close(self) -> None:
        """Closes all channels."""
        for channel in self._channels.values():
            await channel.close()

    def _open(self, service: str) -> RenewedChannel:
        context = service.split(".")[1]
        address = self._config.peers.get(context)
        if address is None:
            raise ConfigError(f"UNORA_{context.upper()}_ADDRESS is not set: {service} is called by this service")
        policy = {**BALANCED, "methodConfig": retries(service)}
        options = [
            ("grpc.ssl_target_name_override", f"{context}.unora"),
            ("grpc.keepalive_time_ms", 60_000),
            *RECONNECTING,
            # A rollout replaces all replicas within seconds; gRPC would ask for their addresses every 30.
            ("grpc.dns_min_time_between_resolutions_ms", 1_000),
            ("grpc.service_config", msgspec.json.encode(policy).decode()),
        ]
        return RenewedChannel(
            lambda: self._certificates.current,
            lambda credentials: grpc.aio.secure_channel(
                address, credentials, interceptors=self._interceptors, options=options
            ),
            longest=self._longest,
        )


def retries(service: str) -> list[dict[str, Any]]:
    """gRPC method configs that retry the methods without side effects while their server is unavailable."""
    return [
        {
            "name": [{"service": service, "method": policy.name}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.05s",
                "maxBackoff": "1s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
        for policy in policies_of(service_descriptor(service))
        if policy.reads_only
    ]
