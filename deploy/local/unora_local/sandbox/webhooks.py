"""Sends webhooks to billing as the gateway does: raw bytes, the signature as metadata."""

from __future__ import annotations

import grpc
from google.api.httpbody_pb2 import HttpBody
from unora.billing.v1.webhook_service_pb2_grpc import WebhookServiceStub

from unora_local.tls import Certificate

ANSWER_WITHIN = 10.0


class WebhookSender:
    """A channel to billing with a certificate that has the gateway's rights."""

    def __init__(self, address: str, certificate: Certificate) -> None:
        ca, cert, key = certificate.read()
        self._channel = grpc.aio.secure_channel(
            address,
            grpc.ssl_channel_credentials(ca, key, cert),
            options=[("grpc.ssl_target_name_override", "billing.unora"), ("grpc.max_reconnect_backoff_ms", 1000)],
        )
        self._stub = WebhookServiceStub(self._channel)

    async def __call__(self, body: bytes, signature: str) -> bool:
        """Send a webhook; return whether billing accepted it."""
        request = HttpBody(content_type="application/json", data=body)
        try:
            await self._stub.ReceiveProviderEvent(
                request, metadata=(("stripe-signature", signature),), timeout=ANSWER_WITHIN
            )
        except grpc.aio.AioRpcError:
            return False
        return True

    async def close(self) -> None:
        """Closes the channel."""
        await self._channel.close()
