"""Subscriptions."""

from __future__ import annotations

from collections.abc import Sequence
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

# Of all subscriptions of these members, whose accounts are locked.
LIST_CURRENT = f"SELECT {COLUMNS.names()} FROM billing.subscriptions WHERE user_id = ANY ($1) AND status <> 'ended'"

SAVE_ALL = """
    UPDATE billing.subscriptions AS s
    SET status = n.status, periods = n.periods, current_period_starts_at = n.starts_at,
        current_period_ends_at = n.ends_at, due_at = n.due_at, attempts = n.attempts, ended_at = n.ended_at
    FROM unnest($1::uuid[], $2::text[], $3::int[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::int[],
            $8::timestamptz[])
        AS n (id, status, periods, starts_at, ends_at, due_at, attempts, ended_at)
    WHERE s.id = n.id"""


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


async def list_current(session: Session, users: Sequence[UUID]) -> dict[UUID, Subscription]:
    """The subscriptions of these members that have not ended, by member."""
    return {row["user_id"]: from_row(Subscription, row) for row in await session.rows(LIST_CURRENT, list(users))}


async def save_all(tx: Tx, changed: Sequence[Subscription]) -> None:
    """Stores what has changed in many."""
    values = zip(*((each.id, *STATE.values_of(each)) for each in changed), strict=True)
    await tx.run(SAVE_ALL, *map(list, values))
