"""Events of billing's payments for recoveries and nudges; those for reveals and plans concern other contexts."""

from __future__ import annotations

from uuid import UUID

from unora.billing.v1.billing_service_pb2 import (
    PAYMENT_METHOD_FREE,
    PAYMENT_PURPOSE_NUDGE,
    PAYMENT_PURPOSE_RECOVERY,
)
from unora.billing.v1.events_pb2 import PaymentFailed, PaymentSucceeded
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.messages import from_timestamp
from unora_common.runtime import Runtime

from unora_streak.config import StreakConfig
from unora_streak.use_cases.nudges import apply_nudge
from unora_streak.use_cases.recovery import apply_recovery, release_recovery


class PaymentEvents:
    """Delivers what was paid for, or rejects the payment."""

    def __init__(self, runtime: Runtime[StreakConfig, None]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy

    @on(PaymentSucceeded)
    async def on_payment_succeeded(self, event: PaymentSucceeded, tx: Tx) -> None:
        """ST-08, ST-13, ST-17: each payment is answered by one event with its id."""
        if event.purpose not in (PAYMENT_PURPOSE_RECOVERY, PAYMENT_PURPOSE_NUDGE):
            return
        ids = (UUID(event.streak_id), UUID(event.payer_id), UUID(event.payment_id))
        if event.purpose == PAYMENT_PURPOSE_RECOVERY:
            free = event.method == PAYMENT_METHOD_FREE
            await apply_recovery(tx, *ids, from_timestamp(event.occurred_at), self.policy, free=free)
        else:
            await apply_nudge(tx, *ids, self.policy)

    @on(PaymentFailed)
    async def on_payment_failed(self, event: PaymentFailed, tx: Tx) -> None:
        """ST-20. For a nudge nothing is held."""
        if event.purpose == PAYMENT_PURPOSE_RECOVERY:
            ids = (UUID(event.streak_id), UUID(event.payment_id))
            await release_recovery(tx, *ids, from_timestamp(event.occurred_at), self.policy)
