"""The ledger of credits."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import UUID
from unora_common.erased import kept
from unora_common.tables import exported, service_may, timestamp

from unora_billing.tables.accounts import accounts
from unora_billing.tables.payments import payments
from unora_billing.tables.schema import metadata

credits_ = Table(
    "credits",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("user_id", UUID(), ForeignKey(accounts.c.user_id), nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("payment_id", UUID(), ForeignKey(payments.c.id)),
    Column("created_at", timestamp(), nullable=False),
    Column("deleted_at", timestamp()),
    CheckConstraint(
        "kind IN ('protection', 'compensation', 'spent', 'taken_back', 'given_back', 'forfeited')",
        name="kind",
    ),
    CheckConstraint(
        "CASE WHEN kind IN ('spent', 'taken_back', 'forfeited') THEN amount < 0 ELSE amount > 0 END",
        name="amount",
    ),
    CheckConstraint("(kind = 'forfeited') = (payment_id IS NULL)", name="payment"),
    CheckConstraint("deleted_at IS NULL", name="never_deleted"),
    Index(
        "uq_credits_one_conversion",
        "payment_id",
        unique=True,
        postgresql_where=text("kind IN ('protection', 'compensation')"),
    ),
    Index("uq_credits_one_spending", "payment_id", unique=True, postgresql_where=text("kind = 'spent'")),
    Index("ix_credits_user_id_created_at", "user_id", "created_at", "id"),
    info=service_may("select, insert", erased=kept("the ledger is append-only (BI-03)")) | exported("credits"),
    comment="The ledger of credits, append-only; a member's balance is the sum of their entries (BI-03)",
)
