"""The audit log takes every event of every context (SA-01)."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Tx
from unora_common.handlers import on_all
from unora_common.runtime import Runtime
from unora_sdk.deliveries import Envelope
from unora_sdk.times import read_time

from unora_safety.config import SafetyConfig
from unora_safety.domain.chain import SourceEvent
from unora_safety.resources import Resources
from unora_safety.use_cases.audit_log import append_events


class AuditLogEvents:
    """Appends the events of each context to the chain of that context, many in one transaction."""

    def __init__(self, runtime: Runtime[SafetyConfig, Resources]) -> None:
        self.runtime = runtime

    @on_all("identity")
    async def on_identity_events(self, events: list[Envelope], tx: Tx) -> None:
        """Accounts, sessions, profiles, disclosures."""
        await record("identity", events, tx)

    @on_all("discovery")
    async def on_discovery_events(self, events: list[Envelope], tx: Tx) -> None:
        """Servers and batches."""
        await record("discovery", events, tx)

    @on_all("matching")
    async def on_matching_events(self, events: list[Envelope], tx: Tx) -> None:
        """Interests and connections."""
        await record("matching", events, tx)

    @on_all("streak")
    async def on_streak_events(self, events: list[Envelope], tx: Tx) -> None:
        """Days and check-ins."""
        await record("streak", events, tx)

    @on_all("reveal")
    async def on_reveal_events(self, events: list[Envelope], tx: Tx) -> None:
        """Reveals."""
        await record("reveal", events, tx)

    @on_all("billing")
    async def on_billing_events(self, events: list[Envelope], tx: Tx) -> None:
        """Payments, subscriptions, credits, protections: every change of money."""
        await record("billing", events, tx)

    @on_all("safety")
    async def on_safety_events(self, events: list[Envelope], tx: Tx) -> None:
        """Blocks, reports, flags, cases, restrictions: the events of this service itself."""
        await record("safety", events, tx)


async def record(source_context: str, envelopes: list[Envelope], tx: Tx) -> None:
    """Appends delivered events to the chain of a context."""
    await append_events(tx, source_context, [_source_event(each) for each in envelopes])


def _source_event(envelope: Envelope) -> SourceEvent:
    return SourceEvent(
        UUID(envelope.event_id),
        envelope.subject,
        UUID(envelope.aggregate_id),
        read_time(envelope.time),
        envelope.payload,
    )
