"""Accounts, sessions and sign-in codes (ID-01 to ID-03, SA-06)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from unora_common.erased import deleted, kept, of_nobody
from unora_common.tables import exported, not_exported, projected_from, service_may, timestamp

from unora_identity.tables.schema import metadata

OF_SESSIONS = "session_id IN (SELECT s.id FROM identity.sessions s WHERE s.user_id = member)"

users = Table(
    "users",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("phone_hash", LargeBinary),
    Column("phone_sealed", LargeBinary),
    Column("data_key", LargeBinary),
    Column("tier", Text, nullable=False, server_default="free"),
    Column("active_connection_count", SmallInteger, nullable=False, server_default="0"),
    Column("connection_limit", SmallInteger),
    Column("inventory_version", BigInteger, nullable=False, server_default="0"),
    Column("last_global_refresh_at", timestamp()),
    Column("refresh_available_at", timestamp()),
    Column("refresh_version", BigInteger, nullable=False, server_default="0"),
    Column("tier_version", BigInteger, nullable=False, server_default="0"),
    Column("suspended_at", timestamp()),
    Column("standing_version", BigInteger, nullable=False, server_default="0"),
    Column("streak_completed_at", timestamp()),
    Column("created_at", timestamp(), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("deleted_at", timestamp()),
    Column("texts_version", BigInteger),
    Column("paused_at", timestamp()),
    Column("closed_at", timestamp()),
    Column("hidden_at", timestamp()),
    Column("erase_after", timestamp()),
    Column("last_used_at", timestamp()),
    UniqueConstraint("phone_hash"),
    CheckConstraint("octet_length(phone_hash) = 32", name="phone_hash"),
    CheckConstraint("tier IN ('free', 'plus', 'pro')", name="tier"),
    CheckConstraint("active_connection_count >= 0", name="active_connection_count"),
    CheckConstraint("connection_limit >= 0", name="connection_limit"),
    CheckConstraint("(phone_hash IS NULL) = (phone_sealed IS NULL)", name="phone_whole"),
    CheckConstraint(
        "phone_hash IS NOT NULL OR hidden_at IS NOT NULL OR deleted_at IS NOT NULL", name="phone_or_hidden"
    ),
    CheckConstraint("hidden_at IS NULL OR phone_hash IS NULL", name="hidden_without_phone"),
    CheckConstraint("data_key IS NOT NULL OR deleted_at IS NOT NULL", name="data_key"),
    CheckConstraint("(erase_after IS NULL) = (closed_at IS NULL AND hidden_at IS NULL)", name="erase_after"),
    Index(
        "ix_users_erase_after",
        "erase_after",
        postgresql_where=text("erase_after IS NOT NULL AND deleted_at IS NULL"),
    ),
    info=service_may("select, insert, update", erased=deleted("id = member"))
    | exported("account")
    | projected_from(
        billing="tier tier_version",
        matching="active_connection_count connection_limit inventory_version",
        discovery="last_global_refresh_at refresh_available_at refresh_version",
        safety="suspended_at standing_version",
        streak="streak_completed_at",
    ),
    comment="Accounts; the lock of a member's row guards all that identity keeps of them (ID-01)",
)

roles = Table(
    "roles",
    metadata,
    Column("user_id", UUID(), ForeignKey(users.c.id), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("granted_at", timestamp(), nullable=False),
    CheckConstraint("role IN ('admin')", name="role"),
    info=service_may("select, insert, delete", erased=deleted("user_id = member")) | exported("roles"),
    comment="What a member may do beyond being one",
)

second_factors = Table(
    "second_factors",
    metadata,
    Column("user_id", UUID(), ForeignKey(users.c.id), primary_key=True),
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("last_step", BigInteger),
    Column("wrong_at", ARRAY(timestamp()), nullable=False, server_default="{}"),
    info=service_may("select, insert, update, delete", erased=deleted("user_id = member")) | not_exported("a secret"),
    comment="Sealed secrets for the sign-in of admins, and their latest tries; times are the machine's (ID-15)",
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("user_id", UUID(), ForeignKey(users.c.id), nullable=False),
    Column("started_at", timestamp(), nullable=False),
    Column("revoked_at", timestamp()),
    Column("revocation", Text),
    Column("device_digest", LargeBinary),
    Column("admin_until", timestamp()),
    CheckConstraint("(revoked_at IS NULL) = (revocation IS NULL)", name="revocation"),
    CheckConstraint("octet_length(device_digest) = 32", name="device_digest"),
    Index("ix_sessions_user_id", "user_id"),
    info=service_may("select, insert, update, delete", erased=deleted("user_id = member")) | exported("sessions"),
    comment="Sign-ins; times are the machine's (ID-03)",
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("session_id", UUID(), ForeignKey(sessions.c.id), nullable=False),
    Column("issued_at", timestamp(), nullable=False),
    Column("expires_at", timestamp(), nullable=False),
    Column("used_at", timestamp()),
    Column("used_by", UUID()),
    Column("successor", LargeBinary),
    CheckConstraint("octet_length(hash) = 32", name="hash"),
    CheckConstraint("used_at IS NOT NULL OR (used_by IS NULL AND successor IS NULL)", name="used"),
    Index("uq_refresh_tokens_one_living", "session_id", unique=True, postgresql_where=text("used_at IS NULL")),
    Index("ix_refresh_tokens_session_id", "session_id"),
    Index("ix_refresh_tokens_expires_at", "expires_at"),
    info=service_may("select, insert, update, delete", erased=deleted(OF_SESSIONS))
    | not_exported("hashes of secrets; the sessions are exported"),
    comment="Families of refresh tokens, as hashes; at most one of a family lives (ID-03)",
)

revocations = Table(
    "revocations",
    metadata,
    Column("session_id", UUID(), primary_key=True),
    Column("revoked_at", timestamp(), nullable=False, server_default=text("clock_timestamp()")),
    Index("ix_revocations_revoked_at", "revoked_at"),
    info=service_may("select, insert, update (revoked_at), delete", erased=kept("ids of sessions, for an hour"))
    | not_exported("a copy of what sessions say"),
    comment="Sessions that every process has to know as revoked, while an access token of theirs may be alive (SA-06)",
)

phone_challenges = Table(
    "phone_challenges",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("request_id", UUID(), nullable=False),
    Column("phone_hash", LargeBinary, nullable=False),
    Column("code_hash", LargeBinary, nullable=False),
    Column("issued_at", timestamp(), nullable=False),
    Column("expires_at", timestamp(), nullable=False),
    Column("sent_at", timestamp()),
    Column("wrong_tries", SmallInteger, nullable=False, server_default="0"),
    Column("used_at", timestamp()),
    Column("used_by", UUID()),
    Column("session_id", UUID(), ForeignKey(sessions.c.id, ondelete="CASCADE")),
    Column("created_account", Boolean, nullable=False, server_default=text("false")),
    Column("new_user_id", UUID(), nullable=False),
    Column("phone_sealed", LargeBinary, nullable=False),
    Column("data_key", LargeBinary, nullable=False),
    Column("created_at", timestamp(), nullable=False, server_default=text("clock_timestamp()")),
    Column("phone_hashes", ARRAY(LargeBinary), nullable=False, server_default="{}"),
    Column("known_device", LargeBinary),
    Column("account_only", Boolean, nullable=False, server_default=text("false")),
    Column("changes_user_id", UUID()),
    UniqueConstraint("phone_hash", "request_id"),
    CheckConstraint("wrong_tries >= 0", name="wrong_tries"),
    CheckConstraint("used_at IS NULL OR sent_at IS NOT NULL", name="sent_at"),
    CheckConstraint("(used_at IS NULL) = (used_by IS NULL)", name="used_by"),
    CheckConstraint("(used_at IS NULL) = (session_id IS NULL)", name="session_id"),
    CheckConstraint("octet_length(known_device) = 32", name="known_device"),
    Index("ix_phone_challenges_phone_hash_issued_at", "phone_hash", "issued_at"),
    Index("ix_phone_challenges_created_at", "created_at"),
    Index("ix_phone_challenges_session_id", "session_id", postgresql_where=text("session_id IS NOT NULL")),
    info=service_may("select, insert, update, delete", erased=deleted(OF_SESSIONS))
    | not_exported("codes that anyone may have asked for, for a day"),
    comment="Codes for phones, sent or about to be, with all that the account needs that they may create (ID-02)",
)

phone_key = Table(
    "phone_key",
    metadata,
    Column("id", Boolean, primary_key=True, server_default=text("true")),
    Column("fingerprint", LargeBinary, nullable=False),
    CheckConstraint("id", name="one_row"),
    CheckConstraint("octet_length(fingerprint) = 32", name="fingerprint"),
    info=service_may("select, insert", erased=of_nobody()) | not_exported("nothing about members"),
    comment="One row: what is derived of the key of phone numbers, by which another key is noticed (ID-01)",
)

text_messages = Table(
    "text_messages",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("challenge_id", UUID(), ForeignKey(phone_challenges.c.id, ondelete="CASCADE")),
    Column("delivery", Text),
    Column("created_at", timestamp(), nullable=False, server_default=text("clock_timestamp()")),
    CheckConstraint("char_length(message_id) BETWEEN 1 AND 64", name="message_id"),
    CheckConstraint("delivery IN ('sent', 'failed', 'delivered')", name="delivery"),
    CheckConstraint("challenge_id IS NOT NULL OR delivery IS NOT NULL", name="told"),
    Index("ix_text_messages_challenge_id", "challenge_id", postgresql_where=text("challenge_id IS NOT NULL")),
    Index("ix_text_messages_created_at", "created_at"),
    info=service_may("select, insert, update, delete", erased=of_nobody())
    | not_exported("of codes that anyone may have asked for"),
    comment="Text messages with codes by the carrier's ids, and what it told of their delivery, in any order (ID-02)",
)
