"""WebhookService, for the payment provider."""

from __future__ import annotations

from google.api.httpbody_pb2 import HttpBody
from unora.billing.v1.webhook_service_pb2 import ReceiveProviderEventResponse
from unora_common.call import Call
from unora_common.handlers import custom_write
from unora_common.runtime import Runtime

from unora_billing.config import BillingConfig
from unora_billing.domain.payments import OPEN, Failure, Payment
from unora_billing.paying import Paying
from unora_billing.providers.payments import Intent, IntentStatus, Provider, ProviderEvent
from unora_billing.resources import Resources
from unora_billing.store import payments

SIGNATURE = "stripe-signature"


class Webhooks:
    """What the provider tells (BI-07)."""

    service = "unora.billing.v1.WebhookService"

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime
        self.paying = Paying(runtime)
        self.provider: Provider = runtime.resources.provider

    @custom_write
    async def ReceiveProviderEvent(self, request: HttpBody, call: Call) -> ReceiveProviderEventResponse:
        """Each event is applied once, in any order: a success is taken at its word, which is signed; anything else only
        makes us close the payment there, and how it stands then is what counts.
        """
        event = self.provider.read(request.data, str(call.metadata.get(SIGNATURE, "")))
        if event.intent is None:
            return ReceiveProviderEventResponse()
        async with self.runtime.database.session() as db:
            if await payments.knows_event(db, event.id):
                return ReceiveProviderEventResponse()
            payment = await payments.find(db, event.intent.payment_id) if event.intent.payment_id else None
        intent = await self._as_it_stands(payment, event.intent)
        await self._apply(event, payment, intent)
        return ReceiveProviderEventResponse()

    async def _as_it_stands(self, payment: Payment | None, intent: Intent) -> Intent:
        if payment is None or payment.status not in OPEN or intent.status is not IntentStatus.OPEN:
            return intent
        return await self.provider.cancel(intent.id)

    async def _apply(self, event: ProviderEvent, payment: Payment | None, intent: Intent) -> None:
        async with self.runtime.database.transaction() as tx:
            outcome = "unknown"
            if payment:
                _, outcome = await self.paying.settle_in(tx, payment, intent, Failure.DECLINED)
            payment_id = payment.id if payment else None
            await payments.note_event(tx, event.id, event.kind, intent.id, payment_id, outcome)
