"""What recoveries leave behind: their protections, with the endings that count for them, and the free ones."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import UUID
from unora_common.erased import kept
from unora_common.tables import exported, not_exported, projected_from, service_may, timestamp

from unora_billing.tables.accounts import accounts
from unora_billing.tables.payments import payments
from unora_billing.tables.schema import metadata

credit_protections = Table(
    "credit_protections",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("payment_id", UUID(), ForeignKey(payments.c.id), nullable=False),
    Column("payer_id", UUID(), nullable=False),
    Column("partner_id", UUID(), nullable=False),
    Column("connection_id", UUID(), nullable=False),
    Column("status", Text, nullable=False),
    Column("opened_at", timestamp(), nullable=False),
    Column("expires_at", timestamp(), nullable=False),
    Column("closed_at", timestamp()),
    Column("version", BigInteger, nullable=False),
    Column("deleted_at", timestamp()),
    UniqueConstraint("payment_id"),
    CheckConstraint("status IN ('open', 'expired', 'converted')", name="status"),
    CheckConstraint("payer_id <> partner_id", name="two"),
    CheckConstraint("opened_at < expires_at", name="window"),
    CheckConstraint("(status = 'open') = (closed_at IS NULL)", name="closed"),
    CheckConstraint("status <> 'converted' OR closed_at < expires_at", name="converted_in_time"),
    Index("ix_credit_protections_connection_id", "connection_id"),
    Index("ix_credit_protections_expires_at", "expires_at", postgresql_where=text("status = 'open'")),
    info=service_may("select, insert, update", erased=kept("records beside payments (BI-05)"))
    | exported("credit_protections"),
    comment="24-hour windows in which the partner's ending turns a recovery's price into credits (BI-05)",
)

connection_endings = Table(
    "connection_endings",
    metadata,
    Column("connection_id", UUID(), primary_key=True),
    Column("ended_by_id", UUID()),
    Column("ended_at", timestamp()),
    CheckConstraint("(ended_by_id IS NULL) = (ended_at IS NULL)", name="ended"),
    info=service_may("select, insert, update", erased=kept("ids and times (BI-05)"))
    | not_exported("who ended a connection is shown to nobody (MA-09)")
    | projected_from(matching="*"),
    comment=("Who ended which connection and when, for protections that open later; empty while only a lock"),
)

free_recovery_allowances = Table(
    "free_recovery_allowances",
    metadata,
    Column("connection_id", UUID(), nullable=False),
    Column("user_id", UUID(), ForeignKey(accounts.c.user_id), nullable=False),
    Column("used", Integer, nullable=False),
    PrimaryKeyConstraint("connection_id", "user_id"),
    CheckConstraint("used >= 0", name="used"),
    info=service_may("select, insert, update", erased=kept("ids and a count (BI-06)"))
    | not_exported("a count of free payments, which are exported"),
    comment="Free recoveries used, per connection and member (BI-06)",
)
