"""The refusals of streaks."""

from datetime import datetime

from unora_common.errors import DomainError

from unora_streak.domain.state import State


class StreakError(DomainError):
    """A refusal that changes nothing (ST-19)."""


class NotInStreak(StreakError):
    """XX-04: no such streak, or not one of this member: both get the same answer."""

    code = "NOT_FOUND"
    reason = "STREAK_NOT_FOUND"
    sentence = "This streak does not exist."


class AlreadyCheckedIn(StreakError):
    """ST-04: one check-in per user per day. The metadata say when the day ends."""

    code = "ALREADY_EXISTS"
    reason = "ALREADY_CHECKED_IN"
    sentence = "You have checked in today."

    def __init__(self, closes_at: datetime) -> None:
        super().__init__(closes_at=closes_at.isoformat())


class CheckInClosed(StreakError):
    """ST-19: no check-in in payment_window, completed or terminated."""

    code = "FAILED_PRECONDITION"
    reason = "CHECK_IN_CLOSED"
    sentence = "You cannot check in now."

    def __init__(self, state: State) -> None:
        super().__init__(state=state.value)


class NotInPaymentWindow(StreakError):
    """ST-08: the streak is not in its payment window, so it cannot be recovered now."""

    reason = "NOT_IN_PAYMENT_WINDOW"
    sentence = "This streak cannot be recovered now."

    def __init__(self, state: State) -> None:
        super().__init__(state=state.value)


class NotTheBreaker(StreakError):
    """ST-08: only the member who missed the day can recover it."""

    reason = "NOT_THE_BREAKER"
    sentence = "Only the one who missed the day can recover this streak."


class HeldForAnotherPayment(StreakError):
    """ST-20: the window is held for another payment."""

    reason = "RECOVERY_HELD"
    sentence = "Another payment for this recovery is in progress."


class PaymentClosed(StreakError):
    """The payment has failed, or its outcome is decided: it cannot be used again."""

    reason = "PAYMENT_CLOSED"
    sentence = "This payment is over and cannot be used again."


class NotAtRisk(StreakError):
    """ST-13: a nudge can be sent only in an at-risk period."""

    reason = "NOT_AT_RISK"
    sentence = "You can nudge only while the streak is at risk."

    def __init__(self, state: State) -> None:
        super().__init__(state=state.value)


class NotCheckedIn(StreakError):
    """ST-13: a member who has not checked in cannot send a nudge."""

    reason = "NOT_CHECKED_IN"
    sentence = "Check in before you nudge."


class NudgeLimitReached(StreakError):
    """ST-13: the sender has used all nudges of the tier in this at-risk period."""

    reason = "NUDGE_LIMIT_REACHED"
    sentence = "You have used all your nudges for now."


class NudgesLeft(StreakError):
    """ST-13: the sender still has nudges of the tier, so none can be bought."""

    reason = "NUDGES_LEFT"
    sentence = "You still have nudges, so you need not buy one."
