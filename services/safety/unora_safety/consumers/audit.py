"""Safety consumes every event of every context into the audit log (SA-01)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Tx
from unora_common.handlers import Envelope, on_all
from unora_common.runtime import Runtime

from unora_safety.config import SafetyConfig
from unora_safety.domain import Event, link
from unora_safety.resources import Resources
from unora_safety.store import audit as store


class Audit:
    """Each context's events in that context's chain, many in one transaction."""

    def __init__(self, runtime: Runtime[SafetyConfig, Resources]) -> None:
        self.runtime = runtime

    @on_all("identity")
    async def identity(self, events: list[Envelope], tx: Tx) -> None:
        """Accounts, sessions, profiles, disclosures."""
        await record("identity", events, tx)

    @on_all("discovery")
    async def discovery(self, events: list[Envelope], tx: Tx) -> None:
        """Servers and batches."""
        await record("discovery", events, tx)

    @on_all("matching")
    async def matching(self, events: list[Envelope], tx: Tx) -> None:
        """Interests and connections."""
        await record("matching", events, tx)

    @on_all("streak")
    async def streak(self, events: list[Envelope], tx: Tx) -> None:
        """Days and check-ins."""
        await record("streak", events, tx)

    @on_all("reveal")
    async def reveal(self, events: list[Envelope], tx: Tx) -> None:
        """Reveals."""
        await record("reveal", events, tx)

    @on_all("billing")
    async def billing(self, events: list[Envelope], tx: Tx) -> None:
        """Payments, subscriptions, credits, protections: every change of money."""
        await record("billing", events, tx)

    @on_all("safety")
    async def safety(self, events: list[Envelope], tx: Tx) -> None:
        """Blocks, reports, flags, cases, standings: what this very service tells."""
        await record("safety", events, tx)


async def record(source_context: str, envelopes: list[Envelope], tx: Tx) -> None:
    """SA-01: one lock of the chain's head, one statement for all rows. Replicas that append at once wait in line."""
    head, events = await store.open_chain(tx, source_context, [_event(envelope) for envelope in envelopes])
    await store.append(tx, link(source_context, head, events, tx.now))


def _event(envelope: Envelope) -> Event:
    return Event(
        UUID(envelope.event_id),
        envelope.subject,
        UUID(envelope.aggregate_id),
        datetime.fromisoformat(envelope.time),
        envelope.payload,
    )
