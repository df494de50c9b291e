"""Waits until the health check of a service, over mutual TLS, says that it is ready."""

import asyncio
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from unora_local.tls import Certificate

_OPTIONS: Final = [
    # While the service does not listen yet the channel would wait longer and longer between two tries.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 200),
]


async def ready(address: str, certificate: Certificate) -> None:
    """Return when the service at `address` is ready."""
    ca, cert, key = certificate.read()
    credentials = grpc.ssl_channel_credentials(ca, key, cert)
    async with grpc.aio.secure_channel(address, credentials, options=_OPTIONS) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service="readiness")
        while True:
            try:
                answer = await stub.Check(request, timeout=5, wait_for_ready=True)
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    return
            except grpc.aio.AioRpcError as error:
                # Not ready, or not listening yet. Any other error would not go away by asking again.
                waiting = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.NOT_FOUND)
                if error.code() not in waiting:
                    raise
            await asyncio.sleep(0.1)  # a service takes seconds to start, and needs the processor for that
