"""Interests: one-way wishes that stay hidden until they are mutual (MA-01 to MA-05, MA-10)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto
from uuid import UUID

from unora_common.domain_events import DomainEvent

from unora_matching.domain.errors import InterestOver
from unora_matching.domain.events import InterestClosed, InterestClosure, InterestSent
from unora_matching.domain.inventory import Inventory


class InterestStatus(StrEnum):
    """State of an interest. All states but PENDING are final."""

    PENDING = "pending"
    MATCHED = "matched"
    WIPED = "wiped"
    VOID = "void"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class ResolvedCard:
    """A card, the member behind it, and the server of its batch."""

    card_id: UUID
    receiver_id: UUID
    server_type: str


@dataclass(frozen=True, slots=True)
class Interest:
    """An interest. `shown_as` is what its sender sees: a void interest looks pending until it is wiped, withdrawn or
    expires like any other (MA-11).
    """

    id: UUID
    sender_id: UUID
    receiver_id: UUID
    server_type: str
    card_id: UUID
    interest_status: InterestStatus
    shown_as: InterestStatus
    sent_at: datetime
    version: int  # one higher with each event
    connection_id: UUID | None = None
    """The connection that it became (MA-01)."""


@dataclass(frozen=True, slots=True)
class PairRelation:
    """What lies between the sender and the receiver of an interest, read under the locks of both."""

    ever_connected: bool
    """The two are connected, or were: in any server, and for any reason that it ended."""
    blocked: bool
    """One of the two blocks the other now."""
    returned_interest_id: UUID | None
    """The receiver's own interest in the sender, pending in the same server and not yet due to expire."""

    @property
    def kept_apart(self) -> bool:
        """Whether the two can never match, or not while a block lasts (MA-12)."""
        return self.ever_connected or self.blocked


class Outcome(Enum):
    """What happens with an interest when it is sent."""

    WAIT = auto()
    MATCH = auto()
    VOID = auto()


def decide(sender: Inventory, receiver: Inventory, relation: PairRelation) -> Outcome:
    """MA-01, MA-03, MA-12, SA-08, ID-16: a match needs an interest of both, an open slot of both, and that none of them
    is away. What was sent to or by a member whose account is closed comes to nothing; a pause only lets it wait.

    The sender sees a difference only if it matches. In all other cases the interest looks pending: a refusal would
    reveal who is behind the card, or that safety restricted the sender. So a card that is older than the end of the
    pair's connection still takes an interest, which is void: an ended pair never connects again (MA-12), and gets no
    new cards of each other (DI-09). Raises AccountPaused, and CapacityFull if the sender has no open slot.
    """
    sender.require_may_send()
    if sender.cannot_match or sender.closed or receiver.closed or relation.kept_apart:
        return Outcome.VOID
    if relation.returned_interest_id is None or receiver.is_full or receiver.cannot_match or receiver.paused:
        return Outcome.WAIT
    return Outcome.MATCH


def send(
    interest_id: UUID, sender_id: UUID, card: ResolvedCard, outcome: Outcome, now: datetime, lifetime: timedelta
) -> tuple[Interest, list[DomainEvent]]:
    """The interest as it is first stored: void or pending, which look the same. `match` follows if it matches."""
    interest = Interest(
        id=interest_id,
        sender_id=sender_id,
        receiver_id=card.receiver_id,
        server_type=card.server_type,
        card_id=card.card_id,
        interest_status=InterestStatus.PENDING,
        shown_as=InterestStatus.PENDING,
        sent_at=now,
        version=1,
    )
    sent = InterestSent(
        interest_id=interest_id,
        version=1,
        sender_id=sender_id,
        receiver_id=card.receiver_id,
        server_type=card.server_type,
        occurred_at=now,
        expires_at=now + lifetime,
        card_id=card.card_id,
    )
    if outcome is not Outcome.VOID:
        return interest, [sent]
    void = replace(interest, interest_status=InterestStatus.VOID, version=2)
    return void, [sent, _closed(void, InterestClosure.VOID, now)]


def match(interest: Interest, connection_id: UUID | None = None) -> Interest:
    """The interest after it became a connection, this one. Raises ValueError if it was not pending."""
    if interest.interest_status is not InterestStatus.PENDING:
        raise ValueError(f"an interest that is {interest.interest_status} cannot match")
    return replace(
        interest,
        interest_status=InterestStatus.MATCHED,
        shown_as=InterestStatus.MATCHED,
        version=interest.version + 1,
        connection_id=connection_id,
    )


def withdraw(interest: Interest, now: datetime) -> tuple[Interest, InterestClosed]:
    """MA-11: an interest that looks pending can be withdrawn, also a void one. Raises InterestOver for any other."""
    if interest.shown_as is not InterestStatus.PENDING:
        raise InterestOver
    void = interest.interest_status is InterestStatus.VOID
    withdrawn = replace(
        interest,
        interest_status=InterestStatus.VOID if void else InterestStatus.WITHDRAWN,
        shown_as=InterestStatus.WITHDRAWN,
        version=interest.version + 1,
    )
    return withdrawn, _closed(withdrawn, InterestClosure.WITHDRAWN, now)


def _closed(interest: Interest, closure: InterestClosure, now: datetime) -> InterestClosed:
    return InterestClosed(
        interest_id=interest.id,
        version=interest.version,
        sender_id=interest.sender_id,
        receiver_id=interest.receiver_id,
        server_type=interest.server_type,
        closure=closure,
        occurred_at=now,
        card_id=interest.card_id,
    )
