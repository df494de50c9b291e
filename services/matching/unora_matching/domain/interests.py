"""Interests: one-way wishes that nobody sees until they are mutual (MA-01 to MA-05, MA-10)."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, StrEnum, auto
from uuid import UUID

from unora_matching.domain.inventory import Inventory


class InterestStatus(StrEnum):
    """Where an interest stands. Pending is the only state that anything follows."""

    PENDING = "pending"
    MATCHED = "matched"
    WIPED = "wiped"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a member wishes: who is behind the card, in the server of its batch."""

    card_id: UUID
    receiver_id: UUID
    server_type: str


@dataclass(frozen=True, slots=True)
class Interest:
    """An interest. `shown_as` is what its sender sees: a void one looks pending (MA-11), until their next wipe."""

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
    """An interest that can no longer match, as it was closed."""

    id: UUID
    sender_id: UUID
    receiver_id: UUID
    server_type: str
    status: InterestStatus
    version: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How the receiver of a wish stands to its sender, read under the locks of both."""

    apart: bool
    """The two are connected, or were: in any server, whoever ended it."""
    answer: UUID | None
    """The receiver's own interest in the sender, pending in the same server."""


class Verdict(Enum):
    """What becomes of a wish."""

    WAIT = auto()
    MATCH = auto()
    VOID = auto()


def judge(sender: Inventory, receiver: Inventory, standing: Standing) -> Verdict:
    """MA-01, MA-03, MA-12: a match needs both to wish it and both to have an open slot.

    Only a match can be seen by the sender. A pair that is apart keeps the look of waiting too: a refusal would tell
    them who is behind the card.
    """
    sender.demand_open_slot()
    if standing.apart:
        return Verdict.VOID
    if standing.answer is None or receiver.is_full:
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
