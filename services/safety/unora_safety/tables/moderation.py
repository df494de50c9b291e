"""Restrictions, cases, flags and their rules (SA-03 to SA-06)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID
from unora_common.erased import blanked, kept, of_nobody
from unora_common.tables import not_exported, service_may, timestamp

from unora_safety.tables.schema import PATTERNS, metadata

FALSE = text("false")

restrictions = Table(
    "restrictions",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("reduced_visibility", Boolean, nullable=False, server_default=FALSE),
    Column("restricted", Boolean, nullable=False, server_default=FALSE),
    Column("suspended", Boolean, nullable=False, server_default=FALSE),
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    Column("changed_at", timestamp()),
    CheckConstraint("version >= 0", name="version"),
    info=service_may("select, insert, update", erased=kept("a standing; cases point to it"))
    | not_exported("standings (SA-03)"),
    comment="Standing of each member whom a case was ever about; its row is the lock of all that concerns them (SA-03)",
)

cases = Table(
    "cases",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("user_id", UUID(), ForeignKey("safety.restrictions.user_id", name="fk_cases_user_id"), nullable=False),
    Column("origin", Text, nullable=False),
    Column("case_status", Text, nullable=False),
    Column("appealed", Boolean, nullable=False),
    Column("moderator_id", UUID()),
    Column("decision", Text),
    Column("note", Text, nullable=False, server_default=text("''")),
    Column("opened_at", timestamp(), nullable=False),
    Column("assigned_at", timestamp()),
    Column("decided_at", timestamp()),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("origin IN ('flag', 'report', 'appeal')", name="origin"),
    CheckConstraint("case_status IN ('open', 'assigned', 'decided')", name="case_status"),
    CheckConstraint(
        "num_nonnulls(moderator_id, assigned_at) = CASE case_status WHEN 'open' THEN 0 ELSE 2 END", name="assigned"
    ),
    CheckConstraint(
        "num_nonnulls(decision, decided_at) = CASE case_status WHEN 'decided' THEN 2 ELSE 0 END", name="decided"
    ),
    CheckConstraint("decision IN ('dismiss', 'reduce_visibility', 'restrict', 'suspend')", name="decision"),
    CheckConstraint("moderator_id <> user_id", name="moderator"),
    Index("uq_cases_one_undecided", "user_id", unique=True, postgresql_where=text("case_status <> 'decided'")),
    Index("ix_cases_queue", "opened_at", "id"),
    Index("ix_cases_queue_by_status", "case_status", "opened_at", "id"),
    Index("ix_cases_of_user", "user_id", "opened_at"),
    info=service_may(
        "select, insert, update",
        erased=blanked(
            "note = ''",
            where="user_id = member AND note <> ''",
            reason="decisions are records (SA-05)",
        ),
    )
    | not_exported("cases (SA-03)"),
    comment="The moderators' queue: at most one undecided case a member (SA-05)",
)

flag_rules = Table(
    "flag_rules",
    metadata,
    Column("pattern", Text, primary_key=True),
    Column("threshold", Double, nullable=False),
    Column("window_hours", Integer, nullable=False),
    Column("enabled", Boolean, nullable=False),
    CheckConstraint(PATTERNS, name="pattern"),
    CheckConstraint("threshold > 0", name="threshold"),
    CheckConstraint("window_hours BETWEEN 1 AND 8784", name="window_hours"),
    info=service_may("select", erased=of_nobody()) | not_exported("reference data, never told (SA-03)"),
    comment="From how many on within which time a pattern raises a flag (SA-04)",
)

safety_flags = Table(
    "safety_flags",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("user_id", UUID(), ForeignKey("safety.restrictions.user_id"), nullable=False),
    Column("pattern", Text, ForeignKey("safety.flag_rules.pattern"), nullable=False),
    Column("flag_status", Text, nullable=False),
    Column("score", Double, nullable=False),
    Column("evidence", JSONB, nullable=False),
    Column("case_id", UUID(), ForeignKey("safety.cases.id"), nullable=False),
    Column("raised_at", timestamp(), nullable=False),
    Column("closed_at", timestamp()),
    Column("version", BigInteger, nullable=False),
    Column("deleted_at", timestamp()),
    CheckConstraint("flag_status IN ('open', 'closed')", name="flag_status"),
    CheckConstraint("num_nonnulls(closed_at) = CASE flag_status WHEN 'closed' THEN 1 ELSE 0 END", name="closed"),
    Index(
        "uq_safety_flags_one_open",
        "user_id",
        "pattern",
        unique=True,
        postgresql_where=text("flag_status = 'open' AND deleted_at IS NULL"),
    ),
    Index("ix_safety_flags_of_user", "user_id", "raised_at"),
    Index("ix_safety_flags_raised_at", "raised_at", "id"),
    Index("ix_safety_flags_open", "raised_at", "id", postgresql_where=text("flag_status = 'open'")),
    Index("ix_safety_flags_case_id", "case_id"),
    info=service_may("select, insert, update", erased=kept("ids and numbers (SA-04)")) | not_exported("flags (SA-02)"),
    comment="Suspicious patterns with their evidence; never shown to users (SA-02, SA-04)",
)
