"""Why a streak refuses. The reason is the contract; the code is the name of a gRPC status."""

from datetime import datetime
from typing import ClassVar

from unora_streak.domain.state import State


class StreakError(Exception):
    """A refusal that changes nothing (ST-19). `metadata` is what the client may act on."""

    code: ClassVar[str]
    reason: ClassVar[str]

    def __init__(self, **metadata: str) -> None:
        super().__init__(self.reason)
        self.metadata = metadata


class NotInStreak(StreakError):  # noqa: N818 - named for what is refused
    """XX-04: the same answer as for a streak that does not exist."""

    code = "NOT_FOUND"
    reason = "STREAK_NOT_FOUND"


class AlreadyCheckedIn(StreakError):  # noqa: N818 - named for what is refused
    """ST-04: one check-in per user per day. Says when the day ends."""

    code = "ALREADY_EXISTS"
    reason = "ALREADY_CHECKED_IN"

    def __init__(self, closes_at: datetime) -> None:
        super().__init__(closes_at=closes_at.isoformat())


class CheckInClosed(StreakError):  # noqa: N818 - named for what is refused
    """ST-19: no check-in in payment_window, completed or terminated."""

    code = "FAILED_PRECONDITION"
    reason = "CHECK_IN_CLOSED"

    def __init__(self, state: State) -> None:
        super().__init__(state=state.value)
