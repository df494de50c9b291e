"""Which members are not shown to each other (DI-09), and which interests wait for their receiver (DI-13)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from unora_discovery.domain.servers import ServerType


class ExclusionReason(StrEnum):
    """DI-09: why a member is not shown to another. `lifted` excludes no longer.

    A void interest counts as a pending one, because its sender sees it as pending (MA-11).
    """

    INTEREST_PENDING = "interest_pending"
    CONNECTED = "connected"
    ENDED = "ended"
    LIFTED = "lifted"


class InterestClosure(StrEnum):
    """How matching closed an interest."""

    MATCHED = "matched"
    WIPED = "wiped"
    VOID = "void"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


CLOSURE_REASONS: Final = {
    # The event of the new connection may arrive later. Until then this exclusion keeps the pair apart.
    InterestClosure.MATCHED: ExclusionReason.CONNECTED,
    # Its sender sees it as pending until it expires (MA-11). New cards with the receiver would reveal that it is not.
    InterestClosure.VOID: ExclusionReason.INTEREST_PENDING,
    InterestClosure.WIPED: ExclusionReason.LIFTED,
    InterestClosure.WITHDRAWN: ExclusionReason.LIFTED,
    InterestClosure.EXPIRED: ExclusionReason.LIFTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """An interest at this version, from matching."""

    interest_id: UUID
    version: int
    sender_id: UUID
    receiver_id: UUID
    server_type: ServerType
    card_id: UUID | None = None
    """The card it was sent on; None if an earlier version of matching told it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A connection at this version, from matching."""

    connection_id: UUID
    version: int
    user_ids: tuple[UUID, UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """`other_id` is not shown to `user_id`, because of an interest or a connection at this version."""

    source_id: UUID
    """The interest or the connection."""
    version: int
    user_id: UUID
    other_id: UUID
    reason: ExclusionReason
    apart_until: datetime | None = None
    """When a pending or void interest ends at the latest (UTC). Only the event of its sending says so; else None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingInterest:
    """Whether an interest waits for its receiver, at this version."""

    interest_id: UUID
    version: int
    sender_id: UUID
    receiver_id: UUID
    server_type: ServerType
    waits: bool
    waits_until: datetime | None = None
    """When it stops waiting at the latest (UTC). Only the event of its sending says so; else None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardInterest:
    """Whether the interest on a card looks sent to its sender, at this version (DI-16)."""

    interest_id: UUID
    card_id: UUID
    version: int
    sent: bool
    """It looks pending to its sender, also a void one (MA-11), or it matched."""
    over_at: datetime | None
    """When it stopped to look sent (UTC)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberBlock:
    """The latest known state of the blocks of one member by another, from safety."""

    blocker_id: UUID
    blocked_id: UUID
    in_force: bool
    changed_at: datetime
    """When (UTC). The newest state of a direction counts."""


def interest_sent(interest: Interest, expires_at: datetime | None) -> tuple[Exclusion, WaitingInterest]:
    """The sender is not shown the receiver again. The receiver does not know of it, and may be shown the sender."""
    return _interest_state(interest, ExclusionReason.INTEREST_PENDING, waits=True, ends_at=expires_at)


def interest_closed(interest: Interest, closure: InterestClosure) -> tuple[Exclusion, WaitingInterest]:
    """However an interest was closed, it waits no longer (DI-13)."""
    return _interest_state(interest, CLOSURE_REASONS[closure], waits=False, ends_at=None)


def card_interest(interest: Interest, closure: InterestClosure | None, at: datetime) -> CardInterest | None:
    """DI-16: what the interest's card says to its viewer. None if the card is not known."""
    if interest.card_id is None:
        return None
    sent = closure is None or CLOSURE_REASONS[closure] is not ExclusionReason.LIFTED
    return CardInterest(
        interest_id=interest.interest_id,
        card_id=interest.card_id,
        version=interest.version,
        sent=sent,
        over_at=None if sent else at,
    )


def connection_exclusions(connection: Connection, reason: ExclusionReason) -> tuple[Exclusion, Exclusion]:
    """Neither member is shown to the other (DI-09, MA-12)."""
    a, b = connection.user_ids
    return _connection_exclusion(connection, a, b, reason), _connection_exclusion(connection, b, a, reason)


def _interest_state(
    interest: Interest, reason: ExclusionReason, *, waits: bool, ends_at: datetime | None
) -> tuple[Exclusion, WaitingInterest]:
    exclusion = Exclusion(
        source_id=interest.interest_id,
        version=interest.version,
        user_id=interest.sender_id,
        other_id=interest.receiver_id,
        reason=reason,
        apart_until=ends_at,
    )
    waiting = WaitingInterest(
        interest_id=interest.interest_id,
        version=interest.version,
        sender_id=interest.sender_id,
        receiver_id=interest.receiver_id,
        server_type=interest.server_type,
        waits=waits,
        waits_until=ends_at,
    )
    return exclusion, waiting


def _connection_exclusion(connection: Connection, user_id: UUID, other_id: UUID, reason: ExclusionReason) -> Exclusion:
    return Exclusion(
        source_id=connection.connection_id,
        version=connection.version,
        user_id=user_id,
        other_id=other_id,
        reason=reason,
    )
