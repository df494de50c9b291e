"""What reveal knows of a streak."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """A streak and its two members, as the events of streak name them."""

    id: UUID
    connection_id: UUID
    user_a_id: UUID
    user_b_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the streak of a connection has come."""

    completed_days: int
    """The most days that it has reached (RE-08)."""
    ended: bool
    """Whether the connection has ended (RE-10)."""
    has_reveals: bool
    """Whether its two members have their reveals already (RE-01)."""
