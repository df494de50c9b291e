"""Subscriptions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.rows import Columns, from_row

from unora_billing.domain.subscriptions import Subscription

FACTS = Columns("id", "user_id", "tier", "started_at", "provider_method_id")
STATE = Columns(
    "status", "periods", "current_period_starts_at", "current_period_ends_at", "due_at", "attempts", "ended_at"
)
COLUMNS = FACTS + STATE

INSERT = f"INSERT INTO billing.subscriptions ({COLUMNS.names()}) VALUES ({COLUMNS.parameters()})"

UPDATE = f"UPDATE billing.subscriptions SET {STATE.assignments(2)} WHERE id = $1"

FIND_CURRENT = f"SELECT {COLUMNS.names()} FROM billing.subscriptions WHERE user_id = $1 AND status <> 'ended'"
FIND = f"SELECT {COLUMNS.names()} FROM billing.subscriptions WHERE id = $1"

# The payment that begins a subscription succeeds at the very moment at which the subscription starts.
FIND_BEGUN = f"SELECT {COLUMNS.names()} FROM billing.subscriptions WHERE user_id = $1 AND started_at = $2"

LIST_DUE = """
    SELECT user_id FROM billing.subscriptions WHERE due_at <= (SELECT clock.now()) ORDER BY due_at, id LIMIT $1"""


async def insert(tx: Tx, subscription: Subscription) -> None:
    """Stores a new subscription. The database refuses a second one that has not ended (BI-01)."""
    await tx.run(INSERT, *COLUMNS.values_of(subscription))


async def save(tx: Tx, subscription: Subscription) -> None:
    """Stores what has changed."""
    await tx.run(UPDATE, subscription.id, *STATE.values_of(subscription))


async def find_current(session: Session, user_id: UUID) -> Subscription | None:
    """The member's subscription that has not ended. To change it, hold the lock of the account."""
    row = await session.row(FIND_CURRENT, user_id)
    return from_row(Subscription, row) if row else None


async def find(session: Session, subscription_id: UUID) -> Subscription | None:
    """A subscription, also one that has ended."""
    row = await session.row(FIND, subscription_id)
    return from_row(Subscription, row) if row else None


async def find_begun(session: Session, user_id: UUID, started_at: datetime) -> Subscription | None:
    """The member's subscription that a payment began."""
    row = await session.row(FIND_BEGUN, user_id, started_at)
    return from_row(Subscription, row) if row else None


async def list_due(session: Session, limit: int) -> list[UUID]:
    """Members whose subscription is due for a renewal, another attempt, or the end."""
    return [row["user_id"] for row in await session.rows(LIST_DUE, limit)]
