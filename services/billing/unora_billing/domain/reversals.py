"""Reversals: refunds, disputes and warnings beside a payment (BI-10). Pure.

Each thing that the provider told is a row that never changes. Since a row counts by its kind and not by the time at
which it came, the rows of a payment mean the same in whatever order they were told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from unora_billing.domain.payments import Payment, PaymentStatus


class ReversalKind(StrEnum):
    """What the provider did with the money, or warned of."""

    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    INQUIRY_OPENED = "inquiry_opened"
    INQUIRY_CLOSED = "inquiry_closed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    FRAUD_WARNED = "fraud_warned"


MONEY_LEAVES: Final = frozenset({ReversalKind.REFUNDED, ReversalKind.DISPUTE_OPENED, ReversalKind.DISPUTE_LOST})
"""Kinds by which money leaves us."""
MONEY_COMES_BACK: Final = frozenset({ReversalKind.REFUND_FAILED, ReversalKind.DISPUTE_WON})
"""Kinds by which the money of the same refund or dispute comes back. It counts as back whichever was told first."""
REFUNDS: Final = frozenset({ReversalKind.REFUNDED, ReversalKind.REFUND_FAILED})
DISPUTED: Final = frozenset({ReversalKind.DISPUTE_OPENED, ReversalKind.DISPUTE_LOST})


@dataclass(frozen=True, slots=True)
class Notice:
    """One state of a refund, a dispute or a warning, as the provider tells it."""

    provider_id: str
    """The provider's id of the refund, dispute or warning."""
    kind: ReversalKind
    amount: int | None
    """Minor units; None if the provider told no whole number. 0 for a warning of fraud."""
    currency: str
    """ISO 4217; empty if the provider told none."""


@dataclass(frozen=True, slots=True)
class Reversal:
    """A row beside a payment. For each refund or dispute there is one of a kind."""

    id: UUID
    payment_id: UUID
    provider_id: str
    kind: ReversalKind
    amount: int
    """Minor units, as the provider told it."""
    reversed: int
    """What it adds to the reversed part of the payment, or takes from it (negative); minor units."""
    credits: int
    """Credits that it took back (negative) or gave back."""
    uncollected: int
    """Credits that it should have taken back and that were spent; negative when they are no longer due."""
    entry_id: UUID | None
    """The entry of the ledger, if it changed credits."""
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Totals:
    """How much of a payment is reversed, in minor units."""

    refunded: int = 0
    disputed: int = 0


def totals(rows: Sequence[Reversal]) -> Totals:
    """The reversed part of a payment, by its cause. What is both refunded and disputed counts as refunded."""
    whole = reversed_amount(rows)
    refunded = _standing([_fact(row) for row in rows if row.kind in REFUNDS], whole)
    return Totals(refunded, whole - refunded)


def reversed_amount(rows: Sequence[Reversal]) -> int:
    """How much of the payment is reversed now: refunded, or in disputes that are open or lost; minor units."""
    return sum(row.reversed for row in rows)


def next_reversal(
    reversal_id: UUID,
    entry_id: UUID,
    payment: Payment,
    paid: int,
    known: Sequence[Reversal],
    notice: Notice,
    balance: int,
    now: datetime,
) -> Reversal | None:
    """The row of a notice, or None if it is known. `paid` is what the provider took for the payment.

    If the payment had become credits, they are taken back as far as they are there, and the rest is noted as
    uncollected. What comes back gives credits back: all of it, less what its own rows never collected, and less what
    would be left to collect of money that is no longer reversed. So the credits of a payment and its reversed part are
    together what was paid, and what was spent before besides.
    """
    if any((row.provider_id, row.kind) == (notice.provider_id, notice.kind) for row in known):
        return None
    amount = notice.amount or 0
    after = _standing([*map(_fact, known), (notice.provider_id, notice.kind, amount)], paid)
    change = after - reversed_amount(known)
    credits_, uncollected = 0, 0
    if payment.status is PaymentStatus.CREDITED and change > 0:
        credits_ = -min(change, balance)
        uncollected = change + credits_
    elif payment.status is PaymentStatus.CREDITED and change < 0:
        own = sum(row.uncollected for row in known if row.provider_id == notice.provider_id)
        too_much = sum(row.uncollected for row in known) - after
        uncollected = -min(max(own, too_much), -change)
        credits_ = -change + uncollected
    return Reversal(
        id=reversal_id,
        payment_id=payment.id,
        provider_id=notice.provider_id,
        kind=notice.kind,
        amount=amount,
        reversed=change,
        credits=credits_,
        uncollected=uncollected,
        entry_id=entry_id if credits_ else None,
        recorded_at=now,
    )


def _fact(row: Reversal) -> tuple[str, ReversalKind, int]:
    return row.provider_id, row.kind, row.amount


def _standing(told: Sequence[tuple[str, ReversalKind, int]], most: int) -> int:
    """What is reversed after these facts, at most `most`: for each refund or dispute the largest amount, unless it came
    back.
    """
    back = {provider_id for provider_id, kind, _ in told if kind in MONEY_COMES_BACK}
    taken: dict[str, int] = {}
    for provider_id, kind, amount in told:
        if kind in MONEY_LEAVES and provider_id not in back:
            taken[provider_id] = max(amount, taken.get(provider_id, 0))
    return min(most, sum(taken.values()))
