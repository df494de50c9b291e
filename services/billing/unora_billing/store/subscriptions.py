"""Subscriptions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from unora_common.database import Row, Session, Tx

from unora_billing.domain.policy import Tier
from unora_billing.domain.subscriptions import Subscription, SubscriptionStatus

COLUMNS = """
    id, user_id, tier, status, started_at, periods, current_period_starts_at, current_period_ends_at, due_at, attempts,
    provider_method_id, ended_at"""

INSERT = f"""
    INSERT INTO billing.subscriptions ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"""

CURRENT = f"SELECT {COLUMNS} FROM billing.subscriptions WHERE user_id = $1 AND status <> 'ended'"
ONE = f"SELECT {COLUMNS} FROM billing.subscriptions WHERE id = $1"

SAVE = """
    UPDATE billing.subscriptions SET status = $2, periods = $3, current_period_starts_at = $4,
        current_period_ends_at = $5, due_at = $6, attempts = $7, ended_at = $8 WHERE id = $1"""

DUE = """
    SELECT user_id FROM billing.subscriptions WHERE due_at <= (SELECT clock.now()) ORDER BY due_at, id LIMIT $1"""


async def insert(tx: Tx, subscription: Subscription) -> None:
    """Stores a new subscription; a second that goes on is refused by the database (BI-01)."""
    kept = (subscription.id, subscription.user_id, subscription.tier, subscription.status, subscription.started_at)
    await tx.run(
        INSERT,
        *kept,
        *_period(subscription),
        subscription.due_at,
        subscription.attempts,
        subscription.provider_method_id,
        subscription.ended_at,
    )


async def current(session: Session, user_id: UUID) -> Subscription | None:
    """The one that goes on. Whoever means to change it holds the account's lock."""
    row = await session.row(CURRENT, user_id)
    return _subscription(row) if row else None


async def find(session: Session, subscription_id: UUID) -> Subscription | None:
    """A subscription, also one that ended."""
    row = await session.row(ONE, subscription_id)
    return _subscription(row) if row else None


async def save(tx: Tx, subscription: Subscription) -> None:
    """Stores what moved."""
    moved = (*_period(subscription), subscription.due_at, subscription.attempts, subscription.ended_at)
    await tx.run(SAVE, subscription.id, subscription.status, *moved)


async def due(session: Session, limit: int) -> list[UUID]:
    """Members on whose subscription something is to be done."""
    return [row["user_id"] for row in await session.rows(DUE, limit)]


def _period(subscription: Subscription) -> tuple[Any, ...]:
    return subscription.periods, subscription.current_period_starts_at, subscription.current_period_ends_at


def _subscription(row: Row) -> Subscription:
    values = dict(row)
    values["tier"], values["status"] = Tier(row["tier"]), SubscriptionStatus(row["status"])
    return Subscription(**values)
