"""The outbox: an event is a row in the transaction of its cause, published if and only if that commits (XX-02).

`relay.py` publishes the rows. A kept answer (BI-08) is written by the same statement, since both belong to the end of a
transaction.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg
from google.protobuf.message import Message

from unora_common import trace
from unora_common.ids import uuid7

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class KeptAnswer(NamedTuple):
    """The answer of a mutating call, under (caller, method, request id)."""

    caller: str
    method: str
    request_id: UUID
    request_hash: bytes
    answer: bytes


def subject_of(event: type[Message] | Message) -> str:
    """The subject of an event type: `unora.streak.v1.CheckedIn` is told on `unora.streak.v1.checked_in`."""
    package, _, name = event.DESCRIPTOR.full_name.rpartition(".")
    return f"{package}.{_WORD.sub('_', name).lower()}"


def type_of(subject: str) -> str:
    """The full name of the message told on a subject; the inverse of `subject_of`."""
    package, _, name = subject.rpartition(".")
    return f"{package}.{''.join(word.capitalize() for word in name.split('_'))}"


def aggregate_of(event: Message) -> tuple[UUID, int]:
    """Aggregate id and version: by convention the first two fields of every event."""
    identifier = UUID(getattr(event, event.DESCRIPTOR.fields[0].name))
    return identifier, int(getattr(event, "version"))  # noqa: B009 - the convention is not in the type


def occurred_at(event: Message) -> datetime:
    """When the event took effect (UTC)."""
    moment: datetime = getattr(event, "occurred_at").ToDatetime(UTC)  # noqa: B009
    return moment


class Outbox:
    """Writes events and kept answers of one context."""

    def __init__(self, context: str) -> None:
        kept = f"""
            INSERT INTO {context}.kept_answers (caller, method, request_id, request_hash, answer)
            VALUES ($1, $2, $3, $4, $5)"""
        rows = """
            (id, aggregate_id, aggregate_version, subject, payload, occurred_at, trace)
            SELECT id, aggregate_id, version, subject, payload, occurred_at, ${last}
            FROM unnest(${0}::uuid[], ${1}::uuid[], ${2}::bigint[], ${3}::text[], ${4}::bytea[], ${5}::timestamptz[])
                AS event (id, aggregate_id, version, subject, payload, occurred_at)"""
        into = f"INSERT INTO {context}.outbox"
        self._kept = kept
        self._events = into + rows.format(*range(1, 7), last=7)
        self.statement_with_answer = f"WITH kept AS ({kept}) {into}" + rows.format(*range(6, 12), last=12)

    async def write(
        self,
        connection: asyncpg.pool.PoolConnectionProxy[asyncpg.Record],
        events: Sequence[Message],
        kept: KeptAnswer | None,
    ) -> None:
        """Writes all of it in one round trip."""
        if not events:
            if kept:
                await connection.execute(self._kept, *kept)
            return
        aggregates = [aggregate_of(event) for event in events]
        columns = (
            [uuid7() for _ in events],
            [identifier for identifier, _ in aggregates],
            [version for _, version in aggregates],
            [subject_of(event) for event in events],
            [event.SerializeToString() for event in events],
            [occurred_at(event) for event in events],
        )
        if kept:
            await connection.execute(self.statement_with_answer, *kept, *columns, trace.current())
        else:
            await connection.execute(self._events, *columns, trace.current())
