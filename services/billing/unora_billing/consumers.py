"""What billing does when others tell: the thing was given or not, a connection ended, a member's standing changed."""

from __future__ import annotations

from uuid import UUID

from unora.matching.v1.events_pb2 import ConnectionEnded
from unora.reveal.v1.events_pb2 import PurchaseRejected, RevealPurchased
from unora.safety.v1.events_pb2 import RestrictionChanged
from unora.streak.v1.events_pb2 import NudgeRejected, NudgeSent, RecoveryRejected, StreakRecovered
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.messages import from_timestamp
from unora_common.runtime import Runtime

from unora_billing.config import BillingConfig
from unora_billing.domain.policy import Purpose
from unora_billing.domain.protections import Ending
from unora_billing.outcomes import end_connection, recovered, thing_given, thing_rejected
from unora_billing.resources import Resources
from unora_billing.subscribing import set_standing


class Outcomes:
    """What was paid for was given, or becomes credits (BI-11)."""

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.policy = runtime.config.policy

    @on(StreakRecovered)
    async def recover(self, event: StreakRecovered, tx: Tx) -> None:
        """BI-05: the recovery applied, and its protection opens with it."""
        pair = {UUID(event.user_a_id), UUID(event.user_b_id)}
        at, connection = from_timestamp(event.occurred_at), UUID(event.connection_id)
        await recovered(tx, event.payment_id, connection, pair, at, self.policy)

    @on(RecoveryRejected)
    async def reject_recovery(self, event: RecoveryRejected, tx: Tx) -> None:
        """ST-17: it came too late, or for a break that is over; it becomes credits."""
        await thing_rejected(tx, event.payment_id, Purpose.RECOVERY)

    @on(NudgeSent)
    async def send_nudge(self, event: NudgeSent, tx: Tx) -> None:
        """ST-13: a nudge of the tier has no payment."""
        if event.payment_id:
            await thing_given(tx, event.payment_id, Purpose.NUDGE)

    @on(NudgeRejected)
    async def reject_nudge(self, event: NudgeRejected, tx: Tx) -> None:
        """BI-11: nobody was there for it any more; it becomes credits."""
        await thing_rejected(tx, event.payment_id, Purpose.NUDGE)

    @on(RevealPurchased)
    async def purchase(self, event: RevealPurchased, tx: Tx) -> None:
        """RE-05: the reveal was given."""
        await thing_given(tx, event.payment_id, Purpose.REVEAL)

    @on(PurchaseRejected)
    async def reject_purchase(self, event: PurchaseRejected, tx: Tx) -> None:
        """BI-11: the reveal was earned meanwhile, or the connection is over; it becomes credits."""
        await thing_rejected(tx, event.payment_id, Purpose.REVEAL)


class Others:
    """What decides on protections and subscriptions from outside."""

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime

    @on(ConnectionEnded)
    async def end(self, event: ConnectionEnded, tx: Tx) -> None:
        """BI-05: whatever the cause, it is the one who ended it that counts, and when they did."""
        at = event.acted_at if event.HasField("acted_at") else event.occurred_at
        ending = Ending(UUID(event.ended_by_id), from_timestamp(at))
        await end_connection(tx, UUID(event.connection_id), ending)

    @on(RestrictionChanged)
    async def restrict(self, event: RestrictionChanged, tx: Tx) -> None:
        """SA-06: a suspended member's subscription ends at once."""
        await set_standing(tx, UUID(event.user_id), event.version, suspended=event.suspended)
