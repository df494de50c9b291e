"""The tables of the billing schema. Migrations create them, and a test compares both; the service itself uses SQL."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import UUID
from unora_common.concurrent_indexes import MADE_CONCURRENTLY
from unora_common.erased import blanked, kept
from unora_common.tables import exported, not_exported, projected_from, rebuilds, service_may, timestamp
from unora_common.tables import metadata as schema

metadata = schema("billing")

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

rebuilds(metadata)
