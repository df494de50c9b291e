"""RE-04, RE-10: identity's own record of which pairs may see each other. Nothing else opens a name or a photo."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from unora_common.errors import DomainError

DISCLOSURE_DAY: Final = 15
"""RE-04: for all tiers, whatever is paid. No policy: the seed says so, and so does a constraint of the table."""


class NotDisclosed(DomainError):
    """No pair, not yet, not any more: one answer (XX-04)."""

    reason = "NOT_DISCLOSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """The two of a connection may see each other. One that has ended, or ended before it began, opens nothing."""

    connection_id: UUID
    streak_id: UUID
    user_a_id: UUID
    user_b_id: UUID
    completed_days: int
    ended_at: datetime | None = None

    def of(self, viewer: UUID, subject: UUID) -> bool:
        """RE-04: whether it lets `viewer` see `subject`; whether the connection is active has still to be asked."""
        return (
            self.ended_at is None
            and self.completed_days == DISCLOSURE_DAY
            and (viewer, subject) in ((self.user_a_id, self.user_b_id), (self.user_b_id, self.user_a_id))
        )
