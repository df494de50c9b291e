"""The streak's rules, pure: `(state, input, now) -> (state, events)`. No I/O, no clock: `now` is always passed in."""

from unora_streak.domain.days import Day, end_of, first_day, next_day, pair_zone
from unora_streak.domain.errors import AlreadyCheckedIn, CheckInClosed, NotInStreak, StreakError
from unora_streak.domain.events import (
    CheckedIn,
    CycleBegan,
    DayBegan,
    DayCompleted,
    Event,
    PaymentWindowOpened,
    StreakAtRisk,
    StreakCompleted,
    StreakReset,
    StreakStarted,
    StreakTerminated,
    transitions,
)
from unora_streak.domain.machine import begin, check_in, next_due, settle, step, terminate
from unora_streak.domain.state import ALLOWED, INITIAL, PLAYING, TERMINAL, Effort, Policy, State, Streak

__all__ = [
    "ALLOWED",
    "INITIAL",
    "PLAYING",
    "TERMINAL",
    "AlreadyCheckedIn",
    "CheckInClosed",
    "CheckedIn",
    "CycleBegan",
    "Day",
    "DayBegan",
    "DayCompleted",
    "Effort",
    "Event",
    "NotInStreak",
    "PaymentWindowOpened",
    "Policy",
    "State",
    "Streak",
    "StreakAtRisk",
    "StreakCompleted",
    "StreakError",
    "StreakReset",
    "StreakStarted",
    "StreakTerminated",
    "begin",
    "check_in",
    "end_of",
    "first_day",
    "next_day",
    "next_due",
    "pair_zone",
    "settle",
    "step",
    "terminate",
    "transitions",
]
