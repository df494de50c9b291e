"""The domain events of matching. Names and fields are those of the contract's `events.proto`. Times are UTC."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from unora_common.domain_events import DomainEvent

from unora_matching.domain.policy import Tier


class InterestClosure(StrEnum):
    """Why an interest can no longer match."""

    MATCHED = "matched"
    WIPED = "wiped"
    VOID = "void"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class EndCause(StrEnum):
    """What ended a connection. Credits and safety need it; it is never shown to the members."""

    MEMBER = "member"
    BLOCK = "block"
    SUSPENSION = "suspension"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestSent(DomainEvent):
    """The first event of every interest. Only this event says when the interest expires (MA-11)."""

    interest_id: UUID
    version: int
    sender_id: UUID
    receiver_id: UUID
    server_type: str
    occurred_at: datetime
    expires_at: datetime
    card_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestClosed(DomainEvent):
    """An interest can no longer match. A void interest gets a second one when it no longer looks pending (MA-11)."""

    interest_id: UUID
    version: int
    sender_id: UUID
    receiver_id: UUID
    server_type: str
    closure: InterestClosure
    occurred_at: datetime
    card_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestsWiped(DomainEvent):
    """A Total Wipe of a member's pending interests (MA-04)."""

    user_id: UUID
    version: int
    wiped_count: int
    connection_id: UUID | None
    """The connection that took the last slot; None if a lower tier did."""
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryChanged(DomainEvent):
    """A slot was taken or freed, or the tier changed."""

    user_id: UUID
    version: int
    tier: Tier
    active_connection_count: int
    connection_limit: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFormed(DomainEvent):
    """The first event of every connection."""

    connection_id: UUID
    version: int
    user_a_id: UUID
    user_b_id: UUID
    server_type: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionEnded(DomainEvent):
    """A connection ended. Credits and safety learn who ended it and the cause; a member's reason is not published
    (MA-09).
    """

    connection_id: UUID
    version: int
    user_a_id: UUID
    user_b_id: UUID
    server_type: str
    ended_by_id: UUID
    occurred_at: datetime
    cause: EndCause
    acted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatUnlocked(DomainEvent):
    """ST-11: the two may chat since the streak was completed."""

    connection_id: UUID
    version: int
    user_a_id: UUID
    user_b_id: UUID
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberErasedFromMatching(DomainEvent):
    """ID-09: what this context kept of a member is erased. The aggregate is the erasure."""

    erasure_id: UUID
    version: int
    user_id: UUID
    occurred_at: datetime
