"""What billing does when the payment provider sends an event by webhook (BI-07)."""

from __future__ import annotations

from unora_common.runtime import Runtime

from unora_billing.config import BillingConfig
from unora_billing.domain.payments import Payment, PaymentFailure
from unora_billing.providers.payments import Intent, IntentStatus, Provider, ProviderEvent
from unora_billing.resources import Resources
from unora_billing.store import payments, provider_events
from unora_billing.use_cases.provider_state import ProviderOutcome, record_provider_state


class ProviderEvents:
    """Applies the events of the provider."""

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime
        self._policy = runtime.config.policy
        self._provider: Provider = runtime.resources.provider

    async def apply(self, event: ProviderEvent) -> None:
        """Applies an event once; events may come in any order. A success is signed, so it counts as it is. After any
        other event the payment is cancelled at the provider, and its state after that counts.
        """
        if event.intent is None:
            return
        async with self.runtime.database.session() as db:
            if await provider_events.is_recorded(db, event.id):
                return
            payment = await payments.find(db, event.intent.payment_id) if event.intent.payment_id else None
        intent = await self._final_state(payment, event.intent)
        await self._record(event, payment, intent)

    async def _final_state(self, payment: Payment | None, intent: Intent) -> Intent:
        if payment is None or not payment.is_open or intent.status is not IntentStatus.OPEN:
            return intent
        return await self._provider.cancel(intent.id)

    async def _record(self, event: ProviderEvent, payment: Payment | None, intent: Intent) -> None:
        async with self.runtime.database.transaction() as tx:
            outcome = ProviderOutcome.UNKNOWN
            if payment:
                _, outcome = await record_provider_state(
                    tx, payment, intent, PaymentFailure.DECLINED, self._policy, self.runtime.log
                )
            payment_id = payment.id if payment else None
            await provider_events.record(tx, event.id, event.kind, intent.id, payment_id, outcome)
