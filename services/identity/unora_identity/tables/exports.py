"""Exports of members' own data (ID-10)."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID
from unora_common.erased import deleted
from unora_common.tables import not_exported, service_may, timestamp

from unora_identity.tables.accounts import users
from unora_identity.tables.schema import metadata

MAKING = text("state = 'making'")

exports = Table(
    "exports",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("user_id", UUID(), ForeignKey(users.c.id), nullable=False),
    Column("session_id", UUID(), nullable=False),
    Column("state", Text, nullable=False, server_default="making"),
    Column("steps_done", SmallInteger, nullable=False, server_default=text("0")),
    Column("size", BigInteger, nullable=False, server_default=text("0")),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("claimed_until", timestamp()),
    Column("requested_at", timestamp(), nullable=False, server_default=text("clock_timestamp()")),
    Column("ready_at", timestamp()),
    Column("kept_until", timestamp(), nullable=False),
    CheckConstraint("state IN ('making', 'ready', 'failed')", name="state"),
    CheckConstraint("steps_done >= 0", name="steps_done"),
    CheckConstraint("(state = 'ready') = (ready_at IS NOT NULL) AND (state = 'ready') = (size > 0)", name="ready"),
    Index("uq_exports_one_making", "user_id", unique=True, postgresql_where=MAKING),
    Index("ix_exports_user_id_requested_at", "user_id", "requested_at"),
    Index("ix_exports_making", "requested_at", postgresql_where=MAKING),
    Index("ix_exports_kept_until", "kept_until"),
    info=service_may("select, insert, update, delete", erased=deleted("user_id = member"))
    | not_exported("the export itself"),
    comment="Archives that members asked for of their own data; times are the machine's (ID-10)",
)
