"""The audit log (SA-01)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import UUID
from unora_common.erased import kept, of_nobody
from unora_common.tables import not_exported, service_may, timestamp

from unora_safety.tables.schema import metadata

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
    # A key of a partitioned table must contain the partition column. That a number and an event exist once over all
    # months is checked by the trigger.
    PrimaryKeyConstraint("source_context", "number", "recorded_at"),
    UniqueConstraint("event_id", "recorded_at"),
    CheckConstraint(SOURCE_CONTEXT, name="source_context"),
    CheckConstraint("number > 0", name="number"),
    CheckConstraint(
        "octet_length(previous_hash) = CASE WHEN number = 1 THEN 0 ELSE 32 END AND octet_length(hash) = 32",
        name="hashes",
    ),
    postgresql_partition_by="RANGE (recorded_at)",
    info=service_may("select, insert", erased=kept("the audit log is append-only (SA-01); ids, states and numbers"))
    | not_exported("ids and states; the rows that they tell of are exported by their owners"),
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
    info=service_may("select", erased=of_nobody()) | not_exported("nothing about members"),
    comment="Where each chain of audit_logs ends (SA-01), so that a cut tail shows; its row is locked to append",
)

audit_head_exports = Table(
    "audit_head_exports",
    metadata,
    Column("day", Date, primary_key=True),
    Column("id", UUID(), nullable=False),
    Column("exported_at", timestamp(), nullable=False),
    Column("document", Text, nullable=False),
    info=service_may("select, insert", erased=of_nobody()) | not_exported("nothing about members"),
    comment="Signed exports of the heads of audit_logs, one a day (UTC); append-only (SA-11)",
)

audit_index = Table(
    "audit_index",
    metadata,
    Column("term", Text, primary_key=True),
    Column("recorded_at", timestamp(), primary_key=True),
    Column("source_context", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    info=service_may("select, insert", erased=kept("part of the audit log; ids"))
    | not_exported("where the audit log tells of whom"),
    comment="Under which context, event, aggregate and members a row of audit_logs is found; append-only too (SA-01)",
)

audit_index_heads = Table(
    "audit_index_heads",
    metadata,
    Column("source_context", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("recorded_at", timestamp()),
    CheckConstraint("number >= 0", name="number"),
    info=service_may("select, update", erased=of_nobody()) | not_exported("nothing about members"),
    comment="Up to which row each chain is in audit_index",
)
