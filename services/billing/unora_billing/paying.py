"""How a payment goes from a request to its outcome. Every step can be repeated by the payment's id, from wherever a
crash left it: recorded, authorised by the thing's owner, paid by a free recovery or credits, or charged at the provider
and then settled by what the provider tells.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import grpc
from unora_common.database import Tx
from unora_common.errors import RequestIdReused
from unora_common.ids import uuid7
from unora_common.runtime import Runtime

from unora_billing.clients import Owners
from unora_billing.config import BillingConfig
from unora_billing.domain import payments as steps
from unora_billing.domain.errors import BillingError, CreditsInsufficient, NotAuthorized, PaymentPending
from unora_billing.domain.payments import OPEN, Entry, Failure, Method, Payment, Status
from unora_billing.domain.policy import CURRENCY, Purpose, Tier
from unora_billing.domain.subscriptions import SubscriptionStatus, demand_can_buy
from unora_billing.messages import payment_created, payment_sent
from unora_billing.providers.payments import Charge, ChargeRefused, Intent, IntentStatus, Provider
from unora_billing.resources import Resources
from unora_billing.settling import convert, fail, pay_without_money, succeed
from unora_billing.store import accounts, payments, subscriptions
from unora_billing.store.accounts import Account


class Ask(NamedTuple):
    """What a member wants to pay for."""

    request_id: UUID
    purpose: Purpose
    method: Method
    streak_id: UUID | None = None
    reveal_number: int | None = None
    plan: Tier | None = None


class Driven(NamedTuple):
    """A payment as far as it went, with what its member confirms it with."""

    payment: Payment
    intent: Intent | None


class Paying:
    """The saga of payments, for servicers and jobs."""

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self._runtime = runtime
        self._database = runtime.database
        self._policy = runtime.config.policy
        self._owners = Owners(runtime.clients)
        self._provider: Provider = runtime.resources.provider

    async def record(self, payer: UUID, ask: Ask) -> Payment:
        """Writes the payment down before anything is asked or charged; a repeat finds it (BI-08)."""
        async with self._database.transaction(payer) as tx:
            account = await accounts.lock(tx, payer)
            payment = self._asked(payer, ask, tx.now)
            found = await payments.of_request(tx, payer, ask.request_id)
            if found:
                if not found.asks_the_same(payment):
                    raise RequestIdReused
                return found
            await self._demand_possible(tx, account, payment)
            await payments.insert(tx, payment)
            tx.emit(payment_created(payment))
            return payment

    async def drive(self, payment: Payment) -> Driven:
        """Takes a payment as far as it goes now. Raises what the owner refused with, CreditsInsufficient, or what could
        not be reached; then it stays where it is, and a repeat or a job drives it on.
        """
        if payment.status is Status.CREATED and not payment.is_authorized:
            payment = await self._authorize(payment)
        elif await self._renews_nothing(payment):
            payment = await self._fail(payment.id, Failure.NOT_AUTHORIZED)
        intent: Intent | None = None
        if payment.status is Status.CREATED:
            try:
                intent = await self._charge(payment)
            except ChargeRefused as refused:
                self._runtime.log.error("charge refused", aggregate_id=str(payment.id), failure=refused)
                return Driven(await self._fail(payment.id, Failure.DECLINED), None)
            payment = await self.settle(payment, intent, Failure.DECLINED)
        elif payment.status is Status.PENDING:
            assert payment.provider_payment_id is not None
            intent = await self._provider.retrieve(payment.provider_payment_id)
            if intent.status is not IntentStatus.OPEN:
                payment = await self.settle(payment, intent, Failure.DECLINED)
        return Driven(payment, intent if payment.status is Status.PENDING else None)

    async def close(self, payment: Payment, failure: Failure) -> Payment:
        """Gives a payment up: cancelled at the provider first, so that it cannot be paid later. If it was paid after
        all, it counts as paid.
        """
        if payment.status not in OPEN:
            return payment
        # A renewal is charged by being sent, and the provider may have forgotten by now that it was. What it took then
        # comes by its webhook, and becomes credits.
        unsent_renewal = payment.renews_subscription_id and payment.status is Status.CREATED
        if payment.method is not Method.MONEY or not payment.is_authorized or unsent_renewal:
            return await self._fail(payment.id, failure)
        # Any other whose answer was lost is found by its idempotency key, or begun anew: nobody can confirm the first.
        try:
            intent_id = payment.provider_payment_id or (await self._charge(payment)).id
        except ChargeRefused:
            return await self._fail(payment.id, failure)
        return await self.settle(payment, await self._provider.cancel(intent_id), failure)

    async def settle(self, payment: Payment, intent: Intent, failure: Failure) -> Payment:
        """Writes down where a payment stands at the provider."""
        async with self._database.transaction() as tx:
            settled, _ = await self.settle_in(tx, payment, intent, failure)
            return settled

    async def settle_in(self, tx: Tx, payment: Payment, intent: Intent, failure: Failure) -> tuple[Payment, str]:
        """The same inside a transaction, with the outcome's name. Money that was taken is never lost: for a payment
        that had failed it becomes credits.
        """
        account = await accounts.lock(tx, payment.payer_id)
        found = await payments.lock(tx, payment.id)
        assert found is not None
        other = found.provider_payment_id not in (None, intent.id)
        match intent.status:
            case IntentStatus.PAID if intent.received != found.amount or intent.currency != CURRENCY or other:
                self._runtime.log.error("payment does not match the provider's", aggregate_id=str(found.id))
                return found, "mismatch"
            case IntentStatus.PAID if found.status in OPEN:
                known = replace(found, provider_payment_id=intent.id)
                return await succeed(tx, account, known, provider_method=intent.method), "applied"
            case IntentStatus.PAID if found.status is Status.FAILED:
                known = replace(found, provider_payment_id=intent.id)
                return await convert(tx, account, known, Entry.COMPENSATION), "applied"
            case IntentStatus.CANCELLED if found.status in OPEN and not other:
                return await fail(tx, account, found, failure, self._policy), "applied"
            case IntentStatus.OPEN if found.status is Status.CREATED:
                pending = steps.sent(found, intent.id, tx.now, self._policy.give_up)
                await payments.save(tx, pending)
                tx.emit(payment_sent(pending, tx.now))
                return pending, "applied"
        return found, "nothing_to_do"

    def _asked(self, payer: UUID, ask: Ask, now: datetime) -> Payment:
        return steps.created(
            uuid7(),
            payer,
            ask.request_id,
            ask.purpose,
            ask.method,
            self._policy.price(ask.purpose, ask.plan),
            now,
            due_at=now + self._policy.drive_on,
            streak_id=ask.streak_id,
            reveal_number=ask.reveal_number,
            plan=ask.plan,
        )

    async def _demand_possible(self, tx: Tx, account: Account, payment: Payment) -> None:
        """What can be refused before anything is written."""
        if payment.plan:
            demand_can_buy(await subscriptions.current(tx, account.user_id), payment.plan)
            if await payments.open_subscription(tx, account.user_id):
                raise PaymentPending
        may_be_free = payment.purpose is Purpose.RECOVERY and self._policy.plan(account.tier).free_recoveries > 0
        if payment.method is Method.CREDITS and account.balance < payment.amount and not may_be_free:
            raise CreditsInsufficient(balance=account.balance, amount=payment.amount)

    async def _authorize(self, payment: Payment) -> Payment:
        try:
            connection = await self._owners.authorize(payment)
        except NotAuthorized:
            await self._fail(payment.id, Failure.NOT_AUTHORIZED)
            raise
        refusal: BillingError | None = None
        async with self._database.transaction(payment.payer_id) as tx:
            account = await accounts.lock(tx, payment.payer_id)
            found = await payments.lock(tx, payment.id)
            assert found is not None
            if found.status is not Status.CREATED or found.is_authorized:
                return found
            through = steps.authorized(found, connection)
            left = await pay_without_money(tx, account, through, self._policy)
            if left.status is Status.CREATED and left.method is Method.CREDITS:
                refusal = CreditsInsufficient(balance=account.balance, amount=left.amount)
                left = await fail(tx, account, left, Failure.NOT_AUTHORIZED, self._policy)
        if refusal:
            raise refusal
        return left

    async def _renews_nothing(self, payment: Payment) -> bool:
        """Whether it is to renew what has ended meanwhile: nobody wants that any more, and nothing may be charged. What
        was charged before a crash lost the answer comes by its webhook, and becomes credits.
        """
        if payment.status is not Status.CREATED or payment.renews_subscription_id is None:
            return False
        async with self._database.session() as db:
            renewed = await subscriptions.find(db, payment.renews_subscription_id)
        return renewed is None or renewed.status is SubscriptionStatus.ENDED

    async def _charge(self, payment: Payment) -> Intent:
        """Charged at the provider, or found there by the payment's id."""
        if payment.purpose is not Purpose.SUBSCRIPTION:
            return await self._provider.charge(Charge(payment.id, payment.amount))
        async with self._database.session() as db:
            account = await accounts.one(db, payment.payer_id)
            renewed = payment.renews_subscription_id and await subscriptions.find(db, payment.renews_subscription_id)
        customer = account.provider_customer_id
        if customer is None:
            customer = await self._provider.customer(payment.payer_id)
            async with self._database.transaction() as tx:
                await accounts.set_customer(tx, payment.payer_id, customer)
        method = renewed.provider_method_id if renewed else ""
        intent = await self._provider.charge(Charge(payment.id, payment.amount, customer, method))
        if renewed and intent.status is IntentStatus.OPEN:  # declined, and nobody is there to confirm it
            intent = await self._provider.cancel(intent.id)
        return intent

    async def _fail(self, payment_id: UUID, failure: Failure) -> Payment:
        async with self._database.session() as db:
            known = await payments.find(db, payment_id)
        assert known is not None
        async with self._database.transaction() as tx:
            account = await accounts.lock(tx, known.payer_id)
            found = await payments.lock(tx, payment_id)
            assert found is not None
            if found.status is Status.CREATED:
                return await fail(tx, account, found, failure, self._policy)
            return found


PASSING: tuple[type[Exception], ...] = (BillingError, grpc.aio.AioRpcError, TimeoutError)
"""What may come of driving a payment on, that is no defect."""
