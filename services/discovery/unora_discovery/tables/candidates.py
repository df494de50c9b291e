"""The pool: each member as other contexts tell of them (DI-08, DI-09, DI-17)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from unora_common.erased import deleted, kept
from unora_common.tables import not_exported, projected_from, service_may

from unora_discovery.tables.schema import AGE_BANDS, metadata

candidates = Table(
    "candidates",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("profile_version", BigInteger, nullable=False, server_default=text("0")),
    Column("discovery_ready", Boolean, nullable=False, server_default=text("false")),
    Column("gender", Text),
    Column("age_band", Text),
    Column("city", Text, nullable=False, server_default=text("''")),
    Column("trust_level", SmallInteger, nullable=False, server_default=text("0")),
    Column("hobby_option_ids", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("hobbies", JSONB, nullable=False, server_default=text("'[]'")),
    Column("inventory_version", BigInteger, nullable=False, server_default=text("0")),
    Column("tier", Text, nullable=False, server_default=text("'free'")),
    Column("active_connection_count", SmallInteger, nullable=False, server_default=text("0")),
    Column("connection_limit", SmallInteger, nullable=False, server_default=text("1")),
    Column("tier_version", BigInteger, nullable=False, server_default=text("0")),
    Column("restriction_version", BigInteger, nullable=False, server_default=text("0")),
    Column("reduced_visibility", Boolean, nullable=False, server_default=text("false")),
    Column("restricted", Boolean, nullable=False, server_default=text("false")),
    Column("suspended", Boolean, nullable=False, server_default=text("false")),
    Column("texts_version", BigInteger, nullable=False, server_default=text("0")),
    Column("place_id", Text, nullable=False, server_default=text("''")),
    CheckConstraint("gender IN ('woman', 'man', 'non_binary')", name="gender"),
    CheckConstraint(AGE_BANDS, name="age_band"),
    CheckConstraint("tier IN ('free', 'plus', 'pro')", name="tier"),
    CheckConstraint(
        "NOT discovery_ready OR (gender IS NOT NULL AND age_band IS NOT NULL"
        " AND trust_level BETWEEN 1 AND 5 AND cardinality(hobby_option_ids) >= 2)",
        name="ready_is_whole",
    ),
    CheckConstraint("jsonb_array_length(hobbies) = cardinality(hobby_option_ids)", name="hobbies"),
    info=service_may("select, insert, update", erased=deleted("user_id = member"))
    | not_exported("copies of what other contexts own, and standings (SA-03)")
    | projected_from(
        identity="profile_version discovery_ready gender age_band city place_id trust_level hobby_option_ids hobbies"
        " texts_version",
        matching="inventory_version active_connection_count connection_limit",
        billing="tier tier_version",
        safety="restriction_version reduced_visibility restricted suspended",
    ),
    comment="The pool: each member as identity, matching, billing and safety tell of them,"
    " at these versions (DI-08, DI-09)",
)

pool = Table(
    "pool",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("slot", Integer, Identity(always=True), nullable=False),
    Column("changed", BigInteger, nullable=False),
    UniqueConstraint("slot"),
    Index("ix_pool_changed", "changed"),
    # Triggers write it. The service changes `changed` where it is of another cluster.
    info=service_may("select, update (changed)", erased=kept("the slot in the planes, which is given once (DI-17)"))
    | not_exported("a number for each member"),
    comment="The slot of each member in the planes, and the transaction that changed them last (DI-17)",
)
