"""Two lists of owners are read as one (XX-08)."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

import pytest
from unora_common.rebuild_lists import Ask, both, joined

pytestmark = pytest.mark.rule("XX-08")


class Told(NamedTuple):
    """What one owner told of an id, or both."""

    id: UUID
    words: str


def listed(*numbers: int, word: str) -> Ask[Told]:
    """A list of these ids, in pages of two."""

    async def ask(token: str, size: int) -> tuple[list[Told], str]:
        left = [UUID(int=number) for number in numbers if not token or UUID(int=number) > UUID(token)]
        page = left[:2]
        return [Told(each, word) for each in page], str(page[-1]) if len(left) > 2 else ""

    return ask


async def pages(ask: Ask[Told]) -> list[list[tuple[int, str]]]:
    """All pages."""
    found, token = [], ""
    while True:
        told, token = await ask(token, 2)
        found.append([(each.id.int, each.words) for each in told])
        if not token:
            return found


async def test_a_page_of_two_lists_ends_where_the_shorter_one_does() -> None:
    ask = both(listed(1, 2, 3, word="a"), listed(2, 5, 6, word="b"), lambda told: told.id)
    assert await pages(ask) == [[(1, "a"), (2, "a"), (2, "b")], [(3, "a"), (5, "b"), (6, "b")]]


async def test_what_both_tell_of_one_id_is_joined_and_what_one_tells_stays() -> None:
    ask = joined(
        listed(1, 2, 3, word="a"),
        listed(2, 5, 6, word="b"),
        lambda told: told.id,
        lambda one, other: Told(one.id, one.words + other.words),
    )
    assert await pages(ask) == [[(1, "a"), (2, "ab")], [(3, "a"), (5, "b"), (6, "b")]]
