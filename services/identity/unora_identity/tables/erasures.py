"""Erasures of accounts (ID-09)."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from unora_common.erased import kept
from unora_common.tables import not_exported, service_may, timestamp

from unora_identity.tables.schema import metadata

erasures = Table(
    "erasures",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("user_id", UUID(), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("requested_at", timestamp(), nullable=False),
    Column("receipts", ARRAY(Text), nullable=False, server_default="{}"),
    Column("erased_at", timestamp()),
    Column("noted_at", timestamp(), nullable=False, server_default=text("clock_timestamp()")),
    UniqueConstraint("user_id"),
    CheckConstraint(
        "receipts <@ ARRAY['identity', 'discovery', 'matching', 'streak', 'reveal', 'billing', 'safety', 'objects']",
        name="receipts",
    ),
    CheckConstraint("erased_at IS NULL OR cardinality(receipts) = 8", name="erased_with_all_receipts"),
    Index("ix_erasures_waiting", "noted_at", postgresql_where=text("erased_at IS NULL")),
    info=service_may("select, insert, update (receipts, erased_at, version)", erased=kept("the record of the erasure"))
    | not_exported("nobody is left to export for"),
    comment="Erasures, with the receipts of the seven contexts and the object store; the id maps to nobody (ID-09)",
)
