"""Protections: for 24 hours after a recovery, the partner's ending turns its price into credits (BI-05)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from unora_billing.domain.payments import Payment


class ProtectionStatus(StrEnum):
    """Open, or how it ended. An expired one still converts if the ending was in time and its event came late."""

    OPEN = "open"
    EXPIRED = "expired"
    CONVERTED = "converted"


@dataclass(frozen=True, slots=True)
class Ending:
    """Who ended a connection, and when. A block or a suspension is decided a little before the connection ends."""

    ended_by_id: UUID
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Protection:
    """The protection of one paid recovery. `version` counts its events."""

    id: UUID
    payment_id: UUID
    payer_id: UUID
    partner_id: UUID
    connection_id: UUID
    status: ProtectionStatus
    opened_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    version: int

    def is_converted_by(self, ending: Ending) -> bool:
        """Whether this ending turns the price into credits: by the partner, before the protection expires. An ending
        shortly before the recovery was applied counts too: the recovery is worth just as little to the payer.
        """
        return (
            self.status is not ProtectionStatus.CONVERTED
            and ending.ended_by_id == self.partner_id
            and ending.ended_at < self.expires_at
        )

    def converted(self, ending: Ending) -> Protection:
        """Closed at the moment of the partner's ending: the price becomes credits."""
        return self._closed(ProtectionStatus.CONVERTED, ending.ended_at)

    def expired(self) -> Protection:
        """Closed at its expiry: the price stays paid."""
        return self._closed(ProtectionStatus.EXPIRED, self.expires_at)

    def _closed(self, status: ProtectionStatus, closed_at: datetime) -> Protection:
        return replace(self, status=status, closed_at=closed_at, version=self.version + 1)


def new_protection(
    protection_id: UUID,
    payment: Payment,
    partner_id: UUID,
    connection_id: UUID,
    opened_at: datetime,
    expires_at: datetime,
) -> Protection:
    """The protection of a recovery that was paid for and applied."""
    return Protection(
        id=protection_id,
        payment_id=payment.id,
        payer_id=payment.payer_id,
        partner_id=partner_id,
        connection_id=connection_id,
        status=ProtectionStatus.OPEN,
        opened_at=opened_at,
        expires_at=expires_at,
        closed_at=None,
        version=1,
    )
