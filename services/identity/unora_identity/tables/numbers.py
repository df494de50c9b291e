"""What proves that an account is that of who holds its number, and how it comes back (ID-13)."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import UUID
from unora_common.erased import deleted, of_nobody
from unora_common.tables import not_exported, service_may, timestamp

from unora_identity.tables.accounts import users
from unora_identity.tables.schema import metadata

wrong_birth_dates = Table(
    "wrong_birth_dates",
    metadata,
    Column("user_id", UUID(), ForeignKey(users.c.id), primary_key=True),
    Column("request_id", UUID(), primary_key=True),
    Column("tried_at", timestamp(), nullable=False),
    Column("created_at", timestamp(), nullable=False, server_default=text("clock_timestamp()")),
    Index("ix_wrong_birth_dates_created_at", "created_at"),
    # One column, since locking a row needs the right to change it.
    info=service_may("select, insert, update (created_at), delete", erased=deleted("user_id = member"))
    | not_exported("guesses of whoever had the number"),
    comment="Calls that gave a wrong birth date for an account, over all codes and devices; never the date (ID-13)",
)

recovery_checks = Table(
    "recovery_checks",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("request_id", UUID(), nullable=False),
    Column("phone_hash", LargeBinary, nullable=False),
    Column("provider", Text, nullable=False),
    Column("started_at", timestamp(), nullable=False),
    Column("outcome", Text),
    Column("opaque_token", Text, nullable=False, server_default=""),
    Column("created_at", timestamp(), nullable=False, server_default=text("clock_timestamp()")),
    UniqueConstraint("phone_hash", "request_id"),
    CheckConstraint("octet_length(phone_hash) = 32", name="phone_hash"),
    CheckConstraint("outcome IN ('verified', 'refused')", name="outcome"),
    CheckConstraint("char_length(opaque_token) <= 512", name="opaque_token"),
    Index("ix_recovery_checks_created_at", "created_at"),
    info=service_may("select, insert, update, delete", erased=of_nobody()) | not_exported("of no member, for a day"),
    comment="Checks of a Gov ID by which the owner of a number wants an account back; of no member until then (ID-13)",
)
