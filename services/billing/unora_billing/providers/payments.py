"""The payment provider as billing needs it (BI-07): an interface. `stripe.py` is its adapter.

The sandbox has the same API as the provider, so there is one adapter and no fake.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from unora_billing.domain.reversals import Notice


class IntentStatus(StrEnum):
    """A payment's state at the provider."""

    OPEN = "open"
    """It waits for its member, or the provider is still working on it."""
    PAID = "paid"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment at the provider."""

    id: str
    status: IntentStatus
    currency: str
    """ISO 4217; empty if the provider told none."""
    received: int | None
    """Minor units taken so far; None if the provider told no whole number."""
    payment_id: UUID | None
    """The id of our payment, which was sent with the charge; None if it is missing or no UUID."""
    method: str = ""
    """The provider's id of what it was paid with, for renewals; never the number of a card."""
    client_secret: str = ""


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge to make. The payment's id is the idempotency key, so two requests make one charge."""

    payment_id: UUID
    amount: int
    customer: str = ""
    """Set for a subscription, so that it can be renewed."""
    method: str = ""
    """Set for a renewal, which is charged at once, without the member."""


@dataclass(frozen=True, slots=True)
class Reversed:
    """Something happened to the money of a payment, or may have."""

    intent_id: str
    """The payment at the provider; empty if the provider names none."""
    notice: Notice | None
    """What happened; None if the provider has to be asked for all refunds of the payment."""


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """The content of a webhook."""

    id: str
    kind: str
    about: Intent | Reversed | None
    """A payment, or what happened to its money; None for a kind that billing does not use."""


class ChargeRefused(Exception):
    """The provider will never make this charge, for example because the payment method no longer exists."""


class RefundRefused(Exception):
    """The provider will never make this refund."""


class Provider(Protocol):
    """Each call raises ProviderUnavailable if the provider does not answer, and is safe to repeat."""

    async def customer(self, user_id: UUID) -> str:
        """The member's id at the provider, which is created if there is none."""

    async def charge(self, charge: Charge) -> Intent:
        """Begins a payment. A declined renewal is returned as OPEN. Raises ChargeRefused, with nothing charged."""

    async def retrieve(self, intent_id: str) -> Intent:
        """The payment as it is now."""

    async def find(self, intent_id: str) -> Intent | None:
        """The payment as it is now; None if the provider knows none by this id."""

    async def refund(self, intent_id: str, amount: int | None, key: str) -> None:
        """Gives back this amount in minor units, or all that is left of the payment. Two calls with one `key` are one
        refund, and a payment that is refunded in full stays so. Raises RefundRefused.
        """

    async def refunds(self, intent_id: str) -> list[Notice]:
        """All refunds of a payment, as they are now."""

    async def cancel(self, intent_id: str) -> Intent:
        """Cancels a payment, and returns it as it is then: it may have been paid before."""

    def read(self, body: bytes, signature: str) -> ProviderEvent:
        """Reads a webhook. Raises SignatureInvalid unless the provider signed exactly these bytes, not long ago and not
        in the future, and EventUnreadable if they are no event.
        """

    async def close(self) -> None:
        """Closes the connections."""
