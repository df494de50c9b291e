"""RE-04, RE-10: identity's own record of the pairs that may see each other. Nothing else opens names and photos."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Self
from uuid import UUID

from unora_common.errors import DomainError

DISCLOSURE_DAY: Final = 15
"""RE-04: the same for all tiers, also for members who pay. A constant, not a policy; a constraint enforces it too."""


class NotDisclosed(DomainError):
    """The two members may not see each other, or not yet, or no longer. All cases get this answer (XX-04)."""

    reason = "NOT_DISCLOSED"
    sentence = "You cannot see this person's name and photos."


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """The two members of a connection may see each other. One that has ended, or ended before it began, allows
    nothing.
    """

    connection_id: UUID
    streak_id: UUID
    user_a_id: UUID
    user_b_id: UUID
    completed_days: int
    ended_at: datetime | None = None

    def allows(self, viewer: UUID, subject: UUID) -> bool:
        """RE-04: whether `viewer` may see `subject` by this record. Whether the connection is still active is to be
        asked of matching.
        """
        return (
            self.ended_at is None
            and self.completed_days == DISCLOSURE_DAY
            and (viewer, subject) in ((self.user_a_id, self.user_b_id), (self.user_b_id, self.user_a_id))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPair:
    """What streak or matching, or both, know of a pair (XX-08). Times are UTC."""

    connection_id: UUID
    user_a_id: UUID
    user_b_id: UUID
    streak_id: UUID | None = None
    """The streak, if it was completed."""
    completed_at: datetime | None = None
    ended_at: datetime | None = None
    """When the connection ended."""

    def joined(self, other: Self) -> Self:
        """With what the other context knows."""
        return replace(
            self,
            streak_id=self.streak_id or other.streak_id,
            completed_at=self.completed_at or other.completed_at,
            ended_at=self.ended_at or other.ended_at,
        )
