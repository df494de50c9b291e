"""Who of PEOPLE has which part in the story."""

from __future__ import annotations

from itertools import islice
from typing import Final

COUPLES: Final = {
    "A": (0, 1),  # the whole way to Day 15
    "B": (4, 5),  # a missed day that is recovered, later a reset
    "C": (6, 7),  # a recovery, and a partner who leaves within a day
    "D": (8, 9),  # a recovery, and a partner who leaves later
    "E": (10, 11),  # a payment that comes too late
    "F": (12, 13),  # a pro and a free member
    "H": (14, 15),  # a block, and a report
    "I": (16, 17),  # a suspension
}
TRIO: Final = (18, 19, 20)
"""The first of them has two connections, and later a tier with one slot."""
ONLOOKER: Final = 2
"""Tries the time lock, and moderates later."""
PRINCIPALS: Final = 21
LEAST: Final = PRINCIPALS + 11
"""All who have a part in the story, and enough others for a batch."""


def groups(size: int) -> list[tuple[int, ...]]:
    """The groups that share hobbies, among the first `size` people: couples, the trio, and pairs of all others."""
    named = [*COUPLES.values(), TRIO]
    taken = {number for group in named for number in group}
    rest = iter([number for number in range(size) if number not in taken])
    return [*named, *iter(lambda: tuple(islice(rest, 2)), ())]
