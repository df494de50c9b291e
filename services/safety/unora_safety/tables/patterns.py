"""Sightings, accounts of devices, activity, baselines, and the detector's queue (SA-04, SA-09)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import UUID
from unora_common.erased import deleted, kept, of_nobody
from unora_common.tables import not_exported, service_may, timestamp

from unora_safety.tables.schema import PATTERNS, metadata

sightings = Table(
    "sightings",
    metadata,
    Column("pattern", Text, primary_key=True),
    Column("user_id", UUID(), primary_key=True),
    Column("key", UUID(), primary_key=True),
    Column("occurred_at", timestamp(), nullable=False),
    CheckConstraint(PATTERNS, name="pattern"),
    Index("ix_sightings_user_id", "user_id"),
    Index("ix_sightings_occurred_at", "pattern", "occurred_at"),
    info=service_may("select, insert, update, delete", erased=deleted("user_id = member"))
    | not_exported("what flags come from (SA-02)"),
    comment="What patterns are counted from: each distinct thing or person once, at its latest (SA-04)",
)

device_accounts = Table(
    "device_accounts",
    metadata,
    Column("device_digest", LargeBinary, primary_key=True),
    Column("user_id", UUID(), primary_key=True),
    Column("seen_at", timestamp(), nullable=False),
    CheckConstraint("octet_length(device_digest) BETWEEN 1 AND 64", name="device_digest"),
    Index("ix_device_accounts_seen_at", "seen_at"),
    Index("ix_device_accounts_user_id", "user_id"),
    info=service_may("select, insert, update, delete", erased=deleted("user_id = member"))
    | not_exported("what flags come from (SA-02)"),
    comment="Which accounts opened a session on a device, by its keyed hash (SA-04)",
)

account_traces = Table(
    "account_traces",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("user_id", UUID(), primary_key=True),
    Column("suspended", Boolean, nullable=False),
    Column("closed_at", timestamp(), nullable=False),
    CheckConstraint("octet_length(digest) = 32", name="digest"),
    Index("ix_account_traces_user_id", "user_id"),
    Index("ix_account_traces_closed_at", "closed_at"),
    info=service_may(
        "select, insert, update, delete", erased=kept("what closing must not shed (ID-09); the job forget deletes them")
    )
    | not_exported("keyed hashes, kept against those who shed a suspension (SA-03)"),
    comment="Keyed hashes of number and devices of closed accounts; of suspended members for two years (ID-09)",
)

account_reopenings = Table(
    "account_reopenings",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("reopened_at", timestamp(), nullable=False),
    Index("ix_account_reopenings_reopened_at", "reopened_at"),
    info=service_may("select, insert, update, delete", erased=deleted("user_id = member"))
    | not_exported("when an account was opened again, as identity's events tell it"),
    comment="When an account was opened again, the latest time: what closed it before leaves no trace (ID-09)",
)

created_accounts = Table(
    "created_accounts",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("user_id", UUID(), primary_key=True),
    Column("created_at", timestamp(), nullable=False),
    CheckConstraint("octet_length(digest) = 32", name="digest"),
    Index("ix_created_accounts_user_id", "user_id"),
    Index("ix_created_accounts_created_at", "created_at"),
    info=service_may("select, insert, update, delete", erased=deleted("user_id = member"))
    | not_exported("what flags come from (SA-02)"),
    comment="Keyed hashes of number and device of new accounts, for closings of which is told late (ID-09)",
)

activity = Table(
    "activity",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("count", Integer, nullable=False),
    CheckConstraint("kind IN ('interests', 'endings', 'blocks', 'reports', 'failed_payments')", name="kind"),
    CheckConstraint("count > 0", name="count"),
    Index("ix_activity_day", "day"),
    info=service_may("select, insert, update, delete", erased=deleted("user_id = member"))
    | not_exported("what flags come from (SA-02)"),
    comment="How much of what each member did, by day (UTC), for outliers (SA-09)",
)

baselines = Table(
    "baselines",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("members", BigInteger, nullable=False),
    Column("median", Double, nullable=False),
    Column("deviation", Double, nullable=False),
    Column("measured_at", timestamp(), nullable=False),
    info=service_may("select, insert, update", erased=of_nobody()) | not_exported("what flags come from (SA-02)"),
    comment="What is usual: of ln(1 + count) over the outlier rule's window (SA-09)",
)

to_examine = Table(
    "to_examine",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("marks", BigInteger, nullable=False),
    Column("taken_until", timestamp(), nullable=False),
    Index("ix_to_examine_taken_until", "taken_until"),
    info=service_may("select, insert, update, delete", erased=deleted("user_id = member"))
    | not_exported("what flags come from (SA-02)"),
    comment="Members of whom something new was seen, until the detector has looked (SA-04)",
)
