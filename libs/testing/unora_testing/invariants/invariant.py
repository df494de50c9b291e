"""The type of an invariant."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


def always(row: Row) -> bool:
    """Every row breaks the invariant."""
    return True


@dataclass(frozen=True)
class Invariant:
    """A statement that must hold, and the query that gives the rows for which it does not."""

    name: str
    rules: tuple[str, ...]
    says: str
    sql: str
    breaks: Callable[[Row], bool] = always
    """Which of the rows break it, where SQL cannot tell."""
