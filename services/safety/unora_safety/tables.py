"""The tables of the safety schema. Migrations make them; a test holds both equal; services use SQL."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import UUID
from unora_common.tables import metadata as schema
from unora_common.tables import timestamp

metadata = schema("safety")

SOURCE_CONTEXT = "source_context IN ('identity', 'discovery', 'matching', 'streak', 'reveal', 'billing', 'safety')"

audit_logs = Table(
    "audit_logs",
    metadata,
    Column("source_context", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("event_id", UUID(), nullable=False),
    Column("subject", Text, nullable=False),
    Column("aggregate_id", UUID(), nullable=False),
    Column("occurred_at", timestamp(), nullable=False),
    Column("recorded_at", timestamp(), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    # A key of a partitioned table holds its partition column; that a number and an event stand once over all months is
    # the trigger's to hold.
    PrimaryKeyConstraint("source_context", "number", "recorded_at"),
    UniqueConstraint("event_id", "recorded_at"),
    CheckConstraint(SOURCE_CONTEXT, name="source_context"),
    CheckConstraint("number > 0", name="number"),
    CheckConstraint(
        "octet_length(previous_hash) = CASE WHEN number = 1 THEN 0 ELSE 32 END AND octet_length(hash) = 32",
        name="hashes",
    ),
    postgresql_partition_by="RANGE (recorded_at)",
    comment="Append-only log of every event (SA-01), one hash chain a source context, partitioned by month (UTC)",
)

audit_chain_heads = Table(
    "audit_chain_heads",
    metadata,
    Column("source_context", Text, primary_key=True),
    Column("length", BigInteger, nullable=False, server_default=text("0")),
    Column("head_hash", LargeBinary, nullable=False, server_default=text("''::bytea")),
    CheckConstraint(SOURCE_CONTEXT, name="source_context"),
    CheckConstraint("octet_length(head_hash) = CASE WHEN length = 0 THEN 0 ELSE 32 END", name="head_hash"),
    comment="Where each chain of audit_logs ends (SA-01), so that a cut tail shows; its row is locked to append",
)

blocked_pairs = Table(
    "blocked_pairs",
    metadata,
    Column("blocker_id", UUID(), primary_key=True),
    Column("blocked_id", UUID(), primary_key=True),
    Column("began_with_id", UUID()),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("blocker_id <> blocked_id", name="two_members"),
    CheckConstraint("version >= 0", name="version"),
    comment="What was told of one member's blocks of another; its row is the lock under which they change (SA-02)",
)

IN_FORCE = text("deleted_at IS NULL")

blocks = Table(
    "blocks",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("blocker_id", UUID(), nullable=False),
    Column("blocked_id", UUID(), nullable=False),
    Column("target_kind", Text, nullable=False),
    Column("target_id", UUID(), nullable=False),
    Column("blocked_at", timestamp(), nullable=False),
    Column("deleted_at", timestamp()),
    ForeignKeyConstraint(
        ["blocker_id", "blocked_id"], ["safety.blocked_pairs.blocker_id", "safety.blocked_pairs.blocked_id"]
    ),
    CheckConstraint("target_kind IN ('card', 'connection')", name="target_kind"),
    CheckConstraint("deleted_at >= blocked_at", name="deleted_at"),
    Index("uq_blocks_one_in_force", "blocker_id", "target_kind", "target_id", unique=True, postgresql_where=IN_FORCE),
    Index("ix_blocks_in_force", "blocker_id", "blocked_id", postgresql_where=IN_FORCE),
    Index("ix_blocks_of_blocker", "blocker_id", "blocked_at", "id", postgresql_where=IN_FORCE),
    comment="User-to-user blocks, one a target; one is in force while any of its direction is not deleted (SA-02)",
)
