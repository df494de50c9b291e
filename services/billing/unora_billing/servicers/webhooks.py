"""WebhookService, for the payment provider."""

from __future__ import annotations

from google.api.httpbody_pb2 import HttpBody
from unora.billing.v1.webhook_service_pb2 import ReceiveProviderEventResponse
from unora_common.call import Call
from unora_common.handlers import custom_write
from unora_common.runtime import Runtime

from unora_billing.config import BillingConfig
from unora_billing.resources import Resources
from unora_billing.use_cases.provider_events import ProviderEvents

SIGNATURE = "stripe-signature"


class Webhooks:
    """The webhook of the payment provider (BI-07)."""

    service = "unora.billing.v1.WebhookService"

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime
        self.events = ProviderEvents(runtime)

    @custom_write
    async def ReceiveProviderEvent(self, request: HttpBody, call: Call) -> ReceiveProviderEventResponse:
        """Each event is applied once, in any order; a repeat is recognised by the provider's id."""
        event = self.runtime.resources.provider.read(request.data, str(call.metadata.get(SIGNATURE, "")))
        await self.events.apply(event)
        return ReceiveProviderEventResponse()
