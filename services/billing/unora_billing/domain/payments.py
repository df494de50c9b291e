"""Payments: what they are, and the steps that they can take (BI-02)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from unora_billing.domain.policy import PaymentPurpose, Tier


class PaymentMethod(StrEnum):
    """What a payment is paid with."""

    MONEY = "money"
    CREDITS = "credits"
    FREE = "free"


class PaymentStatus(StrEnum):
    """A payment's state. It moves only forward; a trigger of the database refuses anything else."""

    CREATED = "created"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    APPLIED = "applied"
    CREDITED = "credited"
    FAILED = "failed"


class PaymentFailure(StrEnum):
    """Why nothing is charged for it. After a MISMATCH another amount was taken, which goes back or becomes credits."""

    NOT_AUTHORIZED = "not_authorized"
    DECLINED = "declined"
    EXPIRED = "expired"
    MISMATCH = "mismatch"


OPEN: Final = frozenset({PaymentStatus.CREATED, PaymentStatus.PENDING})
"""The states of a payment that is neither paid nor failed."""
UNSETTLED: Final = (PaymentStatus.CREATED, PaymentStatus.PENDING, PaymentStatus.SUCCEEDED)
"""The states of a payment that is not finished: its item is not delivered, its price is not given back, and it has not
failed.
"""


class IllegalStep(Exception):
    """The state does not allow the step. This is a defect of the service, not a mistake of the member."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a member agreed to pay (BI-12)."""

    method: PaymentMethod
    amount: int
    """Minor units of money, or credits; 0 for a free recovery."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a member wants to pay for."""

    request_id: UUID
    purpose: PaymentPurpose
    method: PaymentMethod
    streak_id: UUID | None = None
    reveal_number: int | None = None
    plan: Tier | None = None
    renews_subscription_id: UUID | None = None
    """Set for a renewal, which billing orders itself."""
    quote: Quoted | None = None
    """What the member agreed to; with None, the member agrees to any price."""


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment. `version` counts its events. Each step returns the payment after it, or raises IllegalStep."""

    id: UUID
    payer_id: UUID
    request_id: UUID
    purpose: PaymentPurpose
    method: PaymentMethod
    amount: int
    streak_id: UUID | None
    reveal_number: int | None
    plan: Tier | None
    renews_subscription_id: UUID | None
    status: PaymentStatus
    failure: PaymentFailure | None
    connection_id: UUID | None
    provider_payment_id: str | None
    created_at: datetime
    succeeded_at: datetime | None
    due_at: datetime | None
    """When a job continues the payment; None when nothing is left to do."""
    version: int
    quoted_method: PaymentMethod | None = None
    """What the member agreed to pay with (BI-12); the amount was compared when the payment was recorded."""

    @property
    def is_open(self) -> bool:
        """Whether the payment is neither paid nor failed."""
        return self.status in OPEN

    @property
    def is_authorized(self) -> bool:
        """Whether the owner of the purchase allowed the payment. A subscription has no owner to ask."""
        return self.purpose is PaymentPurpose.SUBSCRIPTION or self.connection_id is not None

    def is_for(self, order: Order) -> bool:
        """Whether a repeated request orders what this payment is for (BI-08). It may have become free since."""
        same_purchase = (self.purpose, self.streak_id, self.reveal_number, self.plan) == (
            order.purpose,
            order.streak_id,
            order.reveal_number,
            order.plan,
        )
        same_quote = self.quoted_method == (order.quote.method if order.quote else None)
        return same_purchase and same_quote and self.method in (order.method, PaymentMethod.FREE)

    def authorized(self, connection_id: UUID) -> Payment:
        """The owner of the purchase allowed the payment; nothing is charged yet."""
        self._require_status(PaymentStatus.CREATED)
        return replace(self, connection_id=connection_id)

    def sent(self, provider_payment_id: str, now: datetime, confirmation_timeout: timedelta) -> Payment:
        """The provider knows the payment, and waits for the member's confirmation."""
        self._require_status(PaymentStatus.CREATED)
        return replace(
            self,
            status=PaymentStatus.PENDING,
            provider_payment_id=provider_payment_id,
            due_at=max(self.created_at + confirmation_timeout, now),
            version=self.version + 1,
        )

    def succeeded(self, now: datetime, *, free: bool = False) -> Payment:
        """Paid: by money, by credits, or by a free recovery, which replaces the price (BI-06)."""
        self._require_status(PaymentStatus.CREATED, *([] if free else [PaymentStatus.PENDING]))
        paid = replace(self, status=PaymentStatus.SUCCEEDED, succeeded_at=now, due_at=None, version=self.version + 1)
        return replace(paid, method=PaymentMethod.FREE, amount=0) if free else paid

    def failed(self, failure: PaymentFailure) -> Payment:
        """Nothing was charged."""
        self._require_status(PaymentStatus.CREATED, PaymentStatus.PENDING)
        return replace(self, status=PaymentStatus.FAILED, failure=failure, due_at=None, version=self.version + 1)

    def applied(self) -> Payment:
        """The purchased item was delivered."""
        self._require_status(PaymentStatus.SUCCEEDED)
        return replace(self, status=PaymentStatus.APPLIED, version=self.version + 1)

    def noted(self) -> Payment:
        """Something was recorded beside the payment, which stays as it is (BI-10)."""
        return replace(self, version=self.version + 1)

    def postponed(self, due_at: datetime) -> Payment:
        """A job looks at the payment again, and not sooner."""
        return replace(self, due_at=due_at)

    def failed_by_mismatch(self) -> Payment:
        """A payment that had failed was charged another amount after all (BI-10)."""
        self._require_status(PaymentStatus.FAILED)
        return replace(self, failure=PaymentFailure.MISMATCH)

    def credited(self, now: datetime) -> Payment:
        """Became credits (BI-05, BI-11); a failed payment only if the provider took its money after all."""
        self._require_status(PaymentStatus.SUCCEEDED, PaymentStatus.APPLIED, PaymentStatus.FAILED)
        return replace(
            self, status=PaymentStatus.CREDITED, succeeded_at=self.succeeded_at or now, version=self.version + 1
        )

    def _require_status(self, *statuses: PaymentStatus) -> None:
        if self.status not in statuses:
            raise IllegalStep(f"payment {self.id} is {self.status}, not {' or '.join(statuses)}")


def new_payment(
    payment_id: UUID, payer_id: UUID, order: Order, amount: int, now: datetime, due_at: datetime
) -> Payment:
    """The first state of every payment: recorded, before its owner or the provider was asked."""
    return Payment(
        id=payment_id,
        payer_id=payer_id,
        request_id=order.request_id,
        purpose=order.purpose,
        method=order.method,
        amount=amount,
        streak_id=order.streak_id,
        reveal_number=order.reveal_number,
        plan=order.plan,
        renews_subscription_id=order.renews_subscription_id,
        status=PaymentStatus.CREATED,
        failure=None,
        connection_id=None,
        provider_payment_id=None,
        created_at=now,
        succeeded_at=None,
        due_at=due_at,
        version=1,
        quoted_method=order.quote.method if order.quote else None,
    )
