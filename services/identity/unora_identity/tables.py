"""The tables of the identity schema. Migrations make them; a test holds both equal; services use SQL."""

from __future__ import annotations

from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
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
from unora_common.tables import metadata as schema
from unora_common.tables import timestamp

metadata = schema("identity")
LIVING = text("deleted_at IS NULL")

users = Table(
    "users",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("phone_hash", LargeBinary, nullable=False),
    Column("phone_sealed", LargeBinary, nullable=False),
    Column("data_key", LargeBinary, nullable=False),
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
    UniqueConstraint("phone_hash"),
    CheckConstraint("octet_length(phone_hash) = 32", name="phone_hash"),
    CheckConstraint("tier IN ('free', 'plus', 'pro')", name="tier"),
    CheckConstraint("active_connection_count >= 0", name="active_connection_count"),
    CheckConstraint("connection_limit >= 0", name="connection_limit"),
    comment="Accounts; the lock of a member's row guards all that identity keeps of them (ID-01)",
)

roles = Table(
    "roles",
    metadata,
    Column("user_id", UUID(), ForeignKey(users.c.id), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("granted_at", timestamp(), nullable=False),
    CheckConstraint("role IN ('admin')", name="role"),
    comment="What a member may do beyond being one",
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
    CheckConstraint("(revoked_at IS NULL) = (revocation IS NULL)", name="revocation"),
    CheckConstraint("octet_length(device_digest) = 32", name="device_digest"),
    Index("ix_sessions_user_id", "user_id"),
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
    comment="Families of refresh tokens, as hashes; at most one of a family lives (ID-03)",
)

revocations = Table(
    "revocations",
    metadata,
    Column("session_id", UUID(), primary_key=True),
    Column("revoked_at", timestamp(), nullable=False, server_default=text("clock_timestamp()")),
    Index("ix_revocations_revoked_at", "revoked_at"),
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
    UniqueConstraint("phone_hash", "request_id"),
    CheckConstraint("wrong_tries >= 0", name="wrong_tries"),
    CheckConstraint("used_at IS NULL OR sent_at IS NOT NULL", name="sent_at"),
    CheckConstraint("(used_at IS NULL) = (used_by IS NULL)", name="used_by"),
    CheckConstraint("(used_at IS NULL) = (session_id IS NULL)", name="session_id"),
    Index("ix_phone_challenges_phone_hash_issued_at", "phone_hash", "issued_at"),
    Index("ix_phone_challenges_created_at", "created_at"),
    Index("ix_phone_challenges_session_id", "session_id", postgresql_where=text("session_id IS NOT NULL")),
    comment="Codes for phones, sent or about to be, with all that the account needs that they may create (ID-02)",
)

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
    comment="Checks of a Gov ID that a provider was asked for, by their reference, and how they came out (ID-06)",
)

profiles = Table(
    "profiles",
    metadata,
    Column("user_id", UUID(), ForeignKey(users.c.id), primary_key=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("date_of_birth", Date),
    Column("gender", Text),
    Column("city", Text, nullable=False, server_default=""),
    Column("bio", Text, nullable=False, server_default=""),
    Column("occupation", Text, nullable=False, server_default=""),
    Column("time_zone", Text, nullable=False, server_default=""),
    Column("age_band_changes_at", timestamp()),
    Column("deleted_at", timestamp()),
    CheckConstraint("gender IN ('woman', 'man', 'non_binary')", name="gender"),
    CheckConstraint(
        "char_length(name) <= 60 AND char_length(city) <= 80 AND char_length(bio) <= 500"
        " AND char_length(occupation) <= 80 AND char_length(time_zone) <= 64",
        name="lengths",
    ),
    Index(
        "ix_profiles_age_band_changes_at",
        "age_band_changes_at",
        postgresql_where=text("age_band_changes_at IS NOT NULL"),
    ),
    comment="The one profile of each user; empty where nothing was told yet (PR-01)",
)

photo_uploads = Table(
    "photo_uploads",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("user_id", UUID(), ForeignKey(users.c.id), nullable=False),
    Column("request_id", UUID(), nullable=False),
    Column("content_type", Text, nullable=False),
    Column("object_keys", ARRAY(Text), nullable=False),
    Column("expires_at", timestamp(), nullable=False),
    Column("removing_at", timestamp()),
    Column("replaces_photo_id", UUID()),
    UniqueConstraint("user_id", "request_id"),
    Index("ix_photo_uploads_expires_at", "expires_at"),
    comment="Offers to upload, with every object that may have come of them; times are the machine's (PR-07)",
)

photos = Table(
    "photos",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("user_id", UUID(), ForeignKey(users.c.id), nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("object_key", Text, nullable=False),
    Column("has_face", Boolean, nullable=False),
    Column("quality_passed", Boolean, nullable=False),
    Column("sharpness", REAL, nullable=False),
    Column("brightness", REAL, nullable=False),
    Column("width", SmallInteger, nullable=False),
    Column("height", SmallInteger, nullable=False),
    Column("created_at", timestamp(), nullable=False),
    Column("deleted_at", timestamp()),
    UniqueConstraint("object_key"),
    CheckConstraint("position BETWEEN 1 AND 6", name="position"),
    Index("uq_photos_user_id_position", "user_id", "position", unique=True, postgresql_where=LIVING),
    comment="At most 6 photos of each user, private until Day 15 (PR-02, PR-04)",
)

hobby_options = Table(
    "hobby_options",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("deleted_at", timestamp()),
    UniqueConstraint("name"),
    CheckConstraint("id ~ '^[a-z][a-z0-9_]{1,39}$'", name="id"),
    comment="The hobbies there are to choose from; reference data",
)

hobbies = Table(
    "hobbies",
    metadata,
    Column("user_id", UUID(), ForeignKey(users.c.id), primary_key=True),
    Column("hobby_option_id", Text, ForeignKey(hobby_options.c.id), primary_key=True),
    Column("position", SmallInteger, nullable=False),
    Column("micro_description", Text, nullable=False),
    Column("deleted_at", timestamp()),
    CheckConstraint("position BETWEEN 1 AND 10", name="position"),
    CheckConstraint("char_length(micro_description) BETWEEN 3 AND 140", name="micro_description"),
    Index("uq_hobbies_user_id_position", "user_id", "position", unique=True, postgresql_where=LIVING),
    comment="Each user's hobbies, each option once, in their own words (PR-05)",
)

disclosures = Table(
    "disclosures",
    metadata,
    Column("connection_id", UUID(), primary_key=True),
    Column("user_a_id", UUID(), nullable=False),
    Column("user_b_id", UUID(), nullable=False),
    Column("streak_id", UUID()),
    Column("completed_days", SmallInteger),
    Column("disclosed_at", timestamp()),
    Column("ended_at", timestamp()),
    Column("version", BigInteger, nullable=False),
    UniqueConstraint("streak_id"),
    CheckConstraint("user_a_id < user_b_id", name="pair_ordered"),
    CheckConstraint("completed_days = 15", name="day_15"),
    CheckConstraint("num_nulls(streak_id, completed_days, disclosed_at) IN (0, 3)", name="whole"),
    CheckConstraint("disclosed_at IS NOT NULL OR ended_at IS NOT NULL", name="disclosed_or_ended"),
    comment="Which pairs may see each other, and tombstones of those who never may (RE-04, RE-10)",
)
