"""The messaging tables of every schema. Only migrations and their tests import this: at run time SQL is text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
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

from unora_common.erased import Erased, deleted, kept, of_nobody

RIGHTS: Final = "service_may"
ERASED: Final = "erased"
FUNCTIONS: Final = "service_may_call"
EXPORTED: Final = "exported"
NOT_EXPORTED: Final = "not_exported"
PROJECTED: Final = "projected_from"

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


def service_may(rights: str, *, erased: Erased | tuple[Erased, ...] = ()) -> dict[str, object]:
    """The `info` of a table: what the role of the service may do with it, such as `select, update (published_at)`, and
    what the erasure of a member does with it (ID-09).

    `migrate` grants exactly that (grants.py), and makes the function that erases (erase_function.py).
    """
    return {RIGHTS: rights, ERASED: (erased,) if isinstance(erased, Erased) else erased}


def exported(*sections: str) -> dict[str, str]:
    """Goes into the `info` of a table: the sections of a member's export that hold their rows of it (ID-10)."""
    return {EXPORTED: ", ".join(sections)}


def not_exported(why: str) -> dict[str, str]:
    """Goes into the `info` of a table: why a member's export holds nothing of it (ID-10)."""
    return {NOT_EXPORTED: why}


def projected_from(**columns: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """Goes into the `info` of a table that copies facts of other contexts: by the context that owns them, the columns,
    or `*` for the whole row. A table without it is its context's own record (docs/projections.md, XX-08).
    """
    return {PROJECTED: {owner: tuple(names.split()) for owner, names in columns.items()}}


def metadata(context: str, functions: Sequence[str] = ()) -> MetaData:
    """The metadata of one context's schema, with the messaging tables in it. `functions` are those that the role of the
    service may call, besides those of erasure; a trigger needs no right to call its own.
    """
    callable_ = (*functions, "erased_among", "erase_member")
    tables = MetaData(schema=context, naming_convention=NAMING, info={FUNCTIONS: callable_})
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
        # Unpublished rows cannot be deleted: the trigger `hold_outbox`. What happened cannot be rewritten.
        info=service_may("select, insert, update (published_at), delete", erased=kept("ids and states, for days"))
        | not_exported("ids and states; the rows that they tell of are exported"),
        comment="Events of this context, written with their cause, published by the relay (XX-02)",
    )
    Table(
        "inbox",
        tables,
        Column("consumer", Text, primary_key=True),
        Column("event_id", UUID(), primary_key=True),
        Column("applied_at", timestamp(), nullable=False, server_default=func.clock_timestamp()),
        Index("ix_inbox_applied_at", "applied_at"),
        # One column, since locking a row needs the right to change it (Housekeeping).
        info=service_may("select, insert, update (applied_at), delete", erased=of_nobody())
        | not_exported("which events were applied; nothing about members"),
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
        Index("ix_inbox_failures_failed_at", "failed_at"),
        info=service_may("select, insert, update, delete", erased=of_nobody())
        | not_exported("which events failed; nothing about members"),
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
        info=service_may("select, insert, update (kept_at), delete", erased=deleted("caller = member::text"))
        | not_exported("copies of answers, for a day"),
        comment="Answers of mutating calls, given again to a repeat (BI-08)",
    )
    Table(
        "erased_members",
        tables,
        Column("user_id", UUID(), primary_key=True),
        Column("erasure_id", UUID(), nullable=False),
        Column("noted_at", timestamp(), nullable=False, server_default=func.clock_timestamp()),
        Column("erased_at", timestamp()),
        Index("ix_erased_members_waiting", "noted_at", postgresql_where=text("erased_at IS NULL")),
        info=service_may("select, insert, update (erased_at)", erased=kept("the tombstone"))
        | not_exported("whom to erase; nobody is left to export for"),
        comment="Whom identity asked to erase: tombstones, against which late events are held (ID-09)",
    )
    return tables


def rebuilds(tables: MetaData) -> Table:
    """The table of a context with projections in which their rebuilds note how far they are (XX-08)."""
    return Table(
        "rebuilds",
        tables,
        Column("part", Text, primary_key=True),
        Column("run_id", UUID(), nullable=False),
        Column("token", Text, nullable=False),
        Column("members", BigInteger, nullable=False),
        Column("finished_at", timestamp()),
        CheckConstraint("members >= 0", name="members"),
        info=service_may("select, insert, update", erased=of_nobody()) | not_exported("nothing about members"),
        comment="Of each projection, how far the latest rebuild has come; times are the machine's (XX-08)",
    )
