"""RE-05: which reveal can be bought, and what a payment becomes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from unora_common.errors import DomainError

from unora_reveal.domain.events import PurchaseRejected, RevealPurchased
from unora_reveal.domain.reveals import ConnectionEnded, Reveal, Status, event_header, get_by_number


class RevealNotForSale(DomainError):
    """The member's tier does not sell it: it is earned by days, and the identity by Day 15 only (RE-04)."""

    reason = "REVEAL_NOT_FOR_SALE"
    sentence = "This reveal is not for sale. You earn it by keeping your streak."


class RevealNotLocked(DomainError):
    """The member has it already, earned or bought."""

    reason = "REVEAL_NOT_LOCKED"
    sentence = "You have this reveal already."


class LowerRevealFirst(DomainError):
    """A reveal with a lower number must be bought first; `reveal_number` is its number."""

    reason = "LOWER_REVEAL_FIRST"
    sentence = "Another reveal comes before this one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """A payment that succeeded, and the reveal that it is for."""

    payment_id: UUID
    payer_id: UUID
    streak_id: UUID
    reveal_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a payment became; it is never changed."""

    payment_id: UUID
    reveal: Reveal
    """The reveal after the decision."""
    event: RevealPurchased | PurchaseRejected

    @property
    def delivered(self) -> bool:
        """Whether the payer has the reveal; otherwise the payment becomes credits (BI-11)."""
        return isinstance(self.event, RevealPurchased)


def next_for_sale(reveals: Sequence[Reveal]) -> int | None:
    """The number of the reveal that must be bought first: the lowest that is for sale and locked."""
    return min((each.number for each in reveals if each.for_sale and each.status is Status.LOCKED), default=None)


def require_purchasable(number: int, reveals: Sequence[Reveal]) -> None:
    """Raises unless the member can buy this one of their reveals now.

    RevealNotForSale, RevealNotLocked, LowerRevealFirst, or ConnectionEnded: an ended connection sells nothing (RE-10).
    """
    wanted = get_by_number(reveals, number)
    if not wanted.for_sale:
        raise RevealNotForSale
    if wanted.status is not Status.LOCKED:
        raise RevealNotLocked
    lowest = next_for_sale(reveals)
    if lowest != number:
        raise LowerRevealFirst(reveal_number=lowest)
    if wanted.ended:
        raise ConnectionEnded


def decide(purchase: Purchase, reveals: Sequence[Reveal], now: datetime, *, connected: bool) -> Decision:
    """RE-05, BI-11: delivers the reveal if it can still be bought, and rejects the payment otherwise.

    `connected` is what matching and safety say. A rejection is an event of the reveal too, so it raises its version.
    """
    reveal = get_by_number(reveals, purchase.reveal_number)
    reveal = replace(reveal, version=reveal.version + 1)
    event: RevealPurchased | PurchaseRejected
    if connected and _can_be_bought(purchase.reveal_number, reveals):
        reveal = replace(reveal, status=Status.PURCHASED)
        event = RevealPurchased(**event_header(reveal, now), payment_id=purchase.payment_id)
    else:
        event = PurchaseRejected(**event_header(reveal, now), payment_id=purchase.payment_id)
    return Decision(payment_id=purchase.payment_id, reveal=reveal, event=event)


def _can_be_bought(number: int, reveals: Sequence[Reveal]) -> bool:
    try:
        require_purchasable(number, reveals)
    except (RevealNotForSale, RevealNotLocked, LowerRevealFirst, ConnectionEnded):
        return False
    return True
