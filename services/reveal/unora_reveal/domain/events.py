"""What happens to reveals and to personality answers: ids and numbers only (XX-01)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from unora_common.domain_events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealEvent(DomainEvent):
    """What every event of a reveal holds."""

    reveal_id: UUID
    version: int
    streak_id: UUID
    user_id: UUID
    reveal_number: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealEarned(RevealEvent):
    """A member reached the day of a reveal (RE-02)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealUnlocked(RevealEvent):
    """A member opened a reveal for the first time (RE-11)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealPurchased(RevealEvent):
    """A purchased reveal was delivered (RE-05)."""

    payment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseRejected(RevealEvent):
    """A purchased reveal could not be delivered: the payment becomes credits (BI-11)."""

    payment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalityChanged(DomainEvent):
    """A member answered or withdrew something. Not what, and no score (PE-03, PE-05)."""

    user_id: UUID
    version: int
    answered_count: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberErasedFromReveal(DomainEvent):
    """ID-09: what this context kept of a member is erased. The aggregate is the erasure."""

    erasure_id: UUID
    version: int
    user_id: UUID
    occurred_at: datetime
