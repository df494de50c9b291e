"""How a payment goes from a request to its outcome.

Each step can be repeated under the payment's id, from wherever a crash left it: created, authorised by the owner of the
purchase, then paid by a free recovery or credits, or charged at the provider, whose answer or event decides.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from unora_common.database import Tx
from unora_common.errors import RequestIdReused
from unora_common.ids import uuid7
from unora_common.runtime import Runtime

from unora_billing.clients import Authorizers
from unora_billing.config import BillingConfig
from unora_billing.domain.accounts import Account
from unora_billing.domain.errors import (
    BillingError,
    CreditsInsufficient,
    NotAuthorized,
    QuoteChanged,
)
from unora_billing.domain.event_builders import payment_created
from unora_billing.domain.payments import (
    Order,
    Payment,
    PaymentFailure,
    PaymentMethod,
    PaymentStatus,
    new_payment,
)
from unora_billing.domain.policy import PaymentPurpose
from unora_billing.domain.quotes import require_as_quoted, require_quoted
from unora_billing.messages import to_message
from unora_billing.metrics import MISMATCHES
from unora_billing.providers.payments import Charge, ChargeRefused, Intent, IntentStatus, Provider
from unora_billing.resources import Resources
from unora_billing.store import accounts, free_recoveries, payments, subscriptions
from unora_billing.use_cases.payable import require_payable
from unora_billing.use_cases.payment_steps import mark_failed, pay_from_allowance_or_credits
from unora_billing.use_cases.provider_state import ProviderOutcome, record_provider_state


class Progress(NamedTuple):
    """A payment after all the steps that were possible, and what its member has to confirm, if it waits for that."""

    payment: Payment
    intent: Intent | None


class PaymentProcess:
    """The saga of payments, for servicers and jobs."""

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime
        self._database = runtime.database
        self._policy = runtime.config.policy
        self._authorizers = Authorizers(runtime.clients)
        self._provider: Provider = runtime.resources.provider

    async def pay(self, payer_id: UUID, order: Order) -> Progress:
        """Creates a payment, or finds it if the request is a repeat (BI-08), and advances it."""
        return await self.advance(await self.create(payer_id, order))

    async def create(self, payer_id: UUID, order: Order) -> Payment:
        """Records a payment before its owner or the provider is asked; a repeat finds it (BI-08). Raises
        RequestIdReused, QuoteChanged, and what `require_payable` raises.
        """
        async with self._database.transaction(payer_id) as tx:
            account = await accounts.lock_or_create(tx, payer_id)
            found = await payments.find_by_request(tx, payer_id, order.request_id)
            if found:
                if not found.is_for(order):
                    raise RequestIdReused
                return found
            amount = self._policy.price(order.purpose, order.plan)
            require_quoted(order, amount)
            await require_payable(tx, account, order, amount, self._policy)
            due_at = tx.now + self._policy.advance_interval
            payment = new_payment(uuid7(), payer_id, order, amount, tx.now, due_at)
            await payments.insert(tx, payment)
            tx.emit(to_message(payment_created(payment)))
            return payment

    async def advance(self, payment: Payment) -> Progress:
        """Takes all steps of a payment that are possible now. Raises the owner's refusal, CreditsInsufficient, or the
        error of a service that could not be reached; the payment then stays where it is, and a repeat or a job
        continues it.
        """
        if payment.status is PaymentStatus.CREATED and not payment.is_authorized:
            payment = await self._authorize(payment)
        elif await self._is_obsolete_renewal(payment):
            payment = await self._fail(payment, PaymentFailure.NOT_AUTHORIZED)
        intent: Intent | None = None
        if payment.status is PaymentStatus.CREATED:
            try:
                intent = await self._charge(payment)
            except ChargeRefused as refused:
                self.runtime.log.error("charge refused", aggregate_id=str(payment.id), failure=refused)
                return Progress(await self._fail(payment, PaymentFailure.DECLINED), None)
            payment = await self._record_provider_state(payment, intent, PaymentFailure.DECLINED)
        elif payment.status is PaymentStatus.PENDING:
            assert payment.provider_payment_id is not None
            intent = await self._provider.retrieve(payment.provider_payment_id)
            if intent.status is not IntentStatus.OPEN:
                payment = await self._record_provider_state(payment, intent, PaymentFailure.DECLINED)
        return Progress(payment, intent if payment.status is PaymentStatus.PENDING else None)

    async def advance_or_expire(self, payment_id: UUID) -> None:
        """Advances a payment that is due, or cancels it if its member has not confirmed it in time, or has closed the
        account since (ID-09). Raises what `advance` raises.
        """
        async with self._database.session() as db:
            payment = await payments.find(db, payment_id)
            if payment is None or not payment.is_open:
                return
            now = await db.value("SELECT clock.now()")
            account = await accounts.get(db, payment.payer_id)
        if account.closed_since(payment):
            await self.cancel(payment, PaymentFailure.NOT_AUTHORIZED)
        elif now >= payment.created_at + self._policy.confirmation_timeout:
            await self.cancel(payment, PaymentFailure.EXPIRED)
        else:
            await self.advance(payment)

    async def cancel(self, payment: Payment, failure: PaymentFailure) -> Payment:
        """Cancels an open payment: first at the provider, so that it cannot be paid later. If it was paid after all,
        it counts as paid.
        """
        if not payment.is_open:
            return payment
        # The call that sends a renewal also charges it, and the provider may have forgotten the idempotency key by now.
        # If it took the money then, its webhook says so, and the amount becomes credits.
        is_unsent_renewal = payment.renews_subscription_id and payment.status is PaymentStatus.CREATED
        if payment.method is not PaymentMethod.MONEY or not payment.is_authorized or is_unsent_renewal:
            return await self._fail(payment, failure)
        # If the answer to any other charge was lost, the idempotency key finds that charge, or a new one is made and
        # cancelled. The app never received the secret of the lost charge, so no member can confirm it.
        try:
            intent_id = payment.provider_payment_id or (await self._charge(payment)).id
        except ChargeRefused:
            return await self._fail(payment, failure)
        return await self._record_provider_state(payment, await self._provider.cancel(intent_id), failure)

    async def _authorize(self, payment: Payment) -> Payment:
        try:
            connection_id = await self._authorizers.authorize(payment)
        except NotAuthorized:
            await self._fail(payment, PaymentFailure.NOT_AUTHORIZED)
            raise
        refusal: BillingError | None = None
        async with self._database.transaction(payment.payer_id) as tx:
            account = await accounts.lock_or_create(tx, payment.payer_id)
            found = await payments.lock(tx, payment.id)
            if found.status is not PaymentStatus.CREATED or found.is_authorized:
                return found
            if account.closed_since(found):
                return await mark_failed(tx, account, found, PaymentFailure.NOT_AUTHORIZED, self._policy)
            authorized = found.authorized(connection_id)
            try:
                await self._require_as_quoted(tx, account, authorized)
            except QuoteChanged as changed:
                refusal = changed
                after = await mark_failed(tx, account, authorized, PaymentFailure.NOT_AUTHORIZED, self._policy)
            else:
                after = await pay_from_allowance_or_credits(tx, account, authorized, self._policy)
            if after.status is PaymentStatus.CREATED and after.method is PaymentMethod.CREDITS:
                refusal = CreditsInsufficient(balance=account.balance, amount=after.amount)
                after = await mark_failed(tx, account, after, PaymentFailure.NOT_AUTHORIZED, self._policy)
        if refusal:  # raised after the commit, which stores that the payment failed
            raise refusal
        return after

    async def _require_as_quoted(self, tx: Tx, account: Account, payment: Payment) -> None:
        """BI-12: the account's lock keeps what is left. Raises QuoteChanged."""
        if payment.quoted_method and payment.connection_id:
            allowance = self._policy.free_allowance(payment.purpose, account.tier)
            left = await free_recoveries.count_left(tx, payment.connection_id, account.user_id, allowance)
            require_as_quoted(payment, left)

    async def _is_obsolete_renewal(self, payment: Payment) -> bool:
        """Whether the payment is to renew a subscription that has ended meanwhile: then nothing may be charged. If it
        was charged before a crash lost the answer, the provider's webhook says so, and the amount becomes credits.
        """
        if payment.status is not PaymentStatus.CREATED or payment.renews_subscription_id is None:
            return False
        async with self._database.session() as db:
            renewed = await subscriptions.find(db, payment.renews_subscription_id)
        return renewed is None or renewed.has_ended

    async def _charge(self, payment: Payment) -> Intent:
        """Charges the payment at the provider, or finds the existing charge by the payment's id."""
        if payment.purpose is not PaymentPurpose.SUBSCRIPTION:
            return await self._provider.charge(Charge(payment.id, payment.amount))
        async with self._database.session() as db:
            account = await accounts.get(db, payment.payer_id)
            renewed = payment.renews_subscription_id and await subscriptions.find(db, payment.renews_subscription_id)
        customer = account.provider_customer_id
        if customer is None:
            customer = await self._provider.customer(payment.payer_id)
            async with self._database.transaction() as tx:
                await accounts.set_customer(tx, payment.payer_id, customer)
        method = renewed.provider_method_id if renewed else ""
        intent = await self._provider.charge(Charge(payment.id, payment.amount, customer, method))
        if renewed and intent.status is IntentStatus.OPEN:  # it was declined, and no app waits to confirm it
            intent = await self._provider.cancel(intent.id)
        return intent

    async def _record_provider_state(self, payment: Payment, intent: Intent, failure: PaymentFailure) -> Payment:
        async with self._database.transaction() as tx:
            after, outcome = await record_provider_state(tx, payment, intent, failure, self._policy, self.runtime.log)
        if outcome is ProviderOutcome.MISMATCH:
            self.runtime.metrics.of(MISMATCHES).inc()
        return after

    async def _fail(self, payment: Payment, failure: PaymentFailure) -> Payment:
        """Marks a payment as failed, unless it has moved on meanwhile."""
        async with self._database.transaction() as tx:
            account = await accounts.lock_or_create(tx, payment.payer_id)
            found = await payments.lock(tx, payment.id)
            if found.status is PaymentStatus.CREATED:
                return await mark_failed(tx, account, found, failure, self._policy)
            return found
