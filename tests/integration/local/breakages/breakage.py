"""What a breakage is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Breakage:
    """What to do, and what shows: one row, unless more are meant, and what cannot but break with it."""

    invariant: str
    statements: tuple[str, ...]
    rows: int = 1
    also: tuple[str, ...] = ()
