"""The scheduled jobs of billing."""

from __future__ import annotations

import asyncio
import time
from typing import Final
from uuid import UUID

import grpc
from unora_common.database import Session, Tx
from unora_common.erasing import Erasing, Erasure, receipt_of
from unora_common.failed_rows import row_failed
from unora_common.gauges import Counts
from unora_common.handlers import counts, every
from unora_common.job_batches import Batches
from unora_common.runtime import Runtime
from unora_common.transient import is_transient

from unora_billing.config import BillingConfig
from unora_billing.domain.errors import BillingError
from unora_billing.domain.events import MemberErasedFromBilling
from unora_billing.domain.payments import UNSETTLED
from unora_billing.messages import to_message
from unora_billing.metrics import CREDITS, PAYMENTS_OLDEST_OPEN, PAYMENTS_OPEN
from unora_billing.resources import Resources
from unora_billing.store import accounts, payments, protections, provider_events
from unora_billing.use_cases.payments import PaymentProcess
from unora_billing.use_cases.protections import expire_protections
from unora_billing.use_cases.subscriptions import process_due

PURGE_BATCH: Final = 5000


class PaymentJobs:
    """Continues payments that nothing else continues."""

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy
        self.payments = PaymentProcess(runtime)

    @every(seconds=1, due=lambda _, db: payments.count_due(db))
    async def drive_payments(self) -> int:
        """Advances payments that a crash or an outage left unfinished, and cancels those that were not confirmed in
        time. A claimed payment is left alone by other replicas for a while, and tried again after that. Several are
        advanced at once. If the provider answers so slowly that the while is over, the rest of them is left to the next
        run of any replica.
        """
        until = time.monotonic() + self.policy.advance_interval.total_seconds()
        async with self.runtime.database.transaction() as tx:
            due = await payments.claim_due(tx, self.runtime.config.job_batch, self.policy.advance_interval)
        waiting = iter(due)
        done = 0

        async def advance_next() -> None:
            nonlocal done
            for payment_id in waiting:
                if time.monotonic() < until:
                    advanced = await self._advance(payment_id)
                    done += advanced

        async with asyncio.TaskGroup() as workers:
            for _ in range(min(self.runtime.config.payments_at_once, len(due))):
                workers.create_task(advance_next())
        return done

    async def _advance(self, payment_id: UUID) -> bool:
        try:
            await self.payments.advance_or_expire(payment_id)
        except Exception as error:  # the other payments continue
            row_failed(goes_on=True)  # it is claimed for a while
            fields = {"aggregate_id": str(payment_id), "failure": error}
            # An error that an owner returned is in the log of the owner.
            if isinstance(error, (BillingError, grpc.aio.AioRpcError)) or is_transient(error):
                self.runtime.log.info("payment waits", **fields)
            else:
                self.runtime.log.error("payment cannot be advanced", **fields)
            return False
        return True


class SubscriptionJobs:
    """Renews and ends subscriptions (BI-09)."""

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime
        self._batches = Batches(
            runtime.database,
            runtime.log,
            "subscription cannot be renewed",
            accounts.lock_due,
            lambda tx, locked: process_due(tx, locked, runtime.config.policy),
        )

    @every(seconds=1, due=lambda _, db: accounts.count_due(db))
    async def renew_subscriptions(self) -> int:
        """BI-09: processes a batch of the subscriptions that are due. Here nobody asks the provider: the payments that
        are created are sent by `drive_payments`.
        """
        return await self._batches.step(self.runtime.config.job_batch)


class ProtectionJobs:
    """Ends protections (BI-05)."""

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime
        self._batches = Batches(
            runtime.database,
            runtime.log,
            "protection cannot be closed",
            protections.lock_expired,
            expire_protections,
        )

    @every(seconds=1, due=lambda _, db: protections.count_due(db))
    async def expire_protections(self) -> int:
        """BI-05: closes a batch of the protections whose time is over."""
        return await self._batches.step(self.runtime.config.job_batch)


class RetentionJobs:
    """Delete old rows by the machine's clock, so that moving the rule clock deletes nothing."""

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime

    @every(seconds=300)
    async def purge_provider_events(self) -> int:
        """BI-07: deletes what the provider told so long ago that it does not repeat it."""
        async with self.runtime.database.transaction() as tx:
            return await provider_events.purge(tx, self.runtime.config.provider_event_days, PURGE_BATCH)


class PaymentGauges:
    """What is counted for the metrics."""

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime

    @counts
    async def count_payments(self, db: Session) -> Counts:
        """The payments that are not settled (BI-02)."""
        found = await payments.count_open(db)
        return {
            PAYMENTS_OPEN: {(status,): found.get(status, (0, 0.0))[0] for status in UNSETTLED},
            PAYMENTS_OLDEST_OPEN: {(status,): found.get(status, (0, 0.0))[1] for status in UNSETTLED},
        }

    @counts
    async def count_credits(self, db: Session) -> Counts:
        """The credits that members hold (BI-03)."""
        return {CREDITS: {(): await accounts.sum_balances(db)}}


class ErasureJobs(Erasing):
    """ID-09: erases members."""

    async def receipt(self, tx: Tx, erasure: Erasure) -> None:
        """The receipt, which identity waits for."""
        tx.emit(to_message(receipt_of(MemberErasedFromBilling, erasure, tx)))
