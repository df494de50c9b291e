"""Payments, and what the provider told of them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import UUID
from unora_common.concurrent_indexes import MADE_CONCURRENTLY
from unora_common.erased import kept
from unora_common.tables import exported, not_exported, service_may, timestamp

from unora_billing.tables.accounts import accounts, subscriptions
from unora_billing.tables.schema import metadata

payments = Table(
    "payments",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("payer_id", UUID(), ForeignKey(accounts.c.user_id), nullable=False),
    Column("request_id", UUID(), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("streak_id", UUID()),
    Column("reveal_number", SmallInteger),
    Column("plan", Text),
    Column("renews_subscription_id", UUID(), ForeignKey(subscriptions.c.id)),
    Column("status", Text, nullable=False),
    Column("failure", Text),
    Column("connection_id", UUID()),
    Column("provider_payment_id", Text),
    Column("created_at", timestamp(), nullable=False),
    Column("succeeded_at", timestamp()),
    Column("due_at", timestamp()),
    Column("version", BigInteger, nullable=False),
    Column("deleted_at", timestamp()),
    Column("quoted_method", Text),
    UniqueConstraint("payer_id", "request_id"),
    UniqueConstraint("provider_payment_id"),
    CheckConstraint("purpose IN ('recovery', 'reveal', 'nudge', 'subscription')", name="purpose"),
    CheckConstraint("method IN ('money', 'credits', 'free')", name="method"),
    CheckConstraint("status IN ('created', 'pending', 'succeeded', 'applied', 'credited', 'failed')", name="status"),
    CheckConstraint("CASE WHEN method = 'free' THEN amount = 0 ELSE amount > 0 END", name="amount"),
    CheckConstraint("currency = 'USD'", name="currency"),
    CheckConstraint("quoted_method IN ('money', 'credits', 'free')", name="quoted_method"),
    CheckConstraint("method <> 'free' OR purpose = 'recovery'", name="free_is_a_recovery"),
    CheckConstraint("purpose <> 'subscription' OR method = 'money'", name="subscription_by_money"),
    CheckConstraint(
        """CASE purpose
        WHEN 'subscription' THEN streak_id IS NULL AND reveal_number IS NULL AND plan IN ('plus', 'pro')
        WHEN 'reveal' THEN streak_id IS NOT NULL AND coalesce(reveal_number BETWEEN 1 AND 4, false) AND plan IS NULL
        ELSE streak_id IS NOT NULL AND reveal_number IS NULL AND plan IS NULL END""",
        name="target",
    ),
    CheckConstraint("renews_subscription_id IS NULL OR purpose = 'subscription'", name="renewal"),
    CheckConstraint(
        """CASE WHEN status = 'failed'
        THEN coalesce(failure IN ('not_authorized', 'declined', 'expired', 'mismatch'), false)
        ELSE failure IS NULL OR status = 'credited' END""",
        name="failure",
    ),
    CheckConstraint("(status IN ('succeeded', 'applied', 'credited')) = (succeeded_at IS NOT NULL)", name="succeeded"),
    CheckConstraint("deleted_at IS NULL", name="never_deleted"),
    Index(
        "uq_payments_one_open_subscription",
        "payer_id",
        unique=True,
        postgresql_where=text("purpose = 'subscription' AND status IN ('created', 'pending')"),
    ),
    Index("ix_payments_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    Index(
        "ix_payments_unsettled",
        "status",
        "created_at",
        postgresql_where=text("status IN ('created', 'pending', 'succeeded')"),
        info=MADE_CONCURRENTLY,
    ),
    Index("ix_payments_payer_id_created_at", "payer_id", "created_at", "id"),
    info=service_may("select, insert, update", erased=kept("payments are records (BI-02)")) | exported("payments"),
    comment="All payments; what they are never changes, and their status moves only forward (BI-02)",
)

provider_events = Table(
    "provider_events",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("provider_payment_id", Text),
    Column("payment_id", UUID()),
    Column("outcome", Text, nullable=False),
    Column("received_at", timestamp(), nullable=False),
    CheckConstraint(
        "outcome IN ('applied', 'nothing_to_do', 'unknown', 'unknown_kind', 'mismatch')",
        name="outcome",
    ),
    Index("ix_provider_events_received_at", "received_at"),
    # Young rows cannot be deleted: the trigger `hold_provider_event`.
    info=service_may(
        "select, insert, delete", erased=kept("ids of the provider; the job purge_provider_events deletes them")
    )
    | not_exported("messages of the provider; what they changed is exported"),
    comment="What the provider told, so that each is applied once (BI-07)",
)
