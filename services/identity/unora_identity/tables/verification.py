"""Signals of trust and Gov ID checks (ID-05, ID-06)."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import UUID
from unora_common.erased import deleted
from unora_common.tables import exported, service_may, timestamp

from unora_identity.tables.accounts import users
from unora_identity.tables.schema import LIVING, metadata

verification_signals = Table(
    "verification_signals",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("user_id", UUID(), ForeignKey(users.c.id), nullable=False),
    Column("signal_type", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("opaque_token", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("created_at", timestamp(), nullable=False),
    Column("decided_at", timestamp()),
    Column("deleted_at", timestamp()),
    CheckConstraint("signal_type IN ('oauth', 'gov_id', 'booster')", name="signal_type"),
    CheckConstraint("outcome IN ('pending', 'verified', 'refused')", name="outcome"),
    CheckConstraint("char_length(opaque_token) <= 512", name="opaque_token"),
    CheckConstraint("(outcome = 'pending') = (decided_at IS NULL)", name="decided_at"),
    Index("ix_verification_signals_user_id", "user_id"),
    Index(
        "uq_verification_signals_one_account",
        *("signal_type", "provider", "opaque_token"),
        unique=True,
        postgresql_where=text("deleted_at IS NULL AND outcome = 'verified' AND signal_type <> 'booster'"),
    ),
    Index(
        "uq_verification_signals_user_id_signal_type_provider",
        *("user_id", "signal_type", "provider"),
        unique=True,
        postgresql_where=LIVING,
    ),
    info=service_may("select, insert, update", erased=deleted("user_id = member")) | exported("verification_signals"),
    comment="A provider's opaque token and its outcome, never a document (ID-05, ID-06)",
)

gov_id_checks = Table(
    "gov_id_checks",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("user_id", UUID(), ForeignKey(users.c.id), nullable=False),
    Column("request_id", UUID(), nullable=False),
    Column("provider", Text, nullable=False),
    Column("profile_digest", LargeBinary, nullable=False),
    Column("started_at", timestamp(), nullable=False),
    Column("outcome", Text),
    Column("decided_at", timestamp()),
    UniqueConstraint("user_id", "request_id"),
    CheckConstraint("octet_length(profile_digest) = 32", name="profile_digest"),
    CheckConstraint("outcome IN ('verified', 'refused')", name="outcome"),
    CheckConstraint("(outcome IS NULL) = (decided_at IS NULL)", name="decided_at"),
    info=service_may("select, insert, update", erased=deleted("user_id = member")) | exported("gov_id_checks"),
    comment="Checks of a Gov ID that a provider was asked for, by their reference, and how they came out (ID-06)",
)
