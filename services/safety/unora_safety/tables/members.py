"""Blocks, reports and appeals of members (SA-02, SA-06, SA-07)."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID
from unora_common.erased import blanked, deleted, kept
from unora_common.tables import exported, not_exported, service_may, timestamp

from unora_safety.tables.schema import metadata

blocked_pairs = Table(
    "blocked_pairs",
    metadata,
    Column("blocker_id", UUID(), primary_key=True),
    Column("blocked_id", UUID(), primary_key=True),
    Column("began_with_id", UUID()),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("blocker_id <> blocked_id", name="two_members"),
    CheckConstraint("version >= 0", name="version"),
    info=service_may("select, insert, update", erased=kept("ids; the other one's block goes on (SA-02)"))
    | not_exported("a lock; the blocks are exported"),
    comment="What was told of one member's blocks of another; its row is the lock under which they change (SA-02)",
)

IN_FORCE = text("deleted_at IS NULL")

blocks = Table(
    "blocks",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("blocker_id", UUID(), nullable=False),
    Column("blocked_id", UUID(), nullable=False),
    Column("target_kind", Text, nullable=False),
    Column("target_id", UUID(), nullable=False),
    Column("blocked_at", timestamp(), nullable=False),
    Column("deleted_at", timestamp()),
    ForeignKeyConstraint(
        ["blocker_id", "blocked_id"], ["safety.blocked_pairs.blocker_id", "safety.blocked_pairs.blocked_id"]
    ),
    CheckConstraint("target_kind IN ('card', 'connection')", name="target_kind"),
    CheckConstraint("deleted_at >= blocked_at", name="deleted_at"),
    Index("uq_blocks_one_in_force", "blocker_id", "target_kind", "target_id", unique=True, postgresql_where=IN_FORCE),
    Index("ix_blocks_in_force", "blocker_id", "blocked_id", postgresql_where=IN_FORCE),
    Index("ix_blocks_of_blocked", "blocked_id", postgresql_where=IN_FORCE),
    Index("ix_blocks_blocker_id", "blocker_id"),
    Index("ix_blocks_of_blocker", "blocker_id", "blocked_at", "id", postgresql_where=IN_FORCE),
    info=service_may("select, insert, update", erased=kept("ids; history for moderators (SA-02)")) | exported("blocks"),
    comment="User-to-user blocks, one a target; one is in force while any of its direction is not deleted (SA-02)",
)

reports = Table(
    "reports",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("reporter_id", UUID(), nullable=False),
    Column("reported_id", UUID(), nullable=False),
    Column("target_kind", Text, nullable=False),
    Column("target_id", UUID(), nullable=False),
    Column("category", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("case_id", UUID(), ForeignKey("safety.cases.id"), nullable=False),
    Column("reported_at", timestamp(), nullable=False),
    Column("deleted_at", timestamp()),
    CheckConstraint("reporter_id <> reported_id", name="two_members"),
    CheckConstraint("target_kind IN ('card', 'connection')", name="target_kind"),
    CheckConstraint(
        "category IN ('harassment', 'sexual_content', 'impersonation', 'scam', 'under_age', 'other')", name="category"
    ),
    CheckConstraint("char_length(note) <= 8000", name="note"),
    Index("ix_reports_of_reported", "reported_id", "reported_at"),
    Index("ix_reports_of_reporter", "reporter_id", "reported_at"),
    Index("ix_reports_case_id", "case_id"),
    info=service_may(
        "select, insert",
        erased=blanked(
            "note = ''",
            where="(reporter_id = member OR reported_id = member) AND note <> ''",
            reason="who reported whom, for what (SA-07)",
        ),
    )
    | exported("reports"),
    comment="User-submitted safety reports; the author is never told to the reported (SA-07)",
)

own_notes = Table(
    "own_notes",
    metadata,
    Column("report_id", UUID(), primary_key=True),
    Column("reporter_id", UUID(), nullable=False),
    Column("note", Text, nullable=False),
    Column("reported_at", timestamp(), nullable=False),
    CheckConstraint("char_length(note) BETWEEN 1 AND 8000", name="note"),
    Index("ix_own_notes_reporter_id", "reporter_id"),
    Index("ix_own_notes_reported_at", "reported_at"),
    # Not what is about the reported: a note that vanished would tell its author that the reported is erased.
    info=service_may("select, insert, update, delete", erased=deleted("reporter_id = member")) | exported("reports"),
    comment="The notes of reports for their authors, until they are closed, whatever becomes of the reported (SA-10)",
)

appeals = Table(
    "appeals",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("user_id", UUID(), nullable=False),
    Column("case_id", UUID(), ForeignKey("safety.cases.id"), nullable=False),
    Column("text", Text, nullable=False),
    Column("submitted_at", timestamp(), nullable=False),
    Column("deleted_at", timestamp()),
    CheckConstraint("char_length(text) BETWEEN 1 AND 32000", name="text"),
    Index("ix_appeals_of_user", "user_id", "submitted_at"),
    Index("ix_appeals_case_id", "case_id"),
    info=service_may(
        "select, insert",
        erased=blanked(
            "text = '-'",
            where="user_id = member AND text <> '-'",
            reason="cases are opened by it (SA-05)",
        ),
    )
    | exported("appeals"),
    comment="What members asked the moderators to look at again (SA-06)",
)
