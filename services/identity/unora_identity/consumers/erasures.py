"""ID-09: the receipts of the other contexts."""

from __future__ import annotations

from uuid import UUID

from unora.billing.v1 import events_pb2 as billing
from unora.discovery.v1 import events_pb2 as discovery
from unora.matching.v1 import events_pb2 as matching
from unora.reveal.v1 import events_pb2 as reveal
from unora.safety.v1 import events_pb2 as safety
from unora.streak.v1 import events_pb2 as streak
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.resources import Resources
from unora_identity.use_cases.erasures import record_receipt


class ReceiptEvents:
    """What the contexts have erased; the last receipt ends the erasure."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime

    @on(discovery.MemberErasedFromDiscovery)
    async def on_erased_by_discovery(self, event: discovery.MemberErasedFromDiscovery, tx: Tx) -> None:
        """The receipt of discovery."""
        await record_receipt(tx, UUID(event.erasure_id), "discovery")

    @on(matching.MemberErasedFromMatching)
    async def on_erased_by_matching(self, event: matching.MemberErasedFromMatching, tx: Tx) -> None:
        """The receipt of matching."""
        await record_receipt(tx, UUID(event.erasure_id), "matching")

    @on(streak.MemberErasedFromStreak)
    async def on_erased_by_streak(self, event: streak.MemberErasedFromStreak, tx: Tx) -> None:
        """The receipt of streak."""
        await record_receipt(tx, UUID(event.erasure_id), "streak")

    @on(reveal.MemberErasedFromReveal)
    async def on_erased_by_reveal(self, event: reveal.MemberErasedFromReveal, tx: Tx) -> None:
        """The receipt of reveal."""
        await record_receipt(tx, UUID(event.erasure_id), "reveal")

    @on(billing.MemberErasedFromBilling)
    async def on_erased_by_billing(self, event: billing.MemberErasedFromBilling, tx: Tx) -> None:
        """The receipt of billing."""
        await record_receipt(tx, UUID(event.erasure_id), "billing")

    @on(safety.MemberErasedFromSafety)
    async def on_erased_by_safety(self, event: safety.MemberErasedFromSafety, tx: Tx) -> None:
        """The receipt of safety."""
        await record_receipt(tx, UUID(event.erasure_id), "safety")
