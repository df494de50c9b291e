"""Which reveal can be bought: for sale by the tier, locked, the lowest first. And what a payment becomes."""

from __future__ import annotations

from uuid import UUID

import pytest
from unora_reveal.domain.events import PurchaseRejected, RevealPurchased
from unora_reveal.domain.purchases import (
    LowerRevealFirst,
    Purchase,
    RevealNotForSale,
    RevealNotLocked,
    decide,
    next_for_sale,
    require_purchasable,
)
from unora_reveal.domain.reveals import ConnectionEnded, Reveal, Status

from tests.unit.reveal.reveals import NOW, make_reveal

L, E, P, U = Status.LOCKED, Status.EARNED, Status.PURCHASED, Status.UNLOCKED
FOR_SALE = {"free": {3, 4}, "plus": {4}, "pro": set[int]()}


def make_reveals(tier: str, *statuses: Status, ended: bool = False) -> list[Reveal]:
    """A member's five reveals, of which the last is the locked identity."""
    return [
        make_reveal(number, status, for_sale=number in FOR_SALE[tier], ended=ended)
        for number, status in enumerate([*statuses, L], 1)
    ]


def make_purchase(number: int) -> Purchase:
    return Purchase(payment_id=UUID(int=9), payer_id=UUID(int=4), streak_id=UUID(int=2), reveal_number=number)


@pytest.mark.rule("RE-05")
@pytest.mark.parametrize(
    ("tier", "statuses", "expected"),
    [
        ("free", (L, L, L, L), 3),
        ("free", (E, U, L, L), 3),
        ("free", (L, L, P, L), 4),
        ("free", (L, L, U, L), 4),
        ("free", (L, L, E, L), 4),  # earned while the tier was higher
        ("free", (L, L, L, P), 3),  # bought while the tier was plus
        ("free", (L, L, P, U), None),
        ("plus", (L, L, L, L), 4),
        ("plus", (L, L, L, P), None),
        ("pro", (L, L, L, L), None),
    ],
)
def test_at_most_one_reveal_can_be_bought_next(tier: str, statuses: tuple[Status, ...], expected: int | None) -> None:
    reveals = make_reveals(tier, *statuses)
    assert next_for_sale(reveals) == expected
    if expected:
        require_purchasable(expected, reveals)


@pytest.mark.rule("RE-04", "RE-05")
@pytest.mark.parametrize(("tier", "numbers"), [("free", (1, 2, 5)), ("plus", (1, 2, 3, 5)), ("pro", (1, 2, 3, 4, 5))])
def test_reveals_that_days_earn_are_not_for_sale_and_neither_is_the_identity(
    tier: str, numbers: tuple[int, ...]
) -> None:
    for ended in (False, True):
        for number in numbers:
            with pytest.raises(RevealNotForSale):
                require_purchasable(number, make_reveals(tier, L, L, L, L, ended=ended))


@pytest.mark.rule("RE-05")
def test_the_refusal_names_the_lower_reveal_that_comes_first() -> None:
    with pytest.raises(LowerRevealFirst) as refused:
        require_purchasable(4, make_reveals("free", L, L, L, L))
    assert refused.value.metadata == {"reveal_number": "3"}


@pytest.mark.rule("RE-05")
@pytest.mark.parametrize("status", [E, P, U])
def test_a_reveal_that_the_member_has_is_not_sold_again(status: Status) -> None:
    with pytest.raises(RevealNotLocked):
        require_purchasable(3, make_reveals("free", L, L, status, L))


@pytest.mark.rule("RE-05", "RE-10")
def test_an_ended_connection_sells_nothing() -> None:
    with pytest.raises(ConnectionEnded):
        require_purchasable(3, make_reveals("free", L, L, L, L, ended=True))


@pytest.mark.rule("RE-05", "BI-11")
@pytest.mark.parametrize(
    ("tier", "statuses", "number", "ended", "connected", "delivered"),
    [
        ("free", (L, L, L, L), 3, False, True, True),
        ("plus", (L, L, L, L), 4, False, True, True),
        ("free", (L, L, L, L), 3, False, False, False),
        ("free", (L, L, L, L), 3, True, True, False),
        ("free", (L, L, L, L), 4, False, True, False),
        ("free", (L, L, P, L), 3, False, True, False),
        ("plus", (L, L, L, L), 3, False, True, False),
    ],
)
def test_a_payment_is_delivered_if_the_reveal_can_still_be_bought_and_rejected_otherwise(
    tier: str, statuses: tuple[Status, ...], number: int, ended: bool, connected: bool, delivered: bool
) -> None:
    reveals = make_reveals(tier, *statuses, ended=ended)
    decision = decide(make_purchase(number), reveals, NOW, connected=connected)
    assert decision.delivered == delivered
    assert isinstance(decision.event, RevealPurchased if delivered else PurchaseRejected)
    assert (decision.event.payment_id, decision.event.reveal_number) == (UUID(int=9), number)
    assert (decision.event.version, decision.event.occurred_at) == (reveals[number - 1].version + 1, NOW)
    assert decision.reveal.status is (P if delivered else reveals[number - 1].status)
