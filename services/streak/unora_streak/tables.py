"""The tables of the streak schema. Migrations make them; a test holds both equal; services use SQL."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from unora_common.tables import metadata as schema
from unora_common.tables import timestamp

metadata = schema("streak")

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
    Index(
        "uq_streaks_one_active_per_connection",
        "connection_id",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index("ix_streaks_next_due_at", "next_due_at", postgresql_where=text("next_due_at IS NOT NULL")),
    Index("ix_streaks_user_a_id", "user_a_id"),
    Index("ix_streaks_user_b_id", "user_b_id"),
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
    comment="Daily check-ins; never changed or deleted (ST-04)",
)
