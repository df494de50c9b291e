"""Where the services of the attacked stack are, and connections to them with any certificate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import grpc
import msgspec
from unora_common.config import CONTEXTS
from unora_local import tls
from unora_local.env import Env
from unora_local.run_folder import RunFolder

if TYPE_CHECKING:
    from grpc.aio import UnaryUnaryMultiCallable

STRANGER: Final = "stranger"
"""A certificate of the stack's authority that may call nothing."""
GATEWAY: Final = "gateway"


class Target(msgspec.Struct, frozen=True):
    """What a process needs to reach the services."""

    addresses: dict[str, str]
    """Host and port of each context."""
    metrics: dict[str, str]
    """The same of its port for metrics."""
    certificates: str
    """Their folder."""

    @classmethod
    def of(cls, env: Env, folder: RunFolder) -> Target:
        """The services of a running stack. Makes the certificate of the stranger."""
        certificates = folder.path / "tls"
        tls.ensure(certificates, [STRANGER])
        ports = msgspec.json.decode((folder.path / "ports.json").read_bytes(), type=dict[str, int])
        metrics = {context: f"127.0.0.1:{ports[f'{context} metrics']}" for context in CONTEXTS}
        return cls({context: env.address(context) for context in CONTEXTS}, metrics, str(certificates))

    def certificate(self, caller: str) -> tls.Certificate:
        """The certificate of a context, the gateway, or the stranger."""
        folder = Path(self.certificates)
        return tls.Certificate(folder / "ca.pem", folder / f"{caller}.pem", folder / f"{caller}.key")

    def channel(self, context: str, caller: str = GATEWAY) -> grpc.aio.Channel:
        """A connection of its own to a service."""
        ca, cert, key = self.certificate(caller).read()
        options = [
            ("grpc.ssl_target_name_override", f"{context}.unora"),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 500),
        ]
        credentials = grpc.ssl_channel_credentials(ca, key, cert)
        return grpc.aio.secure_channel(self.addresses[context], credentials, options=options)


async def call(
    channel: grpc.aio.Channel, method: str, request: bytes, *, token: str = "", seconds: float = 10.0
) -> bytes:
    """Calls a method, such as `streak.v1.StreakService/CheckIn`. Raises grpc.aio.AioRpcError."""
    raw: UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"/unora.{method}")
    return await raw(request, metadata=bearer(token) if token else (), timeout=seconds)


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """The metadata of a call with a token."""
    return (("authorization", f"Bearer {token}"),)
