"""Protections: for 24 hours a recovery's price is safe from the partner's ending (BI-05)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class ProtectionStatus(StrEnum):
    """Open, or how it ended. An expired one converts still, if the ending was in time and its message late."""

    OPEN = "open"
    EXPIRED = "expired"
    CONVERTED = "converted"


@dataclass(frozen=True, slots=True)
class Ending:
    """Who ended a connection, and when they did: a block and a suspension take effect a little later."""

    ended_by_id: UUID
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Protection:
    """A protection."""

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

    def converts(self, ending: Ending) -> bool:
        """Whether this ending turns the price into credits: the partner's, before the protection is over. One that came
        just before the recovery applied counts too: the payer has as little of it.
        """
        return (
            self.status is not ProtectionStatus.CONVERTED
            and ending.ended_by_id == self.partner_id
            and ending.ended_at < self.expires_at
        )


def closed(protection: Protection, status: ProtectionStatus, at: datetime) -> Protection:
    """A protection that is over, at the moment of the ending or of its expiry."""
    return replace(protection, status=status, closed_at=at, version=protection.version + 1)
