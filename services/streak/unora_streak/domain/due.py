"""ST-16: when time alone changes a streak."""

from dataclasses import replace
from datetime import datetime

from unora_streak.domain.state import Policy, State, Streak


def next_due(streak: Streak, policy: Policy) -> datetime | None:
    """The next instant (UTC) at which `machine.advance` changes the streak, if nothing else changes it before."""
    match streak.state:
        case State.ACTIVE if len(streak.checked_in) == 1:
            return streak.closes_at - policy.at_risk
        case State.ACTIVE if not streak.checked_in and not streak.told_ends_soon:
            return streak.closes_at - policy.ends_soon
        case State.ACTIVE | State.AT_RISK:
            return streak.closes_at
        case State.PAYMENT_WINDOW:
            return streak.hold.until if streak.hold else streak.window_closes_at
        case State.RESET | State.COMPLETED | State.TERMINATED:
            return None


def next_version(changed: Streak, policy: Policy) -> Streak:
    """The streak after one event, from the streak with that event's changes.

    Each event makes its streak by this function, so `version` counts the events, and `next_due_at` is right by the
    policy of that moment. A deployment may change the policy later.
    """
    return replace(changed, version=changed.version + 1, next_due_at=next_due(changed, policy))
