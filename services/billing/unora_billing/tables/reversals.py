"""Money that went back, and charges that do not fit their payment."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import UUID
from unora_common.erased import kept
from unora_common.tables import exported, not_exported, service_may, timestamp

from unora_billing.tables.credit_entries import credits_
from unora_billing.tables.payments import payments
from unora_billing.tables.schema import metadata

payment_reversals = Table(
    "payment_reversals",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("payment_id", UUID(), ForeignKey(payments.c.id), nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("reversed", BigInteger, nullable=False),
    Column("credits", BigInteger, nullable=False),
    Column("uncollected", BigInteger, nullable=False),
    Column("entry_id", UUID(), ForeignKey(credits_.c.id, deferrable=True, initially="DEFERRED")),
    Column("recorded_at", timestamp(), nullable=False),
    UniqueConstraint("provider_id", "kind"),
    UniqueConstraint("entry_id"),
    CheckConstraint(
        """kind IN ('refunded', 'refund_failed', 'inquiry_opened', 'inquiry_closed', 'dispute_opened', 'dispute_won',
        'dispute_lost', 'fraud_warned')""",
        name="kind",
    ),
    CheckConstraint("amount >= 0", name="amount"),
    CheckConstraint(
        """CASE WHEN kind IN ('refunded', 'dispute_opened', 'dispute_lost')
            THEN reversed >= 0 AND credits <= 0 AND uncollected >= 0
        WHEN kind IN ('refund_failed', 'dispute_won') THEN reversed <= 0 AND credits >= 0 AND uncollected <= 0
        ELSE reversed = 0 AND credits = 0 AND uncollected = 0 END""",
        name="direction",
    ),
    CheckConstraint("(credits = 0 AND uncollected = 0) OR reversed + credits = uncollected", name="collected"),
    CheckConstraint("(credits = 0) = (entry_id IS NULL)", name="entry"),
    Index("ix_payment_reversals_payment_id", "payment_id"),
    info=service_may("select, insert", erased=kept("records beside payments (BI-10)")) | exported("payment_reversals"),
    comment="Refunds, disputes and warnings beside payments, append-only, each told by the provider (BI-10)",
)

payment_mismatches = Table(
    "payment_mismatches",
    metadata,
    Column("provider_payment_id", Text, primary_key=True),
    Column("payment_id", UUID(), ForeignKey(payments.c.id), nullable=False),
    Column("received", BigInteger),
    Column("currency", Text, nullable=False),
    Column("noted_at", timestamp(), nullable=False),
    Column("resolution", Text),
    Column("decided_at", timestamp()),
    Column("settled_at", timestamp()),
    CheckConstraint("received >= 0", name="received"),
    CheckConstraint("resolution IN ('refund', 'credit')", name="resolution"),
    CheckConstraint("(resolution IS NULL) = (decided_at IS NULL)", name="decided"),
    CheckConstraint("settled_at IS NULL OR resolution IS NOT NULL", name="settled"),
    Index("ix_payment_mismatches_payment_id", "payment_id"),
    info=service_may("select, insert, update", erased=kept("records beside payments (BI-10)"))
    | not_exported("charges that an operator has to look at; what comes of them is exported"),
    comment="Charges that do not pay for their payment, and what an operator decided on each (BI-10)",
)
