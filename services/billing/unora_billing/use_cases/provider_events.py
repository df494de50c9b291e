"""What billing does when the payment provider sends an event by webhook (BI-07, BI-10, BI-13)."""

from __future__ import annotations

from unora_common.database import Tx
from unora_common.runtime import Runtime

from unora_billing.config import BillingConfig
from unora_billing.domain.payments import Payment, PaymentFailure
from unora_billing.domain.reversals import Notice
from unora_billing.metrics import MISMATCHES, PROVIDER_EVENTS
from unora_billing.providers.payments import Intent, IntentStatus, Provider, ProviderEvent, Reversed
from unora_billing.resources import Resources
from unora_billing.store import payments, provider_events
from unora_billing.use_cases.provider_state import ProviderOutcome, record_provider_state
from unora_billing.use_cases.reversals import record_reversal


class ProviderEvents:
    """Applies the events of the provider."""

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime
        self._policy = runtime.config.policy
        self._provider: Provider = runtime.resources.provider
        self._events, self._mismatches = runtime.metrics.of(PROVIDER_EVENTS), runtime.metrics.of(MISMATCHES)
        for outcome in ProviderOutcome:
            self._events.labels(outcome)  # it is there from the start, with 0

    async def apply(self, event: ProviderEvent) -> None:
        """Applies an event once; events may come in any order. Raises ProviderUnavailable for one that cannot be
        applied yet: the provider sends it again.
        """
        async with self.runtime.database.session() as db:
            if await provider_events.is_recorded(db, event.id):
                return
        if isinstance(event.about, Intent):
            await self._apply_state(event, event.about)
        elif isinstance(event.about, Reversed):
            await self._apply_reversal(event, event.about)
        else:
            await self._note(event, ProviderOutcome.UNKNOWN_KIND)

    async def _apply_state(self, event: ProviderEvent, told: Intent) -> None:
        """A success is signed, so it counts as it is. After any other event the payment is cancelled at the provider,
        and its state after that counts.
        """
        payment = await self._find(told)
        intent = told
        if payment and payment.is_open and told.status is IntentStatus.OPEN:
            intent = await self._provider.cancel(told.id)
        async with self.runtime.database.transaction() as tx:
            outcome = ProviderOutcome.UNKNOWN
            if payment:
                _, outcome = await self._record_state(tx, payment, intent)
            is_new = await _record(tx, event, outcome, intent.id, payment)
        self._count(outcome, is_new=is_new)

    async def _apply_reversal(self, event: ProviderEvent, told: Reversed) -> None:
        """BI-10: a signed state of a refund or dispute counts as it is, and one may be told before billing knows that
        its payment was paid: then the payment's own state is read first.
        """
        payment, intent = await self._find_paid(told.intent_id)
        if payment is None:
            await self._note(event, ProviderOutcome.UNKNOWN, told.intent_id)
            return
        notices = [told.notice] if told.notice else await self._provider.refunds(told.intent_id)
        async with self.runtime.database.transaction() as tx:
            if intent:
                payment, _ = await self._record_state(tx, payment, intent)
            outcome = await self._record_reversals(tx, payment, told.intent_id, notices)
            is_new = await _record(tx, event, outcome, told.intent_id, payment)
        self._count(outcome, is_new=is_new)

    async def _record_reversals(
        self, tx: Tx, payment: Payment, intent_id: str, notices: list[Notice]
    ) -> ProviderOutcome:
        """The outcome of several is the one that most needs to be seen."""
        found = [
            await record_reversal(tx, payment, intent_id, notice, self._policy, self.runtime.log) for notice in notices
        ]
        order = (ProviderOutcome.MISMATCH, ProviderOutcome.APPLIED)
        return next((each for each in order if each in found), ProviderOutcome.NOTHING_TO_DO)

    async def _find(self, intent: Intent) -> Payment | None:
        if intent.payment_id is None:
            return None
        async with self.runtime.database.session() as db:
            return await payments.find(db, intent.payment_id)

    async def _find_paid(self, intent_id: str) -> tuple[Payment | None, Intent | None]:
        """The payment of a charge. If billing does not know that it was paid, also its state at the provider."""
        if not intent_id:
            return None, None
        async with self.runtime.database.session() as db:
            payment = await payments.find_by_charge(db, intent_id)
        if payment and payment.succeeded_at:
            return payment, None
        intent = await self._provider.find(intent_id)
        if intent is None:
            return None, None
        return payment or await self._find(intent), intent

    async def _record_state(self, tx: Tx, payment: Payment, intent: Intent) -> tuple[Payment, ProviderOutcome]:
        return await record_provider_state(tx, payment, intent, PaymentFailure.DECLINED, self._policy, self.runtime.log)

    async def _note(self, event: ProviderEvent, outcome: ProviderOutcome, intent_id: str = "") -> None:
        """Notes an event that changes nothing: its id, its kind, and when it came (BI-13)."""
        async with self.runtime.database.transaction() as tx:
            is_new = await _record(tx, event, outcome, intent_id, None)
        self._count(outcome, is_new=is_new)

    def _count(self, outcome: ProviderOutcome, *, is_new: bool) -> None:
        """Counts an event once, also if it comes several times at once."""
        if is_new:
            self._events.labels(outcome).inc()
            if outcome is ProviderOutcome.MISMATCH:
                self._mismatches.inc()


async def _record(
    tx: Tx, event: ProviderEvent, outcome: ProviderOutcome, intent_id: str, payment: Payment | None
) -> bool:
    payment_id = payment.id if payment else None
    return await provider_events.record(tx, event.id, event.kind, intent_id or None, payment_id, outcome)
