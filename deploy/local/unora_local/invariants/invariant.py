"""What an invariant is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Invariant:
    """A statement that must hold, and the query that gives the rows for which it does not."""

    name: str
    rules: tuple[str, ...]
    says: str
    sql: str
