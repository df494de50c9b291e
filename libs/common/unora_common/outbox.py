"""The outbox: an event is a row in the transaction of its cause, published if and only if that commits (XX-02).

`relay.py` publishes the rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message
from unora_sdk.names import aggregate_of, occurred_at, subject_of

from unora_common import trace
from unora_common.batching import Write
from unora_common.ids import uuid7


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
