"""A member's account is closed, hidden or reopened (ID-09, ID-13)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Tx

from unora_billing.store import accounts, credit_entries, payments, subscriptions
from unora_billing.use_cases.account_changes import change_subscription, forfeit


async def close_account(
    tx: Tx, user_id: UUID, version: int, closed_at: datetime, *, keeps_credits: bool = False
) -> None:
    """ID-09: the subscription ends, credits are forfeited, and a job cancels the payments in progress. A hidden account
    keeps its credits (ID-13).

    Credits that come later are forfeited too, as long as the account is closed. If the closing arrives after a newer
    event, it still has its effect on what was there when the member closed the account, at `closed_at` (UTC). Payments
    from before are cancelled also if the account is open again when the job looks.
    """
    account = await accounts.lock_or_create(tx, user_id)
    if version == account.life_version:
        return
    is_newest = version > account.life_version
    account = account.with_closing(version, closed_at, keeps_credits=keeps_credits)
    await payments.make_open_due(tx, user_id, until=None if is_newest else closed_at)
    found = await subscriptions.find_current(tx, user_id)
    if found and (is_newest or found.started_at <= closed_at):
        account = await change_subscription(tx, account, found, found.ended(tx.now))
    forfeited = 0 if keeps_credits else account.balance
    if forfeited and not is_newest:
        forfeited = min(forfeited, await credit_entries.total_until(tx, user_id, closed_at))
    await accounts.save(tx, await forfeit(tx, account, forfeited))


async def reopen_account(tx: Tx, user_id: UUID, version: int) -> None:
    """ID-09: the member can pay again. What the closing ended stays ended. A version that is not newer is ignored."""
    account = await accounts.lock_or_create(tx, user_id)
    if version > account.life_version:
        await accounts.save(tx, account.reopened(version))
