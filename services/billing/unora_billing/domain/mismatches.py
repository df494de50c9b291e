"""Money that the provider took and that does not match its payment (BI-10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from unora_billing.domain.policy import CURRENCY


class MismatchResolution(StrEnum):
    """What becomes of the money."""

    REFUND = "refund"
    CREDIT = "credit"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A charge at the provider that does not pay for its payment."""

    provider_payment_id: str
    payment_id: UUID
    received: int | None
    """Minor units of `currency`; None if the provider told no whole number."""
    currency: str
    noted_at: datetime
    resolution: MismatchResolution | None = None
    """What was decided; from then on nothing else can be."""
    decided_at: datetime | None = None
    settled_at: datetime | None = None
    """When the money went back or became credits."""

    @property
    def can_be_credited(self) -> bool:
        """Whether it is money of ours in a whole number. One credit is one minor unit."""
        return self.currency == CURRENCY and bool(self.received)

    def is_settled_by(self, amount: int | None) -> bool:
        """Whether an amount that left us is all that came. If a part is left, or nobody told how much, it is not."""
        return self.received is not None and amount == self.received
