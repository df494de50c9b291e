"""What reveal knows of a streak."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
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


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPair:
    """What streak or matching, or both, know of a pair (XX-08)."""

    connection_id: UUID
    user_a_id: UUID
    user_b_id: UUID
    streak_id: UUID | None = None
    completed_days: int = 0
    """The most days that the streak has reached."""
    ended_at: datetime | None = None
    """When the connection ended (UTC)."""

    @property
    def streak(self) -> Streak | None:
        """None if streak does not know the connection yet."""
        if self.streak_id is None:
            return None
        return Streak(
            id=self.streak_id,
            connection_id=self.connection_id,
            user_a_id=self.user_a_id,
            user_b_id=self.user_b_id,
        )

    def joined(self, other: Self) -> Self:
        """With what the other context knows."""
        return replace(
            self,
            streak_id=self.streak_id or other.streak_id,
            completed_days=max(self.completed_days, other.completed_days),
            ended_at=self.ended_at or other.ended_at,
        )
