"""Changes of an account and of its subscription, each with its event.

The caller holds the lock of the account. Each function returns the account after the change, and the caller saves it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from unora_common.database import Tx
from unora_common.ids import uuid7

from unora_billing.domain.accounts import Account, CreditEntry, CreditEntryKind, new_entry
from unora_billing.domain.event_builders import credits_changed, subscription_changed, tier_changed
from unora_billing.domain.payments import Payment
from unora_billing.domain.policy import Tier
from unora_billing.domain.subscriptions import Subscription, SubscriptionStatus
from unora_billing.messages import to_message
from unora_billing.store import credit_entries, subscriptions

AFTER_WHAT_CAME: Final = timedelta(microseconds=1)
"""What is forfeited in the transaction in which it came has a later time: the ledger is read in the order of times."""


async def enter_credits(
    tx: Tx, account: Account, kind: CreditEntryKind, payment: Payment, amount: int, entry_id: UUID | None = None
) -> Account:
    """BI-03: adds an entry to the ledger. `amount` is negative for credits that were spent or taken back. A closed
    account forfeits what comes (ID-09), a hidden one does not (ID-13).
    """
    after = await _enter(tx, account, new_entry(entry_id or uuid7(), kind, payment, amount, tx.now))
    return await forfeit(tx, after, after.balance) if after.closed and not after.keeps_credits else after


async def forfeit(tx: Tx, account: Account, amount: int) -> Account:
    """ID-09: takes so many credits from an account that was closed; there may be none."""
    if not amount:
        return account
    at = tx.now + AFTER_WHAT_CAME
    return await _enter(tx, account, new_entry(uuid7(), CreditEntryKind.FORFEITED, None, -amount, at))


async def _enter(tx: Tx, account: Account, entry: CreditEntry) -> Account:
    await credit_entries.insert(tx, account.user_id, entry)
    after = account.with_entry(entry)
    tx.emit(to_message(credits_changed(after, entry)))
    return after


async def begin_subscription(tx: Tx, account: Account, current: Subscription | None, begun: Subscription) -> Account:
    """BI-01: stores a new subscription, which replaces the current one if there is one."""
    if current:
        ended = current.ended(tx.now)
        await subscriptions.save(tx, ended)
        account = _emit_subscription(tx, account, current.status, ended)
    await subscriptions.insert(tx, begun)
    account = _emit_subscription(tx, account, None, begun)
    return _change_tier(tx, account, begun.tier)


async def change_subscription(tx: Tx, account: Account, before: Subscription, after: Subscription) -> Account:
    """BI-01, BI-09: stores a step of a subscription. If it has ended, the account's tier becomes free."""
    await subscriptions.save(tx, after)
    return emit_step(tx, account, before, after)


def emit_step(tx: Tx, account: Account, before: Subscription, after: Subscription) -> Account:
    """BI-01, BI-09: what a step of a subscription, which the caller stores, means for the account."""
    account = _emit_subscription(tx, account, before.status, after)
    return _change_tier(tx, account, Tier.FREE) if after.has_ended else account


def _emit_subscription(
    tx: Tx, account: Account, previous: SubscriptionStatus | None, subscription: Subscription
) -> Account:
    account = account.next_version()
    tx.emit(to_message(subscription_changed(account, previous, subscription, tx.now)))
    return account


def _change_tier(tx: Tx, account: Account, tier: Tier) -> Account:
    if tier is account.tier:
        return account
    after = account.with_tier(tier)
    tx.emit(to_message(tier_changed(account, after, tx.now)))
    return after
