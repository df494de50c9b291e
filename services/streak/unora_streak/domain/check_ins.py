"""ST-04, ST-14: a check-in that was made. It never changes."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from unora_streak.domain.state import Effort


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One check-in. `check_in_at` is UTC."""

    user_id: UUID
    cycle: int
    day: int
    check_in_date: date
    check_in_at: datetime
    effort_signal: Effort
