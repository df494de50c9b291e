"""Members who pay, and what they pay for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
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
from tests.support import request_id

VISA, DECLINED, FAILS_LATER = "pm_card_visa", "pm_card_chargeDeclined", "pm_card_chargeCustomerFail"


@dataclass
class Wallet:
    """A member with a streak that needs recovering, and what they do with money. Who owns what is paid for is stood in
    for: it lets everything through, and says what became of it when it is told to.
    """

    world: World
    member: Caller
    partner: Caller
    streak_id: str = field(default_factory=lambda: str(uuid7()))
    connection_id: str = field(default_factory=lambda: str(uuid7()))

    @property
    def billing(self) -> BillingServiceStub:
        return self.world.stub(BillingServiceStub, "billing")

    def ask(self, purpose: str = "RECOVERY", method: str = "MONEY", **more: Any) -> api.CreatePaymentRequest:
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
        """What the member's app does with the provider; the HTTP status."""
        form = {"payment_method": card, "client_secret": confirmation.client_secret}
        async with httpx.AsyncClient(base_url=self.world.payments_url) as client:
            path = f"/v1/payment_intents/{confirmation.provider_payment_id}/confirm"
            return (await client.post(path, data=form)).status_code

    async def pay(self, **more: Any) -> str:
        """A payment by money up to its success; its id."""
        made = await self.create(self.ask(**more))
        assert await self.confirm(made.confirmation) == 200
        await self.world.drain()
        return made.payment.payment_id

    async def subscribe(self, tier: str, card: str = VISA) -> api.Payment:
        request = api.SubscribeRequest(request_id=request_id(), tier=f"TIER_{tier}")  # type: ignore[arg-type]
        made = await self.billing.Subscribe(request, metadata=self.member.metadata)
        assert await self.confirm(made.confirmation, card) == 200
        await self.world.drain()
        return await self.payment(made.payment.payment_id)

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

    def recovered(self, payment_id: str, at: datetime) -> StreakRecovered:
        event = StreakRecovered(payment_id=payment_id, breaker_user_id=self.member.id, **self._of_streak())
        event.occurred_at.FromDatetime(at)
        return event

    def rejected(self, payment_id: str, at: datetime) -> RecoveryRejected:
        event = RecoveryRejected(payment_id=payment_id, **self._of_streak())
        event.occurred_at.FromDatetime(at)
        return event

    def ended(self, by: Caller, at: datetime, **more: Any) -> ConnectionEnded:
        pair = sorted((self.member.id, self.partner.id))
        event = ConnectionEnded(
            connection_id=self.connection_id,
            version=2,
            user_a_id=pair[0],
            user_b_id=pair[1],
            ended_by_id=by.id,
            **more,
        )
        event.occurred_at.FromDatetime(at)
        return event

    def _of_streak(self) -> dict[str, Any]:
        pair = sorted((self.member.id, self.partner.id))
        return {
            "streak_id": str(uuid7()),  # an aggregate of its own: streak's outbox would not take a version twice
            "version": 1,
            "connection_id": self.connection_id,
            "user_a_id": pair[0],
            "user_b_id": pair[1],
        }

    async def recover(self, **more: Any) -> str:
        """A recovery that was paid by money and applied now; its payment."""
        payment_id = await self.pay(**more)
        await self.world.publish(self.recovered(payment_id, await self.world.now()))
        return payment_id

    async def give_credits(self, count: int = 1) -> int:
        """Credits by recoveries that came too late; the balance."""
        for _ in range(count):
            payment_id = await self.pay()
            await self.world.publish(self.rejected(payment_id, await self.world.now()))
        return await self.credits()


@pytest.fixture
def connections() -> dict[str, str]:
    """The connection of each streak that the owners let through; another's is refused by the real ones."""
    return {}


@pytest.fixture
def wallets(world: World, connections: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[[], Wallet]:
    """Makes members whose things are let through without asking streak or reveal, whose own tests that is."""
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


def moment(stamp: Any) -> datetime:
    found: datetime = stamp.ToDatetime(UTC)
    return found
