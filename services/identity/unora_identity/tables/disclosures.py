"""Which pairs may see each other (RE-04, RE-10)."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, SmallInteger, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import UUID
from unora_common.erased import kept
from unora_common.tables import not_exported, projected_from, service_may, timestamp

from unora_identity.tables.schema import metadata

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
    info=service_may("select, insert, update", erased=kept("the tombstone of the connection (RE-10); ids"))
    | not_exported("of two members; the identity reveal that each opened is exported by reveal")
    | projected_from(matching="*", streak="*"),
    comment="Which pairs may see each other, and tombstones of those who never may (RE-04, RE-10)",
)
