"""Which reveal can be bought: by the tier, locked, the lowest first."""

from __future__ import annotations

import pytest
from unora_reveal.domain.purchases import (
    LowerRevealFirst,
    Offer,
    RevealNotForSale,
    RevealNotLocked,
    next_for_sale,
    require_purchasable,
)
from unora_reveal.domain.reveals import ConnectionEnded, Status

L, E, P, U = Status.LOCKED, Status.EARNED, Status.PURCHASED, Status.UNLOCKED
FOR_SALE = {"free": {3, 4}, "plus": {4}, "pro": set[int]()}


def offers(tier: str, *statuses: Status) -> list[Offer]:
    """A member's five, of which the last is the identity."""
    return [
        Offer(number=number, status=status, for_sale=number in FOR_SALE[tier])
        for number, status in enumerate([*statuses, L], 1)
    ]


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
def test_one_is_next(tier: str, statuses: tuple[Status, ...], expected: int | None) -> None:
    shelf = offers(tier, *statuses)
    assert next_for_sale(shelf) == expected
    if expected:
        require_purchasable(expected, shelf, ended=False)


@pytest.mark.rule("RE-04", "RE-05")
@pytest.mark.parametrize(("tier", "numbers"), [("free", (1, 2, 5)), ("plus", (1, 2, 3, 5)), ("pro", (1, 2, 3, 4, 5))])
def test_what_days_bring_is_not_for_sale_nor_the_identity(tier: str, numbers: tuple[int, ...]) -> None:
    for ended in (False, True):
        for number in numbers:
            with pytest.raises(RevealNotForSale):
                require_purchasable(number, offers(tier, L, L, L, L), ended=ended)


@pytest.mark.rule("RE-05")
def test_the_lower_one_comes_first_and_is_named() -> None:
    with pytest.raises(LowerRevealFirst) as refused:
        require_purchasable(4, offers("free", L, L, L, L), ended=False)
    assert refused.value.metadata == {"reveal_number": "3"}


@pytest.mark.rule("RE-05")
@pytest.mark.parametrize("status", [E, P, U])
def test_what_the_member_has_is_not_sold_again(status: Status) -> None:
    with pytest.raises(RevealNotLocked):
        require_purchasable(3, offers("free", L, L, status, L), ended=False)


@pytest.mark.rule("RE-05", "RE-10")
def test_an_ended_connection_sells_nothing() -> None:
    with pytest.raises(ConnectionEnded):
        require_purchasable(3, offers("free", L, L, L, L), ended=True)
