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


class NotInPaymentWindow(StreakError):
    """ST-08: there is nothing to recover now."""

    reason = "NOT_IN_PAYMENT_WINDOW"

    def __init__(self, state: State) -> None:
        super().__init__(state=state.value)


class NotTheBreaker(StreakError):
    """ST-08: only who missed the day can recover it."""

    reason = "NOT_THE_BREAKER"


class HeldForAnotherPayment(StreakError):
    """ST-20: one payment at a time."""

    reason = "RECOVERY_HELD"


class PaymentClosed(StreakError):
    """The payment has failed or was answered: it can bring nothing any more."""

    reason = "PAYMENT_CLOSED"


class NotAtRisk(StreakError):
    """ST-13: nudges are for an at-risk period."""

    reason = "NOT_AT_RISK"

    def __init__(self, state: State) -> None:
        super().__init__(state=state.value)


class NotCheckedIn(StreakError):
    """ST-13: who is missing does not nudge."""

    reason = "NOT_CHECKED_IN"


class NudgeLimitReached(StreakError):
    """ST-13: the nudges of the sender's tier are used up for this at-risk period."""

    reason = "NUDGE_LIMIT_REACHED"


class NudgesLeft(StreakError):
    """ST-13: who has nudges left need not buy one."""

    reason = "NUDGES_LEFT"
