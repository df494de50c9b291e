"""Servers, and what a member has in them: memberships, the timer, filters (DI-01, DI-04, DI-05)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from unora_common.erased import deleted, kept, of_nobody
from unora_common.tables import exported, not_exported, service_may, timestamp

from unora_discovery.tables.schema import SERVER_TYPES, metadata

servers = Table(
    "servers",
    metadata,
    Column("server_type", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("position", SmallInteger, nullable=False),
    UniqueConstraint("position"),
    CheckConstraint(SERVER_TYPES, name="server_type"),
    info=service_may("select", erased=of_nobody()) | not_exported("reference data"),
    comment="The three worlds a member takes part in; reference data (DI-01)",
)

server_memberships = Table(
    "server_memberships",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("server_type", Text, primary_key=True),
    Column("joined_at", timestamp(), nullable=False),
    Column("first_batch_at", timestamp()),
    Column("left_at", timestamp()),
    CheckConstraint(SERVER_TYPES, name="server_type"),
    CheckConstraint("first_batch_at >= joined_at", name="joined_before"),
    CheckConstraint("left_at >= joined_at", name="left_after"),
    Index("ix_server_memberships_server_type", "server_type"),
    info=service_may("select, insert, update", erased=kept("cards of the member are of a server (DI-01); ids"))
    | exported("server_memberships"),
    comment="Who has joined which server, and got a first batch there;"
    " that stays when the batch is forgotten (DI-01, DI-04)",
)

refresh_timers = Table(
    "refresh_timers",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("last_global_refresh_at", timestamp()),
    Column("refresh_available_at", timestamp()),
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint(
        "(last_global_refresh_at IS NULL) = (refresh_available_at IS NULL)"
        " AND refresh_available_at >= last_global_refresh_at",
        name="times",
    ),
    info=service_may("select, insert, update", erased=deleted("user_id = member")) | exported("refresh_timer"),
    comment="One timer for all servers; its lock guards all of a member's Discovery (DI-04)",
)

filters = Table(
    "filters",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("server_type", Text, primary_key=True),
    Column("genders", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("age_bands", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("updated_at", timestamp(), nullable=False),
    Column("deleted_at", timestamp()),
    Column("min_age", SmallInteger, nullable=False, server_default=text("18")),
    Column("max_age", SmallInteger, nullable=False, server_default=text("99")),
    Column("same_city_only", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint(SERVER_TYPES, name="server_type"),
    CheckConstraint("min_age BETWEEN 18 AND 99", name="min_age"),
    CheckConstraint("max_age BETWEEN min_age AND 99", name="max_age"),
    CheckConstraint(
        "genders <@ ARRAY['woman', 'man', 'non_binary'] AND cardinality(genders) <= 3",
        name="genders",
    ),
    CheckConstraint(
        "age_bands <@ ARRAY['18_24', '25_29', '30_34', '35_39', '40_49', '50_59', '60_plus']"
        " AND cardinality(age_bands) <= 7",
        name="age_bands",
    ),
    info=service_may("select, insert, update", erased=deleted("user_id = member")) | exported("filters"),
    comment="Whom a member wants on the cards of a server, from the next refresh on; an empty list is anyone (DI-05)",
)
