"""WalletService: the wallet's screen in one read, and the pages that follow those on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1.wallet_service_pb2 import GetWalletRequest, GetWalletResponse
from unora_common.database import Session
from unora_common.handlers import reads
from unora_common.messages import TIERS
from unora_common.pages import Listing, Place
from unora_common.runtime import Runtime

from unora_billing.config import BillingConfig
from unora_billing.domain.payments import Payment
from unora_billing.domain.policy import Tier
from unora_billing.messages import NO_REVERSALS, to_entry, to_payment, to_subscription
from unora_billing.resources import Resources
from unora_billing.store import accounts, credit_entries, payment_reversals, payments, subscriptions

SHOWN_ENTRIES: Final = 20
"""Entries, and payments, on the screen."""


class Wallet:
    """The wallet of the caller."""

    service = "unora.billing.v1.WalletService"

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime

    @reads
    async def GetWallet(self, request: GetWalletRequest, db: Session) -> GetWalletResponse:
        """BI-01 to BI-04: what the caller has, and what became of it."""
        current = await subscriptions.find_current(db, db.user)
        entries, next_entries = await entries_page(db, "", SHOWN_ENTRIES)
        paid, next_payments = await payments_page(db, "", SHOWN_ENTRIES)
        return GetWalletResponse(
            balance=(await accounts.get(db, db.user)).balance,
            subscription=to_subscription(current) if current else None,
            tier=TIERS[current.tier if current else Tier.FREE],
            entries=entries,
            next_entries_token=next_entries,
            payments=paid,
            next_payments_token=next_payments,
        )


async def entries_page(db: Session, token: str, size: int) -> tuple[list[api.CreditEntry], str]:
    """BI-03: a page of the caller's ledger, newest first, and the token of the next."""
    listing = Listing("credits", db.user)
    found = await credit_entries.list_by_user(db, db.user, listing.place(token), size + 1)
    page, following = listing.page(found, size, lambda entry: Place(entry.created_at, entry.id))
    return [to_entry(entry) for entry in page], following


async def payments_page(db: Session, token: str, size: int) -> tuple[list[api.Payment], str]:
    """BI-02, BI-10: a page of the caller's payments in all states, newest first, and the token of the next."""
    listing = Listing("payments", db.user)
    found = await payments.list_by_payer(db, db.user, listing.place(token), size + 1)
    page, following = listing.page(found, size, lambda payment: Place(payment.created_at, payment.id))
    return await shown_payments(db, page), following


async def shown_payments(db: Session, found: Sequence[Payment]) -> list[api.Payment]:
    """Payments with what is reversed of each (BI-10)."""
    totals = await payment_reversals.totals_of(db, [payment.id for payment in found])
    return [to_payment(payment, totals.get(payment.id, NO_REVERSALS)) for payment in found]
