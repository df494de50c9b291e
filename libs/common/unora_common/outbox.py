"""The outbox: an event is a row in the transaction of its cause, published if and only if that commits (XX-02).

`relay.py` publishes the rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.message import Message

from unora_common import trace
from unora_common.batching import Write
from unora_common.ids import uuid7

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def subject_of(event: type[Message] | Message) -> str:
    """The subject of an event type: `unora.streak.v1.CheckedIn` has the subject `unora.streak.v1.checked_in`."""
    package, _, name = event.DESCRIPTOR.full_name.rpartition(".")
    return f"{package}.{_WORD.sub('_', name).lower()}"


def type_of(subject: str) -> str:
    """The full name of the message on a subject; the inverse of `subject_of`."""
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
    """Writes the events of one context."""

    def __init__(self, context: str) -> None:
        self.sql = f"""
            INSERT INTO {context}.outbox
                (id, aggregate_id, aggregate_version, subject, payload, occurred_at, trace)
            SELECT id, aggregate_id, version, subject, payload, occurred_at, $7
            FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::bytea[], $6::timestamptz[])
                AS event (id, aggregate_id, version, subject, payload, occurred_at)"""

    def write(self, events: Sequence[Message]) -> Write:
        """The statement that stores events, in the order given."""
        aggregates = [aggregate_of(event) for event in events]
        return Write(
            self.sql,
            (
                [uuid7() for _ in events],
                [identifier for identifier, _ in aggregates],
                [version for _, version in aggregates],
                [subject_of(event) for event in events],
                [event.SerializeToString() for event in events],
                [occurred_at(event) for event in events],
                trace.current(),
            ),
        )
