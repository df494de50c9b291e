"""The tables of the matching schema. Migrations make them; a test holds both equal; services use SQL."""

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
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import UUID
from unora_common.erased import blanked, kept
from unora_common.tables import exported, not_exported, projected_from, rebuilds, service_may, timestamp
from unora_common.tables import metadata as schema

metadata = schema("matching")

inventory = Table(
    "inventory",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("tier", Text, nullable=False),
    Column("active_connection_count", Integer, nullable=False),
    Column("connection_limit", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("tier_limit", Integer, nullable=False, server_default=text("1")),
    Column("tier_version", BigInteger, nullable=False, server_default=text("0")),
    Column("restricted", Boolean, nullable=False, server_default=text("false")),
    Column("suspended", Boolean, nullable=False, server_default=text("false")),
    Column("standing_version", BigInteger, nullable=False, server_default=text("0")),
    Column("standing_at", timestamp()),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    Column("closed", Boolean, nullable=False, server_default=text("false")),
    Column("away_version", BigInteger, nullable=False, server_default=text("0")),
    Column("away_at", timestamp()),
    CheckConstraint("tier IN ('free', 'plus', 'pro')", name="tier"),
    CheckConstraint("active_connection_count BETWEEN 0 AND connection_limit", name="within_limit"),
    CheckConstraint("connection_limit = greatest(tier_limit, active_connection_count)", name="effective_limit"),
    info=service_may(
        "select, insert, update",
        # Interests may still come, on cards that were dealt before: by this row they match nobody.
        erased=blanked(
            "paused = false, closed = true, restricted = false, suspended = false",
            where="user_id = member AND NOT (closed AND NOT paused AND NOT restricted AND NOT suspended)",
            reason="ids and slots; that nobody connects with them",
        ),
    )
    | exported("inventory")
    | projected_from(
        billing="tier tier_limit tier_version",
        safety="restricted suspended standing_version standing_at",
        identity="paused closed away_version away_at",
    ),
    comment="Slots of each member over all servers (MA-06); its row is the lock under which they match (MA-02)",
)

connections = Table(
    "connections",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("user_a_id", UUID(), nullable=False),
    Column("user_b_id", UUID(), nullable=False),
    Column("server_type", Text, nullable=False),
    Column("connection_status", Text, nullable=False),
    Column("formed_at", timestamp(), nullable=False),
    Column("ended_at", timestamp()),
    Column("ended_by_id", UUID()),
    Column("end_reason", Text),
    Column("chat_unlocked_at", timestamp()),
    Column("version", BigInteger, nullable=False),
    Column("deleted_at", timestamp()),
    Column("acted_at", timestamp()),
    CheckConstraint("user_a_id < user_b_id", name="pair_ordered"),
    CheckConstraint("server_type IN ('partner', 'friend', 'growth')", name="server_type"),
    CheckConstraint("connection_status IN ('active', 'ended')", name="connection_status"),
    CheckConstraint(
        "num_nonnulls(ended_at, ended_by_id, end_reason) = CASE connection_status WHEN 'ended' THEN 3 ELSE 0 END",
        name="ended",
    ),
    CheckConstraint("ended_by_id IN (user_a_id, user_b_id)", name="ended_by_one_of_the_pair"),
    CheckConstraint(
        "end_reason IN ('not_a_fit', 'no_time', 'unresponsive', 'uncomfortable', 'other', 'block', 'suspension',"
        " 'closing')",
        name="end_reason",
    ),
    CheckConstraint("acted_at IS NULL OR acted_at <= ended_at", name="acted_before"),
    Index(
        "uq_connections_one_active_per_pair",
        "user_a_id",
        "user_b_id",
        unique=True,
        postgresql_where=text("connection_status = 'active' AND deleted_at IS NULL"),
    ),
    Index("ix_connections_user_a_id_user_b_id", "user_a_id", "user_b_id"),
    Index("ix_connections_user_b_id", "user_b_id"),
    info=service_may(
        "select, insert, update", erased=kept("the partner's history; an ended pair never connects again (MA-12)")
    )
    | exported("connections")
    | projected_from(streak="chat_unlocked_at"),
    comment="Formed by mutual interest, bound to one server (MA-08)",
)

interests = Table(
    "interests",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("sender_id", UUID(), nullable=False),
    Column("receiver_id", UUID(), nullable=False),
    Column("server_type", Text, nullable=False),
    Column("card_id", UUID(), nullable=False),
    Column("interest_status", Text, nullable=False),
    Column("shown_as", Text, nullable=False),
    Column("sent_at", timestamp(), nullable=False),
    Column("closed_at", timestamp()),
    Column("connection_id", UUID(), ForeignKey(connections.c.id)),
    Column("version", BigInteger, nullable=False),
    Column("deleted_at", timestamp()),
    CheckConstraint("sender_id <> receiver_id", name="not_to_oneself"),
    CheckConstraint("server_type IN ('partner', 'friend', 'growth')", name="server_type"),
    CheckConstraint(
        "interest_status IN ('pending', 'matched', 'wiped', 'void', 'withdrawn', 'expired')", name="interest_status"
    ),
    CheckConstraint(
        "CASE interest_status WHEN 'void' THEN shown_as IN ('pending', 'wiped', 'withdrawn', 'expired')"
        " ELSE shown_as = interest_status END",
        name="shown_as",
    ),
    CheckConstraint("(interest_status = 'pending') = (closed_at IS NULL)", name="closed"),
    CheckConstraint("(interest_status = 'matched') = (connection_id IS NOT NULL)", name="matched"),
    Index(
        "uq_interests_one_pending",
        "sender_id",
        "receiver_id",
        "server_type",
        unique=True,
        postgresql_where=text("shown_as = 'pending' AND deleted_at IS NULL"),
    ),
    Index("ix_interests_sender_id_sent_at_id", "sender_id", "sent_at", "id"),
    Index("ix_interests_sent_at", "sent_at", postgresql_where=text("shown_as = 'pending' AND deleted_at IS NULL")),
    Index(
        "ix_interests_receiver_id",
        "receiver_id",
        postgresql_where=text("interest_status = 'pending' AND deleted_at IS NULL"),
    ),
    Index("ix_interests_connection_id", "connection_id", postgresql_where=text("connection_id IS NOT NULL")),
    Index("ix_interests_closed_at", "closed_at", postgresql_where=text("shown_as NOT IN ('pending', 'matched')")),
    # Only those that came to nothing long ago can be deleted: the trigger `hold_closed_interest`.
    info=service_may(
        "select, insert, update, delete", erased=kept("ids and states; the job purge_interests deletes them")
    )
    | exported("interests"),
    comment="One-way wishes (MA-01); shown_as is what the sender sees, to whom a void one looks pending (MA-11)",
)

interest_wipes = Table(
    "interest_wipes",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("user_id", UUID(), nullable=False),
    Column("connection_id", UUID(), ForeignKey(connections.c.id)),
    Column("wiped_count", Integer, nullable=False),
    Column("wiped_at", timestamp(), nullable=False),
    Column("deleted_at", timestamp()),
    UniqueConstraint("connection_id", "user_id"),
    CheckConstraint("wiped_count >= 0", name="wiped_count"),
    CheckConstraint("deleted_at IS NULL", name="never_deleted"),
    Index("ix_interest_wipes_user_id", "user_id"),
    info=service_may("insert", erased=kept("the log is append-only (MA-04); ids and counts"))
    | not_exported("a log that the service cannot read; the interests say it"),
    comment="Log of Total Wipes, one for each last slot that a connection or a tier took (MA-04); append-only",
)

blocked_pairs = Table(
    "blocked_pairs",
    metadata,
    Column("blocker_id", UUID(), primary_key=True),
    Column("blocked_id", UUID(), primary_key=True),
    Column("block_id", UUID(), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("blocked", Boolean, nullable=False),
    Column("changed_at", timestamp(), nullable=False),
    CheckConstraint("blocker_id <> blocked_id", name="not_oneself"),
    info=service_may("select, insert, update", erased=kept("ids; the other one's block goes on (MA-12)"))
    | not_exported("a copy of what safety owns, and blocks by others (SA-07)")
    | projected_from(safety="*"),
    comment="Who blocks whom, each direction by itself, as safety tells it (MA-12); a lifted block stays as such",
)

rebuilds(metadata)
