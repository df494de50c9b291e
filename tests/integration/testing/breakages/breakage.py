"""The type of a breakage."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Breakage:
    """Damage that breaks one invariant: the statements, and the rows that the invariant then returns."""

    invariant: str
    statements: tuple[str, ...]
    rows: int = 1
    also: tuple[str, ...] = ()
    """Other invariants that the same damage cannot avoid breaking."""
