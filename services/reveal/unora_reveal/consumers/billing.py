"""Payments for reveals, and tiers."""

from __future__ import annotations

from uuid import UUID

from unora.billing.v1.billing_service_pb2 import PAYMENT_PURPOSE_REVEAL
from unora.billing.v1.events_pb2 import PaymentSucceeded, TierChanged
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.messages import TIER_NAMES
from unora_common.runtime import Runtime

from unora_reveal.clients import Bonds
from unora_reveal.config import RevealConfig
from unora_reveal.domain.purchases import can_be_bought
from unora_reveal.resources import Resources
from unora_reveal.store import purchases, tiers
from unora_reveal.store import reveals as store


class PaymentEvents:
    """A purchased reveal is delivered, or its payment becomes credits (RE-05, BI-11)."""

    def __init__(self, runtime: Runtime[RevealConfig, Resources]) -> None:
        self.runtime = runtime
        self._bonds = Bonds(runtime.clients)

    async def is_pair_connected(self, event: PaymentSucceeded) -> bool:
        """Asks matching and safety, since the event of an ending may not have arrived yet."""
        if event.purpose != PAYMENT_PURPOSE_REVEAL:
            return False
        async with self.runtime.database.session() as session:
            reveal = await store.one(session, UUID(event.streak_id), UUID(event.payer_id), event.reveal_number)
        return await self._bonds.hold(reveal.look)

    @on(PaymentSucceeded, prepare=is_pair_connected)
    async def on_payment_succeeded(self, event: PaymentSucceeded, tx: Tx, connected: bool) -> None:
        """Once a payment, however often it is told. What was sold is looked at anew, under the lock: it may have been
        earned or bought meanwhile, the tier may sell it no more, the connection may be over.
        """
        if event.purpose != PAYMENT_PURPOSE_REVEAL:
            return
        payment, number = UUID(event.payment_id), event.reveal_number
        reveals = await store.lock(tx, UUID(event.streak_id), UUID(event.payer_id))
        if await purchases.decided(tx, payment):
            return
        (wanted,) = (reveal for reveal in reveals if reveal.number == number)
        offers = [reveal.offer for reveal in reveals]
        given = can_be_bought(number, offers, ended=wanted.ended or not connected)
        await purchases.decide(tx, payment, wanted, given=given)


class TierEvents:
    """A member earns by their current tier (RE-08)."""

    def __init__(self, runtime: Runtime[RevealConfig, Resources]) -> None:
        self.runtime = runtime

    @on(TierChanged)
    async def on_tier_changed(self, event: TierChanged, tx: Tx) -> None:
        """What is due by the new tier is earned at once, and nothing is taken back; the partner's stays (RE-03)."""
        member = UUID(event.user_id)
        if await tiers.take(tx, member, TIER_NAMES[event.tier], event.version):
            await store.earn_due(tx, member)
