"""The payment provider as billing sees it (BI-07): a port. `stripe.py` is its adapter.

The sandbox speaks the same API, so there is one adapter and no fake.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class IntentStatus(StrEnum):
    """Where a payment stands at the provider."""

    OPEN = "open"
    """It waits for its member, or is being worked on."""
    PAID = "paid"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment at the provider."""

    id: str
    status: IntentStatus
    amount: int
    currency: str
    received: int
    """Minor units taken so far."""
    payment_id: UUID | None
    """Our payment, as the provider was told."""
    method: str = ""
    """What it was paid by, for renewals; never a number of a card."""
    client_secret: str = ""


@dataclass(frozen=True, slots=True)
class Charge:
    """What the provider is asked for. The payment's id is the idempotency key: asked twice, it is charged once."""

    payment_id: UUID
    amount: int
    customer: str = ""
    """Set for a subscription, so that it can be renewed."""
    method: str = ""
    """Set for a renewal: charged at once, without the member."""


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """What a webhook told."""

    id: str
    kind: str
    intent: Intent | None
    """The payment it is about; None for what is of no interest."""


class ChargeRefused(Exception):
    """The provider will never charge this, however often it is asked: what it was to be paid by is gone, say."""


class Provider(Protocol):
    """Raises ProviderUnavailable when there is no answer; a repeat of any call is safe."""

    async def customer(self, user_id: UUID) -> str:
        """The member's name at the provider, made if there is none."""

    async def charge(self, charge: Charge) -> Intent:
        """Begins a payment; a renewal that is declined comes back OPEN. Raises ChargeRefused, with nothing charged."""

    async def retrieve(self, intent_id: str) -> Intent:
        """A payment as it stands."""

    async def cancel(self, intent_id: str) -> Intent:
        """Cancels a payment, and says how it stands then: it may have been paid."""

    def read(self, body: bytes, signature: str) -> ProviderEvent:
        """A webhook. Raises SignatureInvalid unless it was signed over these bytes, not long ago."""

    async def close(self) -> None:
        """Lets go of connections."""
