"""Devices that get push messages, and what members want to be told (ID-17)."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, LargeBinary, Table, Text, Time, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from unora_common.erased import deleted
from unora_common.tables import exported, service_may, timestamp

from unora_identity.tables.accounts import OF_SESSIONS, sessions, users
from unora_identity.tables.schema import metadata

push_devices = Table(
    "push_devices",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("session_id", UUID(), ForeignKey(sessions.c.id, ondelete="CASCADE"), nullable=False),
    Column("platform", Text, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("token_sealed", LargeBinary, nullable=False),
    Column("locale", Text, nullable=False, server_default=""),
    Column("registered_at", timestamp(), nullable=False),
    UniqueConstraint("session_id"),
    UniqueConstraint("token_hash"),
    CheckConstraint("platform IN ('fcm', 'apns', 'web')", name="platform"),
    CheckConstraint("octet_length(token_hash) = 32", name="token_hash"),
    CheckConstraint("char_length(locale) <= 35", name="locale"),
    info=service_may("select, insert, update, delete", erased=deleted(OF_SESSIONS)) | exported("push_devices"),
    comment="Where push messages go: one token for a session, sealed, and found by a keyed hash; times are the"
    " machine's (ID-17)",
)

notification_settings = Table(
    "notification_settings",
    metadata,
    Column("user_id", UUID(), ForeignKey(users.c.id), primary_key=True),
    Column("muted", ARRAY(Text), nullable=False, server_default="{}"),
    Column("quiet_from", Time),
    Column("quiet_until", Time),
    Column("locale", Text, nullable=False, server_default=""),
    CheckConstraint(
        "muted <@ ARRAY['connections', 'streaks', 'reveals', 'discovery', 'payments', 'safety']::text[]"
        " AND cardinality(muted) <= 6",
        name="muted",
    ),
    CheckConstraint("(quiet_from IS NULL) = (quiet_until IS NULL) AND quiet_from <> quiet_until", name="quiet"),
    CheckConstraint("char_length(locale) <= 35", name="locale"),
    info=service_may("select, insert, update", erased=deleted("user_id = member")) | exported("notification_settings"),
    comment="What a member wants to be told, when, in their own time zone, and in which locale; no row: everything"
    " (ID-17)",
)
