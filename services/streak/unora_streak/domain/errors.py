"""Why a streak refuses."""

from datetime import datetime

from unora_common.errors import DomainError

from unora_streak.domain.state import State


class StreakError(DomainError):
    """A refusal that changes nothing (ST-19)."""


class NotInStreak(StreakError):
    """XX-04: the same answer as for a streak that does not exist."""

    code = "NOT_FOUND"
    reason = "STREAK_NOT_FOUND"


class AlreadyCheckedIn(StreakError):
    """ST-04: one check-in per user per day. Says when the day ends."""

    code = "ALREADY_EXISTS"
    reason = "ALREADY_CHECKED_IN"

    def __init__(self, closes_at: datetime) -> None:
        super().__init__(closes_at=closes_at.isoformat())


class CheckInClosed(StreakError):
    """ST-19: no check-in in payment_window, completed or terminated."""

    code = "FAILED_PRECONDITION"
    reason = "CHECK_IN_CLOSED"

    def __init__(self, state: State) -> None:
        super().__init__(state=state.value)
