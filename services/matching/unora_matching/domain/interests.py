"""Interests: one-way wishes that nobody sees until they are mutual (MA-01 to MA-05, MA-10)."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, StrEnum, auto
from uuid import UUID

from unora_matching.domain.errors import InterestOver
from unora_matching.domain.inventory import Inventory


class InterestStatus(StrEnum):
    """Where an interest stands. Pending is the only state that anything follows."""

    PENDING = "pending"
    MATCHED = "matched"
    WIPED = "wiped"
    VOID = "void"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a member wishes: who is behind the card, in the server of its batch."""

    card_id: UUID
    receiver_id: UUID
    server_type: str


@dataclass(frozen=True, slots=True)
class Interest:
    """An interest. `shown_as` is what its sender sees: a void one looks pending until it is wiped, withdrawn or expires
    like any other (MA-11).
    """

    id: UUID
    sender_id: UUID
    receiver_id: UUID
    server_type: str
    card_id: UUID
    status: InterestStatus
    shown_as: InterestStatus
    sent_at: datetime
    version: int  # one higher with each event


@dataclass(frozen=True, slots=True)
class Closed:
    """How an interest was closed: that it can no longer match, or that a void one no longer looks pending either."""

    id: UUID
    sender_id: UUID
    receiver_id: UUID
    server_type: str
    closure: InterestStatus
    version: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How the receiver of a wish stands to its sender, read under the locks of both."""

    met: bool
    """The two are connected, or were: in any server, whoever ended it."""
    blocked: bool
    """One of the two blocks the other now."""
    answer: UUID | None
    """The receiver's own interest in the sender, pending in the same server and not yet due to expire."""

    @property
    def apart(self) -> bool:
        """Whether the two are kept apart (MA-12)."""
        return self.met or self.blocked


class Verdict(Enum):
    """What becomes of a wish."""

    WAIT = auto()
    MATCH = auto()
    VOID = auto()


def judge(sender: Inventory, receiver: Inventory, standing: Standing) -> Verdict:
    """MA-01, MA-03, MA-12, SA-08: a match needs both to wish it and both to have an open slot.

    Only a match can be seen by the sender. All else keeps the look of waiting: a refusal would tell them who is behind
    the card, or that safety silenced them. So a card that outlived the pair's connection still takes an interest, which
    is void: who has ended never connects again (MA-12), and a new card of them there is none (DI-09).
    """
    sender.demand_open_slot()
    if sender.silenced or standing.apart:
        return Verdict.VOID
    if standing.answer is None or receiver.is_full or receiver.silenced:
        return Verdict.WAIT
    return Verdict.MATCH


def send(interest_id: UUID, sender_id: UUID, wish: Wish, verdict: Verdict, now: datetime) -> Interest:
    """The interest as it is first stored: pending, or void from its first moment with the same look."""
    void = verdict is Verdict.VOID
    return Interest(
        id=interest_id,
        sender_id=sender_id,
        receiver_id=wish.receiver_id,
        server_type=wish.server_type,
        card_id=wish.card_id,
        status=InterestStatus.VOID if void else InterestStatus.PENDING,
        shown_as=InterestStatus.PENDING,
        sent_at=now,
        version=2 if void else 1,
    )


def match(interest: Interest) -> Interest:
    """The interest, become a connection."""
    if interest.status is not InterestStatus.PENDING:
        raise ValueError(f"an interest that is {interest.status} cannot match")
    return replace(
        interest, status=InterestStatus.MATCHED, shown_as=InterestStatus.MATCHED, version=interest.version + 1
    )


def withdraw(interest: Interest) -> Interest:
    """MA-11: what looks pending can be taken back, a void one exactly as one that waits."""
    if interest.shown_as is not InterestStatus.PENDING:
        raise InterestOver
    void = interest.status is InterestStatus.VOID
    return replace(
        interest,
        status=InterestStatus.VOID if void else InterestStatus.WITHDRAWN,
        shown_as=InterestStatus.WITHDRAWN,
        version=interest.version + 1,
    )


def closed(interest: Interest, closure: InterestStatus) -> Closed:
    """How an interest was closed, as it is told."""
    return Closed(
        interest.id, interest.sender_id, interest.receiver_id, interest.server_type, closure, interest.version
    )
