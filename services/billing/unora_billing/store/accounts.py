"""Accounts and the ledger of credits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from unora_common.database import Row, Session, Tx
from unora_common.ids import uuid7
from unora_common.pages import Place

from unora_billing.domain.payments import Entry, Payment
from unora_billing.domain.policy import Tier
from unora_billing.messages import credits_changed, tier_changed

ADD = """
    INSERT INTO billing.accounts (user_id, tier, balance, suspended, standing_version, version)
    VALUES ($1, 'free', 0, false, 0, 0) ON CONFLICT (user_id) DO NOTHING"""

COLUMNS = "a.user_id, a.tier, a.balance, a.suspended, a.standing_version, a.provider_customer_id, a.version"

LOCK = f"""
    WITH a AS MATERIALIZED (SELECT * FROM billing.accounts WHERE user_id = $1 FOR UPDATE)
    SELECT {COLUMNS}, clock.now() AS now FROM a"""

ONE = f"SELECT {COLUMNS} FROM billing.accounts a WHERE user_id = $1"

SAVE = """
    UPDATE billing.accounts SET tier = $2, suspended = $3, standing_version = $4, version = $5 WHERE user_id = $1"""

SET_CUSTOMER = """
    UPDATE billing.accounts SET provider_customer_id = $2 WHERE user_id = $1 AND provider_customer_id IS NULL"""

ENTER = """
    INSERT INTO billing.credits (id, user_id, kind, amount, payment_id, created_at) VALUES ($1, $2, $3, $4, $5, $6)"""

ENTRIES = """
    SELECT id, kind, amount, payment_id, created_at FROM billing.credits
    WHERE user_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3))
    ORDER BY created_at DESC, id DESC LIMIT $4"""

TAKE_FREE = """
    INSERT INTO billing.free_recovery_allowances AS f (connection_id, user_id, used) VALUES ($1, $2, 1)
    ON CONFLICT (connection_id, user_id) DO UPDATE SET used = f.used + 1 WHERE f.used < $3 RETURNING used"""

GIVE_FREE_BACK = """
    UPDATE billing.free_recovery_allowances SET used = used - 1 WHERE connection_id = $1 AND user_id = $2"""


@dataclass
class Account:
    """A member's account under its lock. `version` counts the events told of it."""

    user_id: UUID
    tier: Tier = Tier.FREE
    balance: int = 0
    suspended: bool = False
    standing_version: int = 0
    provider_customer_id: str | None = None
    version: int = 0

    def next_version(self) -> int:
        """The version of the next event."""
        self.version += 1
        return self.version


async def lock(tx: Tx, user_id: UUID) -> Account:
    """Locks a member's account, made if there is none, and sets tx.now."""
    rows = await tx.lock(LOCK, user_id)
    if not rows:
        await tx.run(ADD, user_id)
        rows = await tx.lock(LOCK, user_id)
    return _account(rows[0])


async def one(session: Session, user_id: UUID) -> Account:
    """A member's account; one that has none is free and has no credits."""
    row = await session.row(ONE, user_id)
    return _account(row) if row else Account(user_id)


async def save(tx: Tx, account: Account) -> None:
    """Stores what moved; the balance is the ledger's to keep."""
    await tx.run(SAVE, account.user_id, account.tier, account.suspended, account.standing_version, account.version)


async def set_tier(tx: Tx, account: Account, tier: Tier) -> None:
    """BI-01: tells of the new tier, if it is one."""
    if tier is not account.tier:
        before, account.tier = account.tier, tier
        tx.emit(tier_changed(account.user_id, account.next_version(), before, tier, tx.now))


async def set_customer(tx: Tx, user_id: UUID, customer: str) -> None:
    """The member's name at the provider, once."""
    await tx.run(SET_CUSTOMER, user_id, customer)


async def enter(tx: Tx, account: Account, kind: Entry, payment: Payment) -> None:
    """An entry of the whole amount of a payment (BI-03). The ledger's trigger moves the balance, and refuses to go
    below zero.
    """
    amount = -payment.amount if kind is Entry.SPENT else payment.amount
    entry = uuid7()
    await tx.run(ENTER, entry, account.user_id, kind, amount, payment.id, tx.now)
    account.balance += amount
    version = account.next_version()
    tx.emit(credits_changed(account.user_id, version, entry, kind, amount, account.balance, payment.id, tx.now))


async def entries(session: Session, user_id: UUID, after: Place | None, limit: int) -> list[Row]:
    """The ledger, newest first."""
    at, identifier = after or (None, None)
    return await session.rows(ENTRIES, user_id, at, identifier, limit)


async def take_free(tx: Tx, connection_id: UUID, user_id: UUID, allowance: int) -> bool:
    """BI-06: uses a free recovery of the connection, if the tier has one left."""
    if allowance == 0:
        return False
    return await tx.value(TAKE_FREE, connection_id, user_id, allowance) is not None


async def give_free_back(tx: Tx, connection_id: UUID, user_id: UUID) -> None:
    """What it was used for could not be given."""
    await tx.run(GIVE_FREE_BACK, connection_id, user_id)


def place_of(row: Row) -> Place:
    """Where an entry stands in the ledger."""
    moment: datetime = row["created_at"]
    return Place(moment, row["id"])


def _account(row: Row) -> Account:
    return Account(
        user_id=row["user_id"],
        tier=Tier(row["tier"]),
        balance=row["balance"],
        suspended=row["suspended"],
        standing_version=row["standing_version"],
        provider_customer_id=row["provider_customer_id"],
        version=row["version"],
    )
