"""Lists that begin at another place."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def rotated(items: Sequence[T], by: int) -> list[T]:
    """The items from number `by` on, counted round, and then those before it."""
    start = by % len(items) if items else 0
    return [*items[start:], *items[:start]]
