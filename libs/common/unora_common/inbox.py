"""The inbox of a consumer: which events it has applied, and how often applying one has failed (XX-02)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora_sdk.deliveries import Delivery

from unora_common.database import Tx


class Inbox:
    """The rows of one consumer in the inbox of its context."""

    def __init__(self, schema: str, consumer: str, *, of_erased: bool) -> None:
        """`of_erased` says that the consumer takes events of erased members too (ID-09)."""
        self._consumer = consumer
        self._of_erased = of_erased
        self._note = f"""
            INSERT INTO {schema}.inbox (consumer, event_id) SELECT $1, unnest($2::uuid[])
            ON CONFLICT DO NOTHING RETURNING event_id"""
        self._note_and_ask = f"""
            WITH noted AS ({self._note}) SELECT event_id, NULL::uuid AS erased FROM noted
            UNION ALL SELECT NULL, erased FROM {schema}.erased_among($3) AS erased"""
        self._count = f"""
            INSERT INTO {schema}.inbox_failures AS f (consumer, event_id, failures, error) VALUES ($1, $2, 1, $3)
            ON CONFLICT (consumer, event_id) DO UPDATE
            SET failures = f.failures + 1, error = excluded.error, failed_at = clock_timestamp() RETURNING failures"""

    async def note(self, tx: Tx, events: Sequence[Delivery]) -> set[UUID]:
        """Notes the events, and returns the ids of those that are to be applied: those that are new. One whose
        aggregate is an erased member is only noted: it would bring back what was erased.
        """
        # In one order, so that two replicas with the same events do not wait for each other.
        identifiers = sorted({each.id for each in events})
        if self._of_erased:
            return {row["event_id"] for row in await tx.rows(self._note, self._consumer, identifiers)}
        aggregates = list({UUID(each.envelope.aggregate_id) for each in events})
        rows = await tx.rows(self._note_and_ask, self._consumer, identifiers, aggregates)
        new = {row["event_id"] for row in rows if row["event_id"]}
        if len(rows) > len(new):
            erased = {str(row["erased"]) for row in rows}
            new -= {each.id for each in events if each.envelope.aggregate_id in erased}
        return new

    async def count_failure(self, tx: Tx, event: UUID, error: str) -> int:
        """Notes that applying an event has failed with this error; returns how often it has by now."""
        failures: int = await tx.value(self._count, self._consumer, event, error)
        return failures
