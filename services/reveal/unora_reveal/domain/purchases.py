"""RE-05: which reveal can be bought."""

from collections.abc import Sequence
from dataclasses import dataclass

from unora_common.errors import DomainError

from unora_reveal.domain.reveals import ConnectionEnded, Status


class RevealNotForSale(DomainError):
    """The member's tier does not sell it: days bring it, or nothing but Day 15 does (RE-04)."""

    reason = "REVEAL_NOT_FOR_SALE"


class RevealNotLocked(DomainError):
    """The member has it already, by days or by a purchase."""

    reason = "REVEAL_NOT_LOCKED"


class LowerRevealFirst(DomainError):
    """One with a lower number is bought first; `reveal_number` names it."""

    reason = "LOWER_REVEAL_FIRST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One of a member's five reveals, as the shop sees it."""

    number: int
    status: Status
    for_sale: bool
    """The member's tier has no day for it, so that it can only be bought (RE-11)."""

    @property
    def open(self) -> bool:
        """Whether it waits to be bought."""
        return self.for_sale and self.status is Status.LOCKED


def next_for_sale(offers: Sequence[Offer]) -> int | None:
    """The one that is bought first: the lowest of those that wait to be bought."""
    return min((offer.number for offer in offers if offer.open), default=None)


def require_purchasable(number: int, offers: Sequence[Offer], *, ended: bool) -> None:
    """Raises unless the member can buy this reveal now. An ended connection sells nothing (RE-10)."""
    (wanted,) = (offer for offer in offers if offer.number == number)
    if not wanted.for_sale:
        raise RevealNotForSale
    if wanted.status is not Status.LOCKED:
        raise RevealNotLocked
    lowest = next_for_sale(offers)
    if lowest != number:
        raise LowerRevealFirst(reveal_number=lowest)
    if ended:
        raise ConnectionEnded


def can_be_bought(number: int, offers: Sequence[Offer], *, ended: bool) -> bool:
    """The same as a question: asked again when the money has come (BI-11)."""
    try:
        require_purchasable(number, offers, ended=ended)
    except (RevealNotForSale, RevealNotLocked, LowerRevealFirst, ConnectionEnded):
        return False
    return True
