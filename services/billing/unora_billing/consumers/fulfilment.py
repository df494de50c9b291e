"""Events of streak and reveal about purchases: delivered, or rejected (BI-11)."""

from __future__ import annotations

from uuid import UUID

from unora.reveal.v1.events_pb2 import PurchaseRejected, RevealPurchased
from unora.streak.v1.events_pb2 import NudgeRejected, NudgeSent, RecoveryRejected, StreakRecovered
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.messages import from_timestamp
from unora_common.runtime import Runtime

from unora_billing.config import BillingConfig
from unora_billing.domain.policy import PaymentPurpose
from unora_billing.resources import Resources
from unora_billing.use_cases.fulfilment import fulfilled, open_protection, rejected


class FulfilmentEvents:
    """A payment whose item was delivered is applied; a rejected one becomes credits (BI-11)."""

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy

    @on(StreakRecovered)
    async def on_streak_recovered(self, event: StreakRecovered, tx: Tx) -> None:
        """BI-05: the recovery was applied, and its protection opens."""
        pair = {UUID(event.user_a_id), UUID(event.user_b_id)}
        recovered_at = from_timestamp(event.occurred_at)
        await open_protection(tx, UUID(event.payment_id), UUID(event.connection_id), pair, recovered_at, self.policy)

    @on(RecoveryRejected)
    async def on_recovery_rejected(self, event: RecoveryRejected, tx: Tx) -> None:
        """ST-17: the payment came too late, or for an earlier break; it becomes credits."""
        await rejected(tx, UUID(event.payment_id), PaymentPurpose.RECOVERY)

    @on(NudgeSent)
    async def on_nudge_sent(self, event: NudgeSent, tx: Tx) -> None:
        """ST-13: a nudge of the tier has no payment; a bought one was delivered."""
        if event.payment_id:
            await fulfilled(tx, UUID(event.payment_id), PaymentPurpose.NUDGE)

    @on(NudgeRejected)
    async def on_nudge_rejected(self, event: NudgeRejected, tx: Tx) -> None:
        """BI-11: the other member no longer needed the nudge; its payment becomes credits."""
        await rejected(tx, UUID(event.payment_id), PaymentPurpose.NUDGE)

    @on(RevealPurchased)
    async def on_reveal_purchased(self, event: RevealPurchased, tx: Tx) -> None:
        """RE-05: the reveal was delivered."""
        await fulfilled(tx, UUID(event.payment_id), PaymentPurpose.REVEAL)

    @on(PurchaseRejected)
    async def on_purchase_rejected(self, event: PurchaseRejected, tx: Tx) -> None:
        """BI-11: the reveal was earned meanwhile, or the connection has ended; the payment becomes credits."""
        await rejected(tx, UUID(event.payment_id), PaymentPurpose.REVEAL)
