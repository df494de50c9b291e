"""What runs by itself."""

from __future__ import annotations

from uuid import UUID

from unora_common.handlers import every
from unora_common.runtime import Runtime

from unora_billing.config import BillingConfig
from unora_billing.domain.payments import OPEN, Failure
from unora_billing.domain.protections import ProtectionStatus, closed
from unora_billing.messages import protection_closed
from unora_billing.paying import PASSING, Paying
from unora_billing.resources import Resources
from unora_billing.store import payments, protections, subscriptions
from unora_billing.subscribing import come_due


class Clockwork:
    """Money moves on by itself."""

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy
        self.paying = Paying(runtime)

    @every(seconds=1)
    async def drive_payments(self) -> int:
        """Drives on what a crash or an outage left, and gives up what was not confirmed in time. What is taken here
        is left alone by other replicas for a while, and tried again after it.
        """
        async with self.runtime.database.transaction() as tx:
            due = await payments.claim_due(tx, self.runtime.config.job_batch, self.policy.drive_on)
        for payment_id in due:
            try:
                await self._drive(payment_id)
            except PASSING as error:
                self.runtime.log.info("payment waits", aggregate_id=str(payment_id), failure=error)
            except Exception as error:  # the others go on
                self.runtime.log.error("payment cannot be driven on", aggregate_id=str(payment_id), failure=error)
        return len(due)

    @every(seconds=1)
    async def renew_subscriptions(self) -> int:
        """BI-09: what is due on subscriptions, each in a transaction of its own."""
        async with self.runtime.database.session() as db:
            due = await subscriptions.due(db, self.runtime.config.job_batch)
        done = 0
        for user_id in due:
            try:
                async with self.runtime.database.transaction() as tx:
                    done += await come_due(tx, user_id, self.policy)
            except Exception as error:  # the others go on
                self.runtime.log.error("subscription cannot be renewed", user_id=str(user_id), failure=error)
        return done

    @every(seconds=1)
    async def expire_protections(self) -> int:
        """BI-05: what the partner did not end in time is over."""
        async with self.runtime.database.transaction() as tx:
            found = await protections.lock_expired(tx, self.runtime.config.job_batch)
            for protection in found:
                over = closed(protection, ProtectionStatus.EXPIRED, protection.expires_at)
                await protections.save(tx, over)
                tx.emit(protection_closed(over, converted=False))
        return len(found)

    async def _drive(self, payment_id: UUID) -> None:
        async with self.runtime.database.session() as db:
            payment = await payments.find(db, payment_id)
            now = await db.value("SELECT clock.now()")
        if payment is None or payment.status not in OPEN:
            return
        if now >= payment.created_at + self.policy.give_up:
            await self.paying.close(payment, Failure.EXPIRED)
        else:
            await self.paying.drive(payment)
