"""Payments: what they are, and the steps they can take (BI-02)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from unora_billing.domain.policy import Purpose, Tier


class Method(StrEnum):
    """What a payment is made by."""

    MONEY = "money"
    CREDITS = "credits"
    FREE = "free"


class Status(StrEnum):
    """A payment's state; it moves only forward, and a trigger holds it to that."""

    CREATED = "created"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    APPLIED = "applied"
    CREDITED = "credited"
    FAILED = "failed"


class Failure(StrEnum):
    """Why nothing was charged."""

    NOT_AUTHORIZED = "not_authorized"
    DECLINED = "declined"
    EXPIRED = "expired"


class Entry(StrEnum):
    """Why the ledger of credits has an entry."""

    PROTECTION = "protection"
    COMPENSATION = "compensation"
    SPENT = "spent"


OPEN = frozenset({Status.CREATED, Status.PENDING})


class IllegalStep(Exception):
    """A step that the state does not allow: a defect, never a member's doing."""


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment. `version` counts its events."""

    id: UUID
    payer_id: UUID
    request_id: UUID
    purpose: Purpose
    method: Method
    amount: int
    streak_id: UUID | None
    reveal_number: int | None
    plan: Tier | None
    renews_subscription_id: UUID | None
    status: Status
    failure: Failure | None
    connection_id: UUID | None
    provider_payment_id: str | None
    created_at: datetime
    succeeded_at: datetime | None
    due_at: datetime | None
    version: int

    @property
    def is_authorized(self) -> bool:
        """Whether the owner of the thing let it through; a subscription has no owner to ask."""
        return self.purpose is Purpose.SUBSCRIPTION or self.connection_id is not None

    def asks_the_same(self, other: Payment) -> bool:
        """Whether a request that came again is the one of this payment (BI-08), which may have become free."""
        asked = (self.purpose, self.streak_id, self.reveal_number, self.plan)
        by = self.method if self.method is not Method.FREE else other.method
        return asked == (other.purpose, other.streak_id, other.reveal_number, other.plan) and by is other.method


def created(
    identifier: UUID,
    payer_id: UUID,
    request_id: UUID,
    purpose: Purpose,
    method: Method,
    amount: int,
    now: datetime,
    *,
    due_at: datetime,
    streak_id: UUID | None = None,
    reveal_number: int | None = None,
    plan: Tier | None = None,
    renews_subscription_id: UUID | None = None,
) -> Payment:
    """The first state of every payment: nobody was asked yet. From `due_at` on a job drives it on."""
    return Payment(
        id=identifier,
        payer_id=payer_id,
        request_id=request_id,
        purpose=purpose,
        method=method,
        amount=amount,
        streak_id=streak_id,
        reveal_number=reveal_number,
        plan=plan,
        renews_subscription_id=renews_subscription_id,
        status=Status.CREATED,
        failure=None,
        connection_id=None,
        provider_payment_id=None,
        created_at=now,
        succeeded_at=None,
        due_at=due_at,
        version=1,
    )


def authorized(payment: Payment, connection_id: UUID) -> Payment:
    """The owner said yes; nothing is charged yet."""
    _demand(payment, Status.CREATED)
    return replace(payment, connection_id=connection_id)


def sent(payment: Payment, provider_payment_id: str, now: datetime, give_up: timedelta) -> Payment:
    """The provider knows it, and waits for the member."""
    _demand(payment, Status.CREATED)
    due = payment.created_at + give_up
    return replace(
        payment,
        status=Status.PENDING,
        provider_payment_id=provider_payment_id,
        due_at=max(due, now),
        version=payment.version + 1,
    )


def succeeded(payment: Payment, now: datetime, *, free: bool = False) -> Payment:
    """It was paid: by money or credits, or by a free recovery, which takes the place of the price (BI-06)."""
    _demand(payment, Status.CREATED, *([] if free else [Status.PENDING]))
    paid = replace(payment, status=Status.SUCCEEDED, succeeded_at=now, due_at=None, version=payment.version + 1)
    return replace(paid, method=Method.FREE, amount=0) if free else paid


def failed(payment: Payment, failure: Failure) -> Payment:
    """Nothing was charged."""
    _demand(payment, Status.CREATED, Status.PENDING)
    return replace(payment, status=Status.FAILED, failure=failure, due_at=None, version=payment.version + 1)


def applied(payment: Payment) -> Payment:
    """Its thing was given."""
    _demand(payment, Status.SUCCEEDED)
    return replace(payment, status=Status.APPLIED, version=payment.version + 1)


def credited(payment: Payment, now: datetime) -> Payment:
    """It became credits in full (BI-05, BI-11); a failed one only when the provider took its money after all."""
    _demand(payment, Status.SUCCEEDED, Status.APPLIED, Status.FAILED)
    return replace(
        payment, status=Status.CREDITED, succeeded_at=payment.succeeded_at or now, version=payment.version + 1
    )


def _demand(payment: Payment, *statuses: Status) -> None:
    if payment.status not in statuses:
        raise IllegalStep(f"payment {payment.id} is {payment.status}, not {' or '.join(statuses)}")
