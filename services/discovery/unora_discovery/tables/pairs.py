"""What stands between two members: exclusions, interests that wait, blocks (DI-09, DI-13)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID
from unora_common.erased import kept
from unora_common.tables import not_exported, projected_from, service_may, timestamp

from unora_discovery.tables.schema import SERVER_TYPES, metadata

exclusions = Table(
    "exclusions",
    metadata,
    Column("source_id", UUID(), primary_key=True),
    Column("user_id", UUID(), primary_key=True),
    Column("other_id", UUID(), nullable=False),
    Column("reason", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("apart_until", timestamp()),
    CheckConstraint("user_id <> other_id", name="two"),
    CheckConstraint("reason IN ('interest_pending', 'connected', 'ended', 'lifted')", name="reason"),
    Index(
        "ix_exclusions_user_id_other_id",
        "user_id",
        "other_id",
        postgresql_where=text("reason <> 'lifted'"),
    ),
    Index(
        "ix_exclusions_apart_until",
        "apart_until",
        postgresql_where=text("reason IN ('lifted', 'interest_pending')"),
    ),
    info=service_may("select, insert, update, delete", erased=kept("ids; they keep two apart (MA-12)"))
    | not_exported("what follows from others (MA-10)")
    | projected_from(matching="*"),
    comment="Who is not shown to whom, by the interest or connection that keeps them apart (DI-09)",
)

waiting_interests = Table(
    "waiting_interests",
    metadata,
    Column("interest_id", UUID(), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("sender_id", UUID(), nullable=False),
    Column("receiver_id", UUID(), nullable=False),
    Column("server_type", Text, nullable=False),
    Column("waits", Boolean, nullable=False),
    Column("waits_until", timestamp(), nullable=False),
    Column("position", Integer, nullable=False, server_default=text("0")),
    CheckConstraint(SERVER_TYPES, name="server_type"),
    CheckConstraint("sender_id <> receiver_id", name="two"),
    Index(
        "ix_waiting_interests_receiver_id_server_type_position",
        "receiver_id",
        "server_type",
        "position",
        postgresql_where=text("waits"),
    ),
    Index("ix_waiting_interests_waits_until", "waits_until"),
    info=service_may("select, insert, update, delete", erased=kept("ids and states; the job forget_waits deletes them"))
    | not_exported("interests received (MA-10)")
    | projected_from(matching="*"),
    comment="Interests, and whether they still wait for their receiver; no other context may know (DI-13, MA-10)",
)

member_blocks = Table(
    "member_blocks",
    metadata,
    Column("blocker_id", UUID(), primary_key=True),
    Column("blocked_id", UUID(), primary_key=True),
    Column("in_force", Boolean, nullable=False),
    Column("changed_at", timestamp(), nullable=False),
    CheckConstraint("blocker_id <> blocked_id", name="two"),
    Index("ix_member_blocks_blocked_id", "blocked_id", postgresql_where=text("in_force")),
    Index("ix_member_blocks_changed_at", "changed_at", postgresql_where=text("NOT in_force")),
    info=service_may("select, insert, update, delete", erased=kept("ids; the other one's block goes on"))
    | not_exported("a copy of what safety owns, and blocks by others (SA-07)")
    | projected_from(safety="*"),
    comment="Who blocks whom, as safety told last; in force, neither is shown to the other (DI-09)",
)
