"""The tables of the streak schema. Migrations make them; a test holds both equal; services use SQL."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from unora_common.erased import deleted, kept
from unora_common.tables import exported, not_exported, projected_from, rebuilds, service_may, timestamp
from unora_common.tables import metadata as schema

metadata = schema("streak", functions=("used_by",))

streaks = Table(
    "streaks",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("connection_id", UUID(), nullable=False),
    Column("user_a_id", UUID(), nullable=False),
    Column("user_b_id", UUID(), nullable=False),
    Column("server_type", Text, nullable=False),
    Column("streak_state", Text, nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("completed_days", SmallInteger, nullable=False),
    Column("current_day", SmallInteger, nullable=False),
    Column("zone", Text, nullable=False),
    Column("check_in_date", Date, nullable=False),
    Column("closes_at", timestamp(), nullable=False),
    Column("here", ARRAY(UUID()), nullable=False),
    Column("started_at", timestamp(), nullable=False),
    Column("window_closes_at", timestamp()),
    Column("breaker_user_id", UUID()),
    Column("ended_at", timestamp()),
    Column("connection_ended_at", timestamp()),
    Column("next_due_at", timestamp()),
    Column("version", BigInteger, nullable=False),
    Column("deleted_at", timestamp()),
    Column("hold_payment_id", UUID()),
    Column("hold_until", timestamp()),
    Column("long_hold_used", Boolean, nullable=False, server_default=text("false")),
    Column("told_ends_soon", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("user_a_id < user_b_id", name="pair_ordered"),
    CheckConstraint("server_type IN ('partner', 'friend', 'growth')", name="server_type"),
    CheckConstraint(
        "streak_state IN ('active', 'at_risk', 'payment_window', 'reset', 'completed', 'terminated')",
        name="streak_state",
    ),
    CheckConstraint("completed_days BETWEEN 0 AND 15", name="completed_days"),
    CheckConstraint("current_day BETWEEN 1 AND 15 OR streak_state = 'terminated'", name="current_day"),
    CheckConstraint("(streak_state = 'completed') = (completed_days = 15)", name="completed_is_day_15"),
    CheckConstraint("here <@ ARRAY[user_a_id, user_b_id]", name="here_is_the_pair"),
    CheckConstraint(
        "streak_state NOT IN ('at_risk', 'payment_window') OR cardinality(here) = 1", name="one_is_missing"
    ),
    CheckConstraint("breaker_user_id IN (user_a_id, user_b_id)", name="breaker_is_of_the_pair"),
    CheckConstraint(
        "(streak_state = 'payment_window') = (window_closes_at IS NOT NULL AND breaker_user_id IS NOT NULL)",
        name="window_has_a_breaker",
    ),
    CheckConstraint("(streak_state IN ('completed', 'terminated')) = (ended_at IS NOT NULL)", name="ended"),
    CheckConstraint(
        "(hold_payment_id IS NULL) = (hold_until IS NULL) AND (hold_until IS NULL OR long_hold_used)",
        name="hold_is_whole",
    ),
    CheckConstraint("streak_state = 'payment_window' OR NOT long_hold_used", name="hold_is_of_a_window"),
    Index(
        "uq_streaks_one_active_per_connection",
        "connection_id",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index("ix_streaks_next_due_at", "next_due_at", postgresql_where=text("next_due_at IS NOT NULL")),
    Index("ix_streaks_user_a_id", "user_a_id"),
    Index("ix_streaks_user_b_id", "user_b_id"),
    info=service_may("select, insert, update", erased=kept("the partner's history; ids, days and a zone of the pair"))
    | exported("streaks")
    | projected_from(matching="connection_ended_at"),
    comment="State machine of each connection's streak (ST-01, ST-02); one row for the connection's life",
)

check_ins = Table(
    "check_ins",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("streak_id", UUID(), ForeignKey(streaks.c.id), nullable=False),
    Column("user_id", UUID(), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("day", SmallInteger, nullable=False),
    Column("check_in_date", Date, nullable=False),
    Column("check_in_at", timestamp(), nullable=False),
    Column("effort_signal", Text, nullable=False),
    Column("deleted_at", timestamp()),
    UniqueConstraint("streak_id", "user_id", "cycle", "check_in_date"),
    CheckConstraint("effort_signal IN ('low', 'medium', 'high')", name="effort_signal"),
    CheckConstraint("day BETWEEN 1 AND 15", name="day"),
    CheckConstraint("deleted_at IS NULL", name="never_deleted"),
    info=service_may("select, insert", erased=kept("check-ins are append-only (ST-04)")) | exported("check_ins"),
    comment="Daily check-ins; never changed or deleted (ST-04)",
)

breaks = Table(
    "breaks",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("streak_id", UUID(), ForeignKey(streaks.c.id), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("day", SmallInteger, nullable=False),
    Column("check_in_date", Date, nullable=False),
    Column("missing_user_id", UUID(), nullable=False),
    Column("breaker_user_id", UUID()),
    Column("opened_at", timestamp(), nullable=False),
    Column("broke_at", timestamp()),
    Column("closed_at", timestamp()),
    Column("outcome", Text),
    UniqueConstraint("streak_id", "cycle", "check_in_date"),
    UniqueConstraint("id", "breaker_user_id"),
    UniqueConstraint("id", "streak_id", "missing_user_id"),
    CheckConstraint("day BETWEEN 1 AND 15", name="day"),
    CheckConstraint("breaker_user_id = missing_user_id", name="breaker_was_missing"),
    CheckConstraint("(breaker_user_id IS NULL) = (broke_at IS NULL)", name="broken"),
    CheckConstraint("(outcome IS NULL) = (closed_at IS NULL)", name="closed"),
    CheckConstraint(
        "outcome = 'terminated' OR outcome = 'kept' AND broke_at IS NULL "
        "OR outcome IN ('recovered', 'reset') AND broke_at IS NOT NULL",
        name="outcome",
    ),
    Index("ix_breaks_open", "streak_id", postgresql_where=text("closed_at IS NULL")),
    info=service_may("select, insert, update", erased=kept("the partner's history; recoveries point to it (ST-18)"))
    | exported("missed_days"),
    comment="At-risk periods: who was missing, whether the day broke for it, and what came of it (ST-06, ST-08)",
)

recovery_holds = Table(
    "recovery_holds",
    metadata,
    Column("payment_id", UUID(), primary_key=True),
    Column("break_id", UUID(), nullable=False),
    Column("user_id", UUID(), nullable=False),
    Column("held_at", timestamp(), nullable=False),
    Column("held_until", timestamp(), nullable=False),
    UniqueConstraint("payment_id", "break_id"),
    ForeignKeyConstraint(["break_id", "user_id"], [breaks.c.id, breaks.c.breaker_user_id]),
    CheckConstraint("held_until > held_at", name="ends_later"),
    info=service_may("select, insert, update", erased=kept("ids of payments (ST-20)"))
    | not_exported("moments of payments, which billing exports"),
    comment="For which break a payment was authorised, and until when it was held (ST-20)",
)

recovery_payments = Table(
    "recovery_payments",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("break_id", UUID(), nullable=False),
    Column("user_id", UUID(), nullable=False),
    Column("payment_id", UUID(), nullable=False),
    Column("recovered_at", timestamp(), nullable=False),
    Column("deleted_at", timestamp()),
    Column("free", Boolean),
    UniqueConstraint("break_id"),
    UniqueConstraint("payment_id"),
    ForeignKeyConstraint(["break_id", "user_id"], [breaks.c.id, breaks.c.breaker_user_id]),
    ForeignKeyConstraint(["payment_id", "break_id"], [recovery_holds.c.payment_id, recovery_holds.c.break_id]),
    CheckConstraint("deleted_at IS NULL", name="never_deleted"),
    info=service_may("select, insert", erased=kept("payments are records (ST-18)")) | exported("recoveries"),
    comment="Links a recovery to its payment, and by its foreign key to the breaker of that very break (ST-18)",
)

nudges = Table(
    "nudges",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("streak_id", UUID(), ForeignKey(streaks.c.id), nullable=False),
    Column("break_id", UUID(), nullable=False),
    Column("sender_id", UUID(), nullable=False),
    Column("receiver_id", UUID(), nullable=False),
    Column("ordinal", SmallInteger, nullable=False),
    Column("payment_id", UUID()),
    Column("sent_at", timestamp(), nullable=False),
    Column("deleted_at", timestamp()),
    UniqueConstraint("break_id", "sender_id", "ordinal"),
    UniqueConstraint("payment_id"),
    ForeignKeyConstraint(
        ["break_id", "streak_id", "receiver_id"], [breaks.c.id, breaks.c.streak_id, breaks.c.missing_user_id]
    ),
    CheckConstraint("ordinal > 0", name="ordinal"),
    CheckConstraint("deleted_at IS NULL", name="never_deleted"),
    info=service_may("select, insert", erased=kept("the partner's history; ids")) | exported("nudges"),
    comment="Nudges, numbered within the at-risk period; those of the tier have no payment (ST-13)",
)

closed_payments = Table(
    "closed_payments",
    metadata,
    Column("payment_id", UUID(), primary_key=True),
    Column("streak_id", UUID(), ForeignKey(streaks.c.id), nullable=False),
    Column("outcome", Text, nullable=False),
    Column("closed_at", timestamp(), nullable=False),
    CheckConstraint("outcome IN ('failed', 'rejected')", name="outcome"),
    info=service_may("select, insert, update", erased=kept("ids of payments (ST-17)"))
    | not_exported("moments of payments, which billing exports"),
    comment="Payments that bring nothing: they failed, or succeeded when there was nothing to give any more (ST-17)",
)

tiers = Table(
    "tiers",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("tier", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("tier IN ('free', 'plus', 'pro')", name="tier"),
    info=service_may("select, insert, update, delete", erased=deleted("user_id = member"))
    | not_exported("a copy of what billing owns")
    | projected_from(billing="*"),
    comment="Members' tiers as billing tells them, for the number of nudges; without one: free",
)

waiting_reveals = Table(
    "waiting_reveals",
    metadata,
    Column("streak_id", UUID(), primary_key=True),
    Column("user_id", UUID(), primary_key=True),
    Column("reveal_number", SmallInteger, primary_key=True, autoincrement=False),
    Column("waiting", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("reveal_number BETWEEN 1 AND 5", name="reveal_number"),
    info=service_may("select, insert, update", erased=kept("ids and states"))
    | not_exported("a copy of what reveal owns")
    | projected_from(reveal="*"),
    comment="A projection of reveal: members' reveals that were earned or bought, and whether they wait to be opened "
    "(RE-11)",
)

rebuilds(metadata)
