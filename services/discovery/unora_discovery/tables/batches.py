"""Batches and their cards (DI-02, DI-03)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID
from unora_common.erased import deleted
from unora_common.tables import exported, service_may, timestamp

from unora_discovery.tables.schema import AGE_BANDS, CARDS_OF_MEMBER, SERVER_TYPES, metadata

# Whole batches of the member: a batch has five cards or none.
OWN_CARDS = deleted(
    "batch_id = ANY (ARRAY(SELECT b.id FROM discovery.discovery_batches b WHERE b.user_id = member LIMIT 50))"
)

discovery_batches = Table(
    "discovery_batches",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("user_id", UUID(), nullable=False),
    Column("server_type", Text, nullable=False),
    Column("created_at", timestamp(), nullable=False),
    Column("deleted_at", timestamp()),
    CheckConstraint(SERVER_TYPES, name="server_type"),
    Index(
        "uq_discovery_batches_one_active",
        "user_id",
        "server_type",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index("ix_discovery_batches_user_id_deleted_at", "user_id", "deleted_at"),
    Index("ix_discovery_batches_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    info=service_may(
        "select, insert, update, delete",
        erased=deleted(
            "user_id = member"
            " AND NOT EXISTS (SELECT FROM discovery.discovery_cards k WHERE k.batch_id = discovery_batches.id)"
        ),
    )
    | exported("batches"),
    comment="A member's batches per server; one is active, until the next refresh (DI-03)",
)

discovery_cards = Table(
    "discovery_cards",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("batch_id", UUID(), ForeignKey(discovery_batches.c.id), nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("shown_user_id", UUID(), nullable=False),
    Column("age_band", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("trust_level", SmallInteger, nullable=False),
    Column("hobbies", JSONB, nullable=False),
    Column("deleted_at", timestamp()),
    Column("profile_version", BigInteger, nullable=False, server_default=text("0")),
    Column("place_id", Text, nullable=False, server_default=text("''")),
    UniqueConstraint("batch_id", "position"),
    UniqueConstraint("batch_id", "shown_user_id"),
    CheckConstraint("position BETWEEN 1 AND 5", name="position"),
    CheckConstraint(AGE_BANDS, name="age_band"),
    CheckConstraint("trust_level BETWEEN 1 AND 5", name="trust_level"),
    CheckConstraint("jsonb_typeof(hobbies) = 'array'", name="hobbies"),
    Index("ix_discovery_cards_shown_user_id", "shown_user_id"),
    info=service_may("select, insert, update, delete", erased=(OWN_CARDS, CARDS_OF_MEMBER)) | exported("batches"),
    comment="Exactly five cards per batch, as they were when made: no photo, name, phone or age (DI-02, DI-08)",
)
