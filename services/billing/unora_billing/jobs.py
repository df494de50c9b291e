"""The scheduled jobs of billing."""

from __future__ import annotations

import grpc
from unora_common.handlers import every
from unora_common.runtime import Runtime
from unora_common.transient import is_transient

from unora_billing.config import BillingConfig
from unora_billing.domain.errors import BillingError
from unora_billing.resources import Resources
from unora_billing.store import payments, subscriptions
from unora_billing.use_cases.payments import PaymentProcess
from unora_billing.use_cases.protections import expire_due
from unora_billing.use_cases.subscriptions import process_due


class PaymentJobs:
    """Continues payments that nothing else continues."""

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy
        self.payments = PaymentProcess(runtime)
        # Jobs are made once in every process, whatever its role.
        runtime.resources.counters.register(runtime.metrics.registry)

    @every(seconds=1)
    async def drive_payments(self) -> int:
        """Advances payments that a crash or an outage left unfinished, and cancels those that were not confirmed in
        time. A claimed payment is left alone by other replicas for a while, and tried again after that.
        """
        async with self.runtime.database.transaction() as tx:
            due = await payments.claim_due(tx, self.runtime.config.job_batch, self.policy.advance_interval)
        for payment_id in due:
            try:
                await self.payments.advance_or_expire(payment_id)
            except Exception as error:  # the other payments continue
                fields = {"aggregate_id": str(payment_id), "failure": error}
                # An error that an owner returned is in the log of the owner.
                if isinstance(error, (BillingError, grpc.aio.AioRpcError)) or is_transient(error):
                    self.runtime.log.info("payment waits", **fields)
                else:
                    self.runtime.log.error("payment cannot be advanced", **fields)
        return len(due)


class SubscriptionJobs:
    """Renews and ends subscriptions (BI-09)."""

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy

    @every(seconds=1)
    async def renew_subscriptions(self) -> int:
        """BI-09: processes the subscriptions that are due, each in a transaction of its own."""
        async with self.runtime.database.session() as db:
            due = await subscriptions.list_due(db, self.runtime.config.job_batch)
        done = 0
        for user_id in due:
            try:
                async with self.runtime.database.transaction() as tx:
                    done += await process_due(tx, user_id, self.policy)
            except Exception as error:  # the other subscriptions continue
                report = self.runtime.log.warning if is_transient(error) else self.runtime.log.error
                report("subscription cannot be renewed", user_id=str(user_id), failure=error)
        return done


class ProtectionJobs:
    """Ends protections (BI-05)."""

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime

    @every(seconds=1)
    async def expire_protections(self) -> int:
        """BI-05: closes protections whose time is over."""
        async with self.runtime.database.transaction() as tx:
            return await expire_due(tx, self.runtime.config.job_batch)
