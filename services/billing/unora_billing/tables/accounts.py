"""Members' accounts and subscriptions."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import UUID
from unora_common.concurrent_indexes import MADE_CONCURRENTLY
from unora_common.erased import blanked
from unora_common.tables import exported, projected_from, service_may, timestamp

from unora_billing.tables.schema import metadata

accounts = Table(
    "accounts",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("tier", Text, nullable=False),
    Column("balance", BigInteger, nullable=False),
    Column("suspended", Boolean, nullable=False),
    Column("standing_version", BigInteger, nullable=False),
    Column("provider_customer_id", Text),
    Column("version", BigInteger, nullable=False),
    Column("closed", Boolean, nullable=False, server_default=text("false")),
    Column("life_version", BigInteger, nullable=False, server_default=text("0")),
    Column("keeps_credits", Boolean, nullable=False, server_default=text("false")),
    Column("last_closed_at", timestamp()),
    CheckConstraint("tier IN ('free', 'plus', 'pro')", name="tier"),
    CheckConstraint("balance >= 0", name="balance"),
    Index("ix_accounts_balance", "balance", postgresql_where=text("balance > 0"), info=MADE_CONCURRENTLY),
    CheckConstraint("version >= 0", name="version"),
    info=service_may(
        "select, insert, update",
        erased=blanked(
            "provider_customer_id = NULL",
            where="user_id = member AND provider_customer_id IS NOT NULL",
            reason="payments and the ledger are records (BI-02, BI-03)",
        ),
    )
    | exported("wallet")
    | projected_from(safety="suspended standing_version", identity="closed life_version keeps_credits last_closed_at"),
    comment="The row that all of a member's money is locked by: tier and credits as they are now (BI-01, BI-03)",
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("user_id", UUID(), ForeignKey(accounts.c.user_id), nullable=False),
    Column("tier", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("started_at", timestamp(), nullable=False),
    Column("periods", Integer, nullable=False),
    Column("current_period_starts_at", timestamp(), nullable=False),
    Column("current_period_ends_at", timestamp(), nullable=False),
    Column("due_at", timestamp()),
    Column("attempts", Integer, nullable=False),
    Column("provider_method_id", Text, nullable=False),
    Column("ended_at", timestamp()),
    Column("deleted_at", timestamp()),
    CheckConstraint("tier IN ('plus', 'pro')", name="tier"),
    CheckConstraint("status IN ('active', 'cancelled', 'grace', 'ended')", name="status"),
    CheckConstraint("(status = 'ended') = (ended_at IS NOT NULL)", name="ended"),
    CheckConstraint("(status = 'ended') = (due_at IS NULL)", name="due"),
    CheckConstraint("current_period_starts_at < current_period_ends_at", name="period"),
    Index("uq_subscriptions_one_active", "user_id", unique=True, postgresql_where=text("status <> 'ended'")),
    Index("ix_subscriptions_user_id", "user_id"),
    Index("ix_subscriptions_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    info=service_may(
        "select, insert, update",
        erased=blanked(
            "provider_method_id = ''",
            where="user_id = member AND provider_method_id <> ''",
            reason="payments point to it; billing dates",
        ),
    )
    | exported("subscriptions"),
    comment="User tier and billing dates; one that goes on a member (BI-01)",
)
