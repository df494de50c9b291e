"""The messaging tables of every schema. Only migrations and their tests import this: at run time SQL is text."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

NAMING = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


def timestamp() -> DateTime:
    """A time, always with its zone."""
    return DateTime(timezone=True)


def metadata(context: str) -> MetaData:
    """The metadata of one context's schema, with the messaging tables in it."""
    tables = MetaData(schema=context, naming_convention=NAMING)
    Table(
        "outbox",
        tables,
        Column("id", UUID(), primary_key=True),
        Column("seq", BigInteger, Identity(always=True), nullable=False),
        Column("aggregate_id", UUID(), nullable=False),
        Column("aggregate_version", BigInteger, nullable=False),
        Column("subject", Text, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        Column("occurred_at", timestamp(), nullable=False),
        Column("trace", Text, nullable=False),
        Column("created_at", timestamp(), nullable=False, server_default=func.clock_timestamp()),
        Column("published_at", timestamp()),
        UniqueConstraint("aggregate_id", "aggregate_version"),
        Index("ix_outbox_unpublished", "seq", postgresql_where=text("published_at IS NULL")),
        Index("ix_outbox_published", "created_at", postgresql_where=text("published_at IS NOT NULL")),
        comment="Events of this context, written with their cause, published by the relay (XX-02)",
    )
    Table(
        "inbox",
        tables,
        Column("consumer", Text, primary_key=True),
        Column("event_id", UUID(), primary_key=True),
        Column("applied_at", timestamp(), nullable=False, server_default=func.clock_timestamp()),
        Index("ix_inbox_applied_at", "applied_at"),
        comment="Which events were applied, so that each is applied exactly once (XX-02)",
    )
    Table(
        "inbox_failures",
        tables,
        Column("consumer", Text, primary_key=True),
        Column("event_id", UUID(), primary_key=True),
        Column("failures", Integer, nullable=False),
        Column("error", Text, nullable=False),
        Column("failed_at", timestamp(), nullable=False, server_default=func.clock_timestamp()),
        comment="Events that could not be applied, and how often it was tried",
    )
    Table(
        "kept_answers",
        tables,
        Column("caller", Text, primary_key=True),
        Column("method", Text, primary_key=True),
        Column("request_id", UUID(), primary_key=True),
        Column("request_hash", LargeBinary, nullable=False),
        Column("answer", LargeBinary, nullable=False),
        Column("kept_at", timestamp(), nullable=False, server_default=func.clock_timestamp()),
        Index("ix_kept_answers_kept_at", "kept_at"),
        comment="Answers of mutating calls, given again to a repeat (BI-08)",
    )
    return tables
