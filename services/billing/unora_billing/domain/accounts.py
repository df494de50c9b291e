"""A member's account, and the entries of the credit ledger (BI-01, BI-03)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from unora_billing.domain.payments import Payment
from unora_billing.domain.policy import Tier


class CreditEntryKind(StrEnum):
    """Why the ledger of credits has an entry."""

    PROTECTION = "protection"
    COMPENSATION = "compensation"
    SPENT = "spent"
    TAKEN_BACK = "taken_back"
    GIVEN_BACK = "given_back"
    FORFEITED = "forfeited"


@dataclass(frozen=True, slots=True)
class CreditEntry:
    """An entry of the ledger: what a payment became or spent, or what a reversal took or gave back (BI-10), or
    what a closed account forfeited (ID-09).
    """

    id: UUID
    kind: CreditEntryKind
    amount: int
    """Minor units; negative when credits were spent, taken back or forfeited."""
    payment_id: UUID | None
    """None for what was forfeited (ID-09)."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """What a member has: a tier and a balance of credits. `version` counts the events of the account."""

    user_id: UUID
    tier: Tier
    balance: int
    suspended: bool
    standing_version: int
    """The version of the newest RestrictionChanged that was applied."""
    provider_customer_id: str | None
    version: int
    closed: bool = False
    """ID-09, ID-13: the account is closed or hidden; whatever credits come are forfeited, unless it keeps them."""
    life_version: int = 0
    """The version of the newest event of identity about that."""
    keeps_credits: bool = False
    """ID-13: the account is hidden, so its credits stay."""
    last_closed_at: datetime | None = None
    """ID-09: when it was last closed or hidden (UTC), also of an account that is open again."""

    def next_version(self) -> Account:
        """The account with the version of its next event."""
        return replace(self, version=self.version + 1)

    def with_tier(self, tier: Tier) -> Account:
        """The account with another tier (BI-01), and the version of the event that says so."""
        return replace(self, tier=tier, version=self.version + 1)

    def with_entry(self, entry: CreditEntry) -> Account:
        """The account after an entry of the ledger (BI-03), and with the version of the event that says so."""
        return replace(self, balance=self.balance + entry.amount, version=self.version + 1)

    def restricted(self, version: int, *, suspended: bool) -> Account:
        """The account after a RestrictionChanged of this version (SA-06)."""
        return replace(self, standing_version=version, suspended=suspended)

    def with_closing(self, version: int, closed_at: datetime, *, keeps_credits: bool) -> Account:
        """The account after it was closed or hidden at `closed_at` (UTC), in this version of the event (ID-09)."""
        if version > self.life_version:
            return replace(
                self, life_version=version, closed=True, keeps_credits=keeps_credits, last_closed_at=closed_at
            )
        return replace(self, last_closed_at=max(closed_at, self.last_closed_at or closed_at))  # it was learned late

    def reopened(self, version: int) -> Account:
        """The account after it was reopened, in this version of identity's event (ID-09)."""
        return replace(self, life_version=version, closed=False, keeps_credits=False)

    def closed_since(self, payment: Payment) -> bool:
        """ID-09: whether the account is closed, or was closed since the payment was created. The payment is then from
        before the last closing, and is cancelled, also if the account is open again.
        """
        return self.closed or (self.last_closed_at is not None and payment.created_at <= self.last_closed_at)


def new_account(user_id: UUID) -> Account:
    """The account of a member who has never paid: free and without credits."""
    return Account(
        user_id=user_id,
        tier=Tier.FREE,
        balance=0,
        suspended=False,
        standing_version=0,
        provider_customer_id=None,
        version=0,
    )


def new_entry(
    entry_id: UUID, kind: CreditEntryKind, payment: Payment | None, amount: int, now: datetime
) -> CreditEntry:
    """An entry of the ledger (BI-03). `amount` has the sign of the change."""
    payment_id = payment.id if payment else None
    return CreditEntry(id=entry_id, kind=kind, amount=amount, payment_id=payment_id, created_at=now)
