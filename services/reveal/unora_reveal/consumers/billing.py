"""Payments for reveals, and tiers."""

from __future__ import annotations

from uuid import UUID

from unora.billing.v1.billing_service_pb2 import PAYMENT_PURPOSE_REVEAL
from unora.billing.v1.events_pb2 import PaymentSucceeded, TierChanged
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.messages import TIER_NAMES
from unora_common.runtime import Runtime

from unora_reveal.config import RevealConfig
from unora_reveal.domain.purchases import Purchase
from unora_reveal.resources import Resources
from unora_reveal.use_cases.earning import change_tier
from unora_reveal.use_cases.purchases import deliver_or_reject, is_pair_connected


class PaymentEvents:
    """A purchased reveal is delivered, or its payment becomes credits (RE-05, BI-11)."""

    def __init__(self, runtime: Runtime[RevealConfig, Resources]) -> None:
        self.runtime = runtime

    async def is_connected(self, event: PaymentSucceeded) -> bool:
        """Whether the pair is connected now; False, without a question, for other payments than those for reveals."""
        if event.purpose != PAYMENT_PURPOSE_REVEAL:
            return False
        return await is_pair_connected(self.runtime.database, self.runtime.clients, _purchase(event))

    @on(PaymentSucceeded, prepare=is_connected)
    async def on_payment_succeeded(self, event: PaymentSucceeded, tx: Tx, connected: bool) -> None:
        """Delivers the reveal or rejects the payment, once for each payment."""
        if event.purpose == PAYMENT_PURPOSE_REVEAL:
            await deliver_or_reject(tx, _purchase(event), connected=connected)


class TierEvents:
    """A member earns by the tier that they have now (RE-08)."""

    def __init__(self, runtime: Runtime[RevealConfig, Resources]) -> None:
        self.runtime = runtime

    @on(TierChanged)
    async def on_tier_changed(self, event: TierChanged, tx: Tx) -> None:
        """What is due by the new tier is earned at once."""
        await change_tier(tx, UUID(event.user_id), TIER_NAMES[event.tier], event.version)


def _purchase(event: PaymentSucceeded) -> Purchase:
    return Purchase(
        payment_id=UUID(event.payment_id),
        payer_id=UUID(event.payer_id),
        streak_id=UUID(event.streak_id),
        reveal_number=event.reveal_number,
    )
