"""Members who pay for the recovery of a streak."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1.billing_service_pb2_grpc import BillingServiceStub
from unora.matching.v1.events_pb2 import ConnectionEnded
from unora.streak.v1.events_pb2 import RecoveryRejected, StreakRecovered
from unora_billing.clients import Authorizers
from unora_billing.domain.payments import Payment
from unora_common.ids import uuid7
from unora_testing.world import Caller, World

from tests.roles import undone
from tests.support import confirm, request_id

VISA, DECLINED, FAILS_LATER = "pm_card_visa", "pm_card_chargeDeclined", "pm_card_chargeCustomerFail"


@dataclass
class Wallet:
    """A member with a broken streak, and the member's payments. The owner of the purchase is replaced: it authorises
    every payment, and its answers are events that a test publishes.
    """

    world: World
    member: Caller
    partner: Caller
    streak_id: str = field(default_factory=lambda: str(uuid7()))
    connection_id: str = field(default_factory=lambda: str(uuid7()))

    @property
    def billing(self) -> BillingServiceStub:
        return self.world.stub(BillingServiceStub, "billing")

    def order(self, purpose: str = "RECOVERY", method: str = "MONEY", **more: Any) -> api.CreatePaymentRequest:
        return api.CreatePaymentRequest(
            request_id=more.pop("request_id", request_id()),
            purpose=f"PAYMENT_PURPOSE_{purpose}",  # type: ignore[arg-type]
            method=f"PAYMENT_METHOD_{method}",  # type: ignore[arg-type]
            streak_id=more.pop("streak_id", self.streak_id),
            **more,
        )

    async def create(self, request: api.CreatePaymentRequest) -> api.CreatePaymentResponse:
        return await self.billing.CreatePayment(request, metadata=self.member.metadata)

    async def confirm(self, confirmation: api.Confirmation, card: str = VISA) -> int:
        """Confirms a payment at the provider, as the member's app does; returns the HTTP status."""
        return await confirm(self.world.payments_url, confirmation, card)

    async def pay(self, **more: Any) -> str:
        """Pays by money until the payment has succeeded; returns its id."""
        made = await self.create(self.order(**more))
        assert await self.confirm(made.confirmation) == 200
        await self.world.drain()
        return made.payment.payment_id

    async def subscribe(self, tier: str, card: str = VISA) -> api.Payment:
        request = api.SubscribeRequest(request_id=request_id(), tier=f"TIER_{tier}")  # type: ignore[arg-type]
        made = await self.billing.Subscribe(request, metadata=self.member.metadata)
        assert await self.confirm(made.confirmation, card) == 200
        await self.world.drain()
        return await self.payment(made.payment.payment_id)

    async def charge_of(self, payment_id: str) -> str:
        """The provider's id of a payment."""
        return str(
            await self.world.superuser.fetchval(
                "SELECT provider_payment_id FROM billing.payments WHERE id = $1", payment_id
            )
        )

    async def refund(self, payment_id: str, amount: int | None = None) -> str:
        """Refunds a payment at the provider; returns the refund's id."""
        made = self.world.payments.reversals.refund(await self.charge_of(payment_id), amount)
        await self.world.drain()
        return str(made["id"])

    async def dispute(self, payment_id: str, *closings: str, amount: int | None = None) -> str:
        """The payer's bank disputes a payment, which ends as told; returns the dispute's id."""
        reversals = self.world.payments.reversals
        made = reversals.dispute(await self.charge_of(payment_id), amount)
        await self.world.drain()
        for status in closings:
            reversals.close_dispute(made["id"], status)
            await self.world.drain()
        return str(made["id"])

    async def entries(self) -> list[tuple[str, int]]:
        """The ledger, the oldest entry first."""
        asked = api.ListCreditEntriesRequest()
        answer = await self.billing.ListCreditEntries(asked, metadata=self.member.metadata)
        names = [api.CreditEntryKind.Name(each.kind).removeprefix("CREDIT_ENTRY_KIND_") for each in answer.entries]
        return [(name, each.amount) for name, each in zip(names, answer.entries, strict=True)][::-1]

    async def payment(self, payment_id: str) -> api.Payment:
        answer = await self.billing.GetPayment(
            api.GetPaymentRequest(payment_id=payment_id), metadata=self.member.metadata
        )
        return answer.payment

    async def status(self, payment_id: str) -> str:
        return api.PaymentStatus.Name((await self.payment(payment_id)).status).removeprefix("PAYMENT_STATUS_")

    async def credits(self) -> int:
        return (await self.billing.GetCredits(api.GetCreditsRequest(), metadata=self.member.metadata)).balance

    async def subscription(self) -> api.GetSubscriptionResponse:
        return await self.billing.GetSubscription(api.GetSubscriptionRequest(), metadata=self.member.metadata)

    def recovered_event(self, payment_id: str, occurred_at: datetime) -> StreakRecovered:
        event = StreakRecovered(payment_id=payment_id, breaker_user_id=self.member.id, **self._of_streak())
        event.occurred_at.FromDatetime(occurred_at)
        return event

    def rejected_event(self, payment_id: str, occurred_at: datetime) -> RecoveryRejected:
        event = RecoveryRejected(payment_id=payment_id, **self._of_streak())
        event.occurred_at.FromDatetime(occurred_at)
        return event

    def ended_event(self, by: Caller, occurred_at: datetime, **more: Any) -> ConnectionEnded:
        pair = sorted((self.member.id, self.partner.id))
        event = ConnectionEnded(
            connection_id=self.connection_id,
            version=2,
            user_a_id=pair[0],
            user_b_id=pair[1],
            ended_by_id=by.id,
            **more,
        )
        event.occurred_at.FromDatetime(occurred_at)
        return event

    def _of_streak(self) -> dict[str, Any]:
        pair = sorted((self.member.id, self.partner.id))
        return {
            "streak_id": str(uuid7()),  # an aggregate of its own: the outbox of streak refuses a version twice
            "version": 1,
            "connection_id": self.connection_id,
            "user_a_id": pair[0],
            "user_b_id": pair[1],
        }

    async def recover(self, **more: Any) -> str:
        """Pays for a recovery by money, which is applied now; returns the payment's id."""
        payment_id = await self.pay(**more)
        await self.world.publish(self.recovered_event(payment_id, await self.world.now()))
        return payment_id

    async def earn_credits(self, count: int = 1) -> int:
        """Earns credits by recoveries that came too late; returns the balance."""
        for _ in range(count):
            payment_id = await self.pay()
            await self.world.publish(self.rejected_event(payment_id, await self.world.now()))
        return await self.credits()


@pytest.fixture
def connections() -> dict[str, str]:
    """The connection of each streak whose payments are authorised; for other streaks the real owners are asked."""
    return {}


@pytest.fixture
def wallets(world: World, connections: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[[], Wallet]:
    """Makes members whose payments are authorised without asking streak or reveal, which have their own tests."""
    asked = Authorizers.authorize

    async def authorize(self: Authorizers, payment: Payment) -> UUID:
        found = connections.get(str(payment.streak_id))
        return UUID(found) if found else await asked(self, payment)

    monkeypatch.setattr(Authorizers, "authorize", authorize)

    def make() -> Wallet:
        wallet = Wallet(world, world.caller(), world.caller())
        connections[wallet.streak_id] = wallet.connection_id
        return wallet

    return make


@pytest.fixture
def wallet(wallets: Callable[[], Wallet]) -> Wallet:
    return wallets()


@pytest.fixture
async def service_role(world: World) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Direct SQL in the service's own role, never committed."""
    async with undone(world, "billing") as connection:
        yield connection


@pytest.fixture
async def owner_role(world: World) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Direct SQL in the role that migrates, which has rights that the service has not; never committed."""
    async with undone(world, "billing_owner") as connection:
        yield connection
