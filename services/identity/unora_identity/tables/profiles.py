"""Profiles, photos and hobbies (PR-01 to PR-12)."""

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
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from unora_common.erased import deleted, kept, of_nobody
from unora_common.tables import exported, not_exported, service_may, timestamp

from unora_identity.tables.accounts import users
from unora_identity.tables.schema import LIVING, metadata

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
    Column("birth_date_refused_at", timestamp()),
    Column("place_id", Text, nullable=False, server_default=""),
    Column("country", Text, nullable=False, server_default=""),
    CheckConstraint("gender IN ('woman', 'man', 'non_binary')", name="gender"),
    CheckConstraint(
        "char_length(name) <= 480 AND char_length(city) <= 640 AND char_length(bio) <= 4000"
        " AND char_length(occupation) <= 640 AND char_length(time_zone) <= 64",
        name="lengths",
    ),
    CheckConstraint(
        "(place_id = '') = (country = '') AND (place_id = '' OR city <> '')"
        " AND place_id ~ '^[0-9]{0,9}$' AND country ~ '^([A-Z]{2})?$'",
        name="place",
    ),
    Index(
        "ix_profiles_age_band_changes_at",
        "age_band_changes_at",
        postgresql_where=text("age_band_changes_at IS NOT NULL"),
    ),
    info=service_may("select, insert, update", erased=deleted("user_id = member")) | exported("profile"),
    comment="The one profile of each user; empty where nothing was told yet (PR-01)",
)

written_cities = Table(
    "written_cities",
    metadata,
    Column("user_id", UUID(), ForeignKey(users.c.id), primary_key=True),
    Column("sought_in", Text, nullable=False, server_default=""),
    info=service_may("select, insert, update, delete", erased=deleted("user_id = member"))
    | not_exported("work that is left; the city is in the profile"),
    comment="Who has a city that was written and is no place yet, and in which version of the list it was not found"
    " (PR-11)",
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
    Column("refusals", JSONB, nullable=False, server_default=text("'[]'")),
    UniqueConstraint("user_id", "request_id"),
    Index("ix_photo_uploads_expires_at", "expires_at"),
    # Without its row an object would be lost, so the job erase_objects deletes both, before `erase_member` begins.
    info=service_may("select, insert, update, delete", erased=kept("none is left: erase_objects deletes them"))
    | not_exported("offers, for an hour; the photos are exported"),
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
    Column("card_key", Text),
    Column("thumbnail_key", Text),
    Column("fingerprint", BigInteger),
    UniqueConstraint("object_key"),
    CheckConstraint("position BETWEEN 1 AND 6", name="position"),
    Index("ix_photos_user_id", "user_id"),
    Index("uq_photos_user_id_position", "user_id", "position", unique=True, postgresql_where=LIVING),
    info=service_may("select, insert, update", erased=deleted("user_id = member")) | exported("photos"),
    comment="At most 6 photos of each user, private until Day 15 (PR-02, PR-04)",
)

photo_sizing = Table(
    "photo_sizing",
    metadata,
    Column("id", Boolean, primary_key=True, server_default=text("true")),
    Column("passed_photo_id", UUID(), nullable=False, server_default=text("'00000000-0000-0000-0000-000000000000'")),
    Column("tries", Integer, nullable=False, server_default=text("1")),
    Column("claimed_until", timestamp(), nullable=False),
    CheckConstraint("id", name="one_row"),
    info=service_may("select, insert, update", erased=of_nobody()) | not_exported("nothing about members"),
    comment="One row: how far the job has come that makes the sizes of earlier photos; times are the machine's (PR-09)",
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
    info=service_may("select", erased=of_nobody()) | not_exported("reference data"),
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
    Column("hidden", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("position BETWEEN 1 AND 10", name="position"),
    CheckConstraint("char_length(micro_description) BETWEEN 3 AND 1120", name="micro_description"),
    Index("uq_hobbies_user_id_position", "user_id", "position", unique=True, postgresql_where=LIVING),
    info=service_may("select, insert, update (hidden), delete", erased=deleted("user_id = member"))
    | exported("hobbies"),
    comment="Each user's hobbies, each option once, in their own words (PR-05)",
)

text_checks = Table(
    "text_checks",
    metadata,
    Column("user_id", UUID(), ForeignKey(users.c.id), primary_key=True),
    Column("guard_version", Integer, nullable=False, server_default=text("0")),
    Index("ix_text_checks_guard_version", "guard_version", "user_id"),
    info=service_may("select, insert, update", erased=deleted("user_id = member"))
    | not_exported("work that is left; what was hidden is said with the hobbies"),
    comment="Which version of the guard has judged the words of each member's hobbies; 0 since a change (PR-10)",
)
